"""Does `membership` do what its docstrings say?"""
