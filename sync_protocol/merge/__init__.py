"""What is true now: a function of the set of admitted entries, and of nothing else.

Kept here: `register` (the one mechanism: a cell of concurrent values), `state` (a record's cells as
canonical bytes), `fold` (entries into states: the one place where merging happens), `status` and
`conflict` (what the values of each field kind mean when there are several). Pure. The road ends in
`view`.

The law: in each cell, a value lives unless an admitted entry lists its dot as a parent. So
`state = fold(set)`, whatever the order, the batches and the clocks.
"""
