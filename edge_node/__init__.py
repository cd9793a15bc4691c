"""The ward's station: it serves the office's tablets, and calls the city when there is a line."""
