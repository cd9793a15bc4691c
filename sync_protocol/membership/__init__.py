"""Who may write: foldable offline by every replica.

Kept here: `grant` (the control statements, and the hub's certificate) and `roster` (what all
statements together say, and the judgement on one entry). What holds: deny by default; the roster is
a function of the set of statements held, never of their order; no clock decides. The road goes on
in `merge`.
"""
