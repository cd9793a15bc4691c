"""What is said between two replicas; no I/O.

Kept here: `message` (the signed envelope of every request and reply), one file per exchange with
both mouths of it (`hello`, `push`, `pull`, `chunk`, `snapshot`, `health`, `enrol`), `receipt` (the
signed word that something is held), and `bundle` (the same for a stick). A message is an envelope
and, behind it, payloads that the envelope names by hash, so that both can be checked and committed
as they arrive. The road goes on in `replica` and `exchange`.
"""
