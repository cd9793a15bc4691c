"""Does the whole world converge? The real engine under a seed: clock, network and disk injected.

`world` plays one seed from the first event to the verdict; `device` is one machine and its lives,
`disk` the ways in which it dies, `network` the line, `workload` what people do, `ledger` what they
were told, `checker` what must hold in the end (from a model of its own), `planted` the bugs that
prove the checker's eyes. `python -m tests.simulation --seed N` replays one world.
"""
