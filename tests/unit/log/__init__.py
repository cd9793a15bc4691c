"""Does the log do what its docstrings say?"""
