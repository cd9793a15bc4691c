"""Does `wire` do what its docstrings say?"""
