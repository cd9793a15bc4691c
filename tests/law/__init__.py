"""Do the laws of the algebra hold?"""
