"""Would another implementation agree?"""
