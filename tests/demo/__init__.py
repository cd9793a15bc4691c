"""`make demo`: the main job with real processes on loopback, told step by step and checked."""
