"""Does an exchange do what its docstrings say?"""
