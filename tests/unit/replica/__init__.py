"""Does a replica do what its docstrings say?"""
