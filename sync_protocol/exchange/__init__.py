"""One conversation between two replicas, driven: the only place that decides what a refusal means.

`respond` answers one message; `initiate` leads a whole exchange over a carrier. Both are the same
for tablet, edge and hub. Kept beside them: `asking` (one request and its checked answer), `offer`
(what is packed into a push or a pull), `scans`, `bootstrap` and `shelf` (the two ends of a
snapshot), `audit`, `bundle` and `unbundle` (the same by stick) and `enrol`. The pure rooms refuse;
here it is known that one bad feed must not stop the others, and what to try next.
"""
