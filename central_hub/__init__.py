"""The city: where the wards meet, where devices are enrolled, and where what was saved rests.

Kept here: `city` (the opened hub: its wards, each one replica, opened when first needed),
`founding` (what is made once), `charter` (what its vault keeps), `paper_key` (keys on paper),
`reception` and `face` (what devices meet), `admission` (how many at once), `followers` (views
follow the logs), `contact` (who was heard when), `backup` and `restore`, and the `command_*`
modules, one per group of commands. Nothing of a ward's procedures is known here.
"""
