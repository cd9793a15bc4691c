"""Does `record` do what its docstrings say?"""
