"""A small town of real processes on loopback, for the demo, the stories and the hard tests.

`process` starts and ends programs, `town` founds a hub and enrols devices, `scene` keeps the folder
and ends whatever still runs. Nothing of ours is imported to act, only run: what is proved here is
what somebody at a terminal would get.
"""
