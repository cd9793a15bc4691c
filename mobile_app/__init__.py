"""The tablet: what an officer carries, and what keeps on working without any line."""
