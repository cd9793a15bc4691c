"""The hub's parts, each by itself."""
