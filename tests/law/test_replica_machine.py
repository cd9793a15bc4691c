"""Two edges and a hub against a plain model: hypothesis chooses what happens, and shrinks it.

The model is a set of values per case and, for each value, who had seen which: nothing else.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from sync_protocol.identity import NO_OFFICER, RecordId
from sync_protocol.record.diff import Shown, edit
from tests.small_ward import CASE, Ward, make

EDGES = st.sampled_from(["e1", "e2"])


class Replicas(RuleBasedStateMachine):
    """What people do on two edges; the hub only carries."""

    cases: Bundle[RecordId] = Bundle("cases")

    def __init__(self) -> None:
        """Begin with a ward and nothing in it."""
        super().__init__()
        self.ward = Ward("e1", "e2")
        self.count = 0
        self.written: dict[RecordId, dict[str, set[str]]] = {}
        self.forms: list[tuple[RecordId, Shown, set[str]]] = []

    def _fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    @rule(target=cases, edge=EDGES)
    def make(self, edge: str) -> RecordId:
        """Receive a case."""
        value = self._fresh()
        record = make(self.ward[edge], value)
        self.written[record] = {value: set()}
        return record

    @rule(target=cases, edge=EDGES, record=cases)
    def open_form(self, edge: str, record: RecordId) -> Any:
        """Open a form over what an edge shows."""
        view = self.ward[edge].read(record)
        cell = view.field("name") if view is not None else None
        if cell is not None:
            shown = {str(item.value) for item in cell.siblings}
            self.forms.append((record, Shown(cell.value, cell.dots), shown))
        return multiple()

    @rule(edge=EDGES, which=st.integers(0, 20))
    def save_form(self, edge: str, which: int) -> None:
        """Save a form that may have been opened long ago, on either edge."""
        if not self.forms:
            return
        record, shown, values = self.forms[which % len(self.forms)]
        value = self._fresh()
        change = edit(CASE, record, {"name": shown}, {"name": value})
        if change is None:
            raise AssertionError("a fresh value is a change")
        self.ward[edge].write([change], NO_OFFICER)
        self.written[record][value] = set(values)

    @rule(edge=EDGES)
    def sync(self, edge: str) -> None:
        """Meet the hub."""
        self.ward.sync(edge)

    @rule(edge=EDGES)
    def restart(self, edge: str) -> None:
        """The process ends and begins."""
        self.ward.reopen(edge)

    @rule(edge=EDGES)
    def rebuild(self, edge: str) -> None:
        """Views made anew are the same views."""
        before = self.ward[edge].digest()
        self.ward[edge].rebuild()
        assert self.ward[edge].digest() == before

    @invariant()
    def nothing_is_shown_that_was_not_written(self) -> None:
        for name in ("e1", "e2", "hub"):
            for record, values in self.written.items():
                view = self.ward[name].read(record)
                cell = view.field("name") if view is not None else None
                if cell is not None:
                    assert {str(item.value) for item in cell.siblings} <= set(values)

    def teardown(self) -> None:
        """In the end all meet, and what lives is what nobody had seen when writing."""
        self.ward.sync("e1", "e2", "e1", "e2")
        digests = {self.ward[name].digest() for name in ("e1", "e2", "hub")}
        assert len(digests) == 1
        for record, values in self.written.items():
            view = self.ward["hub"].read(record)
            assert view is not None
            cell = view.field("name")
            assert cell is not None
            seen = set().union(*values.values())
            assert {str(item.value) for item in cell.siblings} == set(values) - seen
            assert bool(view.conflicts) == (len(set(values) - seen) > 1)


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(settings.default, stateful_step_count=20, max_examples=25)
