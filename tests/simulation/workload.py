"""What people do: on any device, at any time, over forms that may have lain open for hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from sync_protocol.errors import AccessError, InputError, StorageError
from sync_protocol.identity import Dot, OfficerId, RecordId
from sync_protocol.record.change import CellWrite, Changeset, RecordChange
from sync_protocol.record.diff import Shown, create, edit, edit_element, retract
from sync_protocol.replica import Act, Written
from sync_protocol.storage.store import Query
from sync_protocol.view import FieldView, RecordView
from tests.simulation.device import Device
from tests.simulation.disk import PowerCut
from tests.simulation.ledger import Deed, Wrote, shown, token
from tests.simulation.office import (
    AN,
    APPROVAL,
    BINH,
    BIRTH,
    CASE,
    CHI,
    NAME,
    NOBODY,
    NOTES,
    NUMBER,
    PAPERS,
    PHONE,
    STATUS,
    STATUSES,
)

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(slots=True)
class Form:
    """An open form: what it displays, and which deeds that stands for. A restored disk ends it."""

    view: RecordView
    seen: dict[tuple[int, bytes | None], frozenset[bytes]]
    restores: int


@dataclass(slots=True)
class Draft:
    """A change of one record, and what the ledger is to remember of it."""

    change: RecordChange
    wrote: list[Wrote] = field(default_factory=list)


def display(device: Device, record: RecordId) -> Form | None:
    """Open a form over a record."""
    replica = device.up
    view = replica.read(record)
    if view is None or view.held:
        return None
    seen = {(f.field, f.element): shown(replica, f) for f in view.fields}
    return Form(view, seen, device.restores)


class People:
    """Everybody at work."""

    def __init__(self, world: World, random: Random) -> None:
        """Begin with nothing done."""
        self.world = world
        self.random = random
        self.count = 0
        self.acts: list[tuple[int, Callable[[Device], None]]] = [
            (7, self.make),
            (9, self.change_field),
            (5, self.move_status),
            (3, self.remark),
            (3, self.add_paper),
            (3, self.touch_element),
            (5, self.settle),
            (2, self.approve),
            (1, self.retract),
            (1, self.bind_number),
            (1, self.make_many),
        ]

    def act(self, device: Device) -> None:
        """Do one thing."""
        weights = [weight for weight, _ in self.acts]
        chosen = self.random.choices([act for _, act in self.acts], weights)[0]
        chosen(device)

    def word(self, stem: str) -> str:
        """Return a word that nobody has written before."""
        self.count += 1
        return f"{stem}{self.count}"

    # --- choosing -----------------------------------------------------------------------------

    def officer(self, *, supervises: bool = False) -> OfficerId:
        """Return who sits there."""
        if supervises and self.random.random() < 0.85:
            return BINH
        return self.random.choice([AN, AN, BINH, BINH, CHI, NOBODY])

    def pick(self, device: Device, *, disputed: bool = False) -> Form | None:
        """Open a form over some record of this device; people flock to the newest."""
        rows = device.up.find(Query(disputed=disputed, limit=6))
        if not rows:
            return None
        chosen = self.random.choice(rows[: self.random.randint(1, len(rows))])
        return display(device, chosen.id)

    # --- acts ---------------------------------------------------------------------------------

    def make(self, device: Device) -> None:
        """Receive a new case."""
        self.write(device, [self._new()], self.officer())

    def make_many(self, device: Device) -> None:
        """Receive several in one act, and several acts in one commit."""
        officer = self.officer()
        if self.random.random() < 0.5:
            self.write(device, [self._new(), self._new()], officer)
            return
        self.write_each(device, [[self._new()] for _ in range(self.random.randint(2, 4))], officer)

    def _new(self) -> Draft:
        values: dict[str, Any] = {"name": self.word("name"), "status": ["1", self.word("move")]}
        if self.random.random() < 0.5:
            values["phone"] = self.word("phone")
        papers = {}
        if self.random.random() < 0.3:
            papers = {self.random.randbytes(16): [self.word("paper"), None]}
        change = create(CASE, values, {"papers": papers} if papers else None)
        wrote = [Wrote(None, 0, n, None, value) for n, value in change.values.items()]
        wrote += [Wrote(None, 0, w.field, w.element, w.value) for w in change.writes]
        return Draft(change, wrote)

    def change_field(self, device: Device) -> None:
        """Type into a form: saved at once, or when it has lain open for a while."""
        form = self.pick(device)
        if form is None:
            return
        officer, life = self.officer(), device.lives
        names = self.random.sample(["name", "phone", "birth"], self.random.choice([1, 1, 2]))
        fresh = {name: self._typed(name) for name in names}
        blind = self.random.random() < 0.05

        def save() -> None:
            if device.lives == life or self.random.random() < 0.5:  # or the form died with it
                self._save(device, form, fresh, officer, blind=blind)

        if self.random.random() < 0.5:
            save()
        else:
            self.world.after(self.random.randint(1, 90) * 60_000, f"save {device.name}", save)

    def _typed(self, name: str) -> Any:
        if name == "birth":
            return [self.word("date"), self.word("place")]
        return self.word(name)

    def _save(
        self,
        device: Device,
        form: Form,
        typed: dict[str, Any],
        officer: OfficerId,
        *,
        blind: bool = False,
    ) -> None:
        if device.replica is None or device.restores != form.restores:
            return
        displayed: dict[str, Shown] = {}
        for name in typed:
            cell = form.view.field(name)
            displayed[name] = Shown(cell.value, cell.dots) if cell else Shown(None, ())
        change = edit(CASE, form.view.id, {} if blind else displayed, typed)
        if change is None:
            return
        seen: dict[tuple[int, bytes | None], frozenset[bytes]] = {} if blind else form.seen
        self.write(device, [self._draft(form.view.id, change.writes, seen)], officer)

    def _draft(
        self,
        record: RecordId,
        writes: Sequence[CellWrite],
        seen: dict[tuple[int, bytes | None], frozenset[bytes]],
        saw: tuple[tuple[int, frozenset[bytes]], ...] = (),
    ) -> Draft:
        wrote = [
            Wrote(
                record,
                0,
                w.field,
                w.element,
                w.value,
                seen.get((w.field, w.element), frozenset()),
                saw,
            )
            for w in writes
        ]
        return Draft(RecordChange(record, CASE.id, {}, tuple(writes)), wrote)

    def move_status(self, device: Device) -> None:
        """Move a case on."""
        form = self.pick(device)
        if form is not None:
            move = [self.random.choice(STATUSES), self.word("move")]
            self._save(device, form, {"status": move}, self.officer())

    def settle(self, device: Device) -> None:
        """Settle what is disputed, over all the values shown."""
        form = self.pick(device, disputed=True)
        if form is None:
            return
        conflict = self.random.choice(form.view.conflicts)
        officer = self.officer(supervises=True)
        if conflict.field in (NAME, PHONE, BIRTH):
            name = CASE.by_id[conflict.field].name
            self._save(device, form, {name: self._typed(name)}, officer)
        elif conflict.field == STATUS:
            self._save(device, form, {"status": ["3", self.word("move")]}, officer)
        elif conflict.field == PAPERS and conflict.element is not None:
            self._element(device, form, conflict.element, [self.word("paper"), None], officer)
        elif conflict.field == APPROVAL:
            self.approve(device, form)

    def remark(self, device: Device) -> None:
        """Write a note."""
        form = self.pick(device)
        if form is not None:
            write = edit_element(CASE, "notes", self.random.randbytes(16), self.word("note"), None)
            self.write(device, [self._draft(form.view.id, [write], {})], self.officer())

    def add_paper(self, device: Device) -> None:
        """Add a paper, sometimes with a scan."""
        form = self.pick(device)
        if form is None:
            return
        manifest = None
        if self.random.random() < 0.5:
            try:
                size = self.random.choice([40, 300, 1200])
                manifest = device.up.attach(self.random.randbytes(size), "image/jpeg")
            except (StorageError, AccessError):
                return
        value = [self.word("paper"), manifest]
        self._element(device, form, self.random.randbytes(16), value, self.officer())

    def touch_element(self, device: Device) -> None:
        """Edit a paper, or take it out."""
        form = self.pick(device)
        papers = form.view.elements("papers") if form is not None else []
        if form is None or not papers:
            return
        chosen = self.random.choice(papers)
        if chosen.element is None:
            return
        value = None if self.random.random() < 0.5 else [self.word("paper"), None]
        officer = self.officer()
        element, later = chosen.element, self.random.random() < 0.4
        if later:
            wait = self.random.randint(1, 90) * 60_000
            self.world.after(
                wait,
                f"save {device.name}",
                lambda: self._element(device, form, element, value, officer),
            )
        else:
            self._element(device, form, element, value, officer)

    def _element(
        self, device: Device, form: Form, element: bytes, value: Any, officer: OfficerId
    ) -> None:
        if device.replica is None or device.restores != form.restores:
            return
        cell: FieldView | None = form.view.field("papers", element)
        shown = Shown(cell.value, cell.dots) if cell is not None else None
        write = edit_element(CASE, "papers", element, value, shown)
        self.write(device, [self._draft(form.view.id, [write], form.seen)], officer)

    def approve(self, device: Device, form: Form | None = None) -> None:
        """Approve, relying on what is displayed."""
        form = form or self.pick(device)
        if form is None:
            return
        saw = [(n, form.seen.get((n, None), frozenset())) for n in (NAME, BIRTH)]
        was = {}
        for name in ("name", "birth", "approval"):
            cell = form.view.field(name)
            was[name] = Shown(cell.value, cell.dots) if cell else Shown(None, ())
        change = edit(CASE, form.view.id, was, {"approval": self.word("yes")})
        if change is not None:
            draft = self._draft(form.view.id, change.writes, form.seen, tuple(saw))
            self.write(device, [draft], self.officer(supervises=True))

    def retract(self, device: Device) -> None:
        """Withdraw a case, having seen what is displayed of it."""
        form = self.pick(device)
        if form is None or form.view.retracted:
            return
        dots: set[Dot] = {dot for item in form.view.fields for dot in item.dots}
        seen = frozenset(body for bodies in form.seen.values() for body in bodies)
        change = retract(CASE, form.view.id, self.word("reason"), dots)
        draft = self._draft(form.view.id, change.writes, {}, ((-1, seen),))
        self.write(device, [draft], self.officer(supervises=True))

    def bind_number(self, device: Device) -> None:
        """Give a case its number."""
        form = self.pick(device)
        if form is not None and form.view.field("number") is None:
            self._save(device, form, {"number": self.word("no")}, self.officer())

    # --- saving -------------------------------------------------------------------------------

    def write(self, device: Device, drafts: Sequence[Draft], officer: OfficerId) -> None:
        """Save one act."""
        self.write_each(device, [drafts], officer)

    def write_each(
        self, device: Device, acts: Sequence[Sequence[Draft]], officer: OfficerId
    ) -> None:
        """Save several acts in one commit."""
        replica = device.up
        known = self.world.control_held(device)
        deeds = [
            self.world.ledger.begin(
                device.name,
                bytes(device.keys.public),
                officer,
                wrote=tuple(
                    Wrote(w.record, index, w.field, w.element, w.value, w.parents, w.saw)
                    for index, draft in enumerate(drafts)
                    for w in draft.wrote
                ),
                known=known,
            )
            for drafts in acts
        ]
        changes = [
            Act(officer, Changeset(tuple(draft.change for draft in drafts))) for drafts in acts
        ]
        self.save(device, deeds, lambda: replica.write_many(changes))

    def save(self, device: Device, deeds: list[Deed], do: Callable[[], list[Written]]) -> None:
        """Do it, and note what the person was told."""
        ledger, replica = self.world.ledger, device.up
        device.salts.clear()
        try:
            written = do()
        except (InputError, AccessError) as problem:
            for deed in deeds:
                ledger.refused(deed, b"")
            self.world.note(f"{device.name} refused {problem.code}")
            return
        except (PowerCut, StorageError) as problem:
            salts = device.salts[-len(deeds) :] if len(device.salts) >= len(deeds) else []
            for deed, salt in zip(deeds, salts or [b""] * len(deeds), strict=True):
                if salt:
                    ledger.unknown(deed, salt)
                else:
                    ledger.refused(deed, b"")
            if isinstance(problem, PowerCut):
                raise
            self.world.note(f"{device.name} could not save: {problem.code}")
            return
        salts = device.salts[-len(deeds) :]
        for deed, done, salt in zip(deeds, written, salts, strict=True):
            ledger.saved(deed, token(replica, done.dot), salt, done.records)
            device.expects.add(deed.body)
        self.world.note(f"{device.name} saved {[deed.number for deed in deeds]}")


__all__ = ["NOTES", "NUMBER", "PHONE", "Form", "People", "display"]
