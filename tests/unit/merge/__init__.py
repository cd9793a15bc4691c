"""Does `merge` do what its docstrings say?"""
