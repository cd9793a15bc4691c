"""Does `exchange` do what its docstrings say?"""
