"""Does this function do what its docstring says? Mirrors the tree; no I/O."""
