"""Does what travels do what its docstrings say?"""
