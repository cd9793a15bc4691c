"""Does what proves and hides do what its docstrings say?"""
