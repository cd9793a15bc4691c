"""Our synchronisation beside its peers, measured in the same minutes on the same dossiers.

What holds here:

* Every contender runs as separate operating-system processes (A, hub, B) on real stores, and every
  byte between them goes through the counting proxy (`proxy`), which is a process of its own, so
  that its CPU is nobody's.
* CPU is user + system time of all threads, the client's and the hub's apart, up to the moment when
  both have come to rest, not only to the acknowledgement.
* Contenders take turns (run 1 of each, run 2 of each, ...), so that a ratio is made of two figures
  from the same minutes. A ratio is never made of two different sessions.
* Where we lose, the report says so in words.

The road: `workload` (what is written) -> `contender` (what each side must do) -> `ours`, `floor`,
`pouchdb` (the sides) -> `report` (the table in docs/BENCHMARKS.md).
"""
