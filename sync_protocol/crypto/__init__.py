"""What proves and what hides: the only door for `cryptography`.

Kept here: a device's keys (`key`), signatures with domain separation (`signature`), and sealing
(`seal`): authenticated encryption under a shared key, to a public key (HPKE, RFC 9180), and from a
PIN (Argon2id, RFC 9106). Everything above speaks bytes. The road goes on in `record` and `log`.
"""
