"""What every process of ours has: a home folder that it owns, and commands that work on it.

Kept here, for hub, edge and tablet alike: `home` (the folder, its keys, its one owner), `enrolment`
and `duties` (what a device does of itself), `device` (an edge or tablet at work), `command` and
`handing` (the command line, handed over to `serve` where that runs), `loops` (the threads of
`serve`), `picture` (the child process in which photos and PDFs are read), and the commands that all
share, on what `app` says: `dossiers`, `conflicts`, `upkeep`, `intake`. No Flask, no Kivy. It stands
on `sync_protocol`; the apps stand on it (docs/adr/0003-a-home-for-every-device.md).
"""
