"""Does `replica` do what its docstrings say?"""
