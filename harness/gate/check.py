"""New records beside their references: what changed, and what the gate fails for."""

import math
from dataclasses import dataclass, replace

from harness import paired
from harness.errors import UserError
from harness.gate import facts, scores
from harness.gate.folder import Entry, Folder, Name, Record, Selection
from harness.gate.scores import Change, points

TOLERANCE = 0.005  # of a score


@dataclass(frozen=True)
class Checked:
    """One record beside its reference.

    Attributes:
        name: of both.
        old: the reference's score, None where there is none.
        new: the new record's.
        faults: what the gate fails for, a line each.
        notes: what a reader may want to know, a line each.
        change: of the score; None where the two cannot be compared.
        p: of the change, adjusted for all that are tested; NaN where it is not tested.
    """

    name: Name
    old: float | None
    new: float | None
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    change: Change | None = None
    p: float = math.nan

    @property
    def same(self) -> bool:
        """Whether there is nothing to tell."""
        return self.old == self.new and not self.faults


def check(
    references: Folder, new: Folder, selection: Selection, tolerance: float = TOLERANCE
) -> list[Checked]:
    """Compare the selected records of two folders, by name.

    The paired tests of all records are adjusted together (Holm), so that no number of records
    makes noise a fault more often than `paired.LEVEL` says.

    Raises:
        UserError: a chosen name is in neither folder, or there is nothing to compare.
    """
    selection.require_known([*references, *new])
    for folder, which in ((references, "references"), (new, "new records")):
        if not any(selection.has(name) for name in folder):
            there = ", ".join(map(str, sorted(folder)))
            raise UserError(f"expected {which} to compare, chose none of these: {there}")
    names = sorted(name for name in {*references, *new} if selection.has(name))
    found = [_beside(name, references.get(name), new.get(name)) for name in names]
    adjusted = paired.holm([each.change.p if each.change else math.nan for each in found])
    return [_judged(each, p, tolerance) for each, p in zip(found, adjusted, strict=True)]


def _beside(name: Name, old: Entry | None, new: Entry | None) -> Checked:
    """All but the verdict on the scores, which takes the tests of all records."""
    checked = Checked(name, _score(old), _score(new))
    if new is None:
        return replace(checked, faults=("expected a new record, found none; run it",))
    if old is None:
        return replace(checked, faults=_unread(new), notes=("has no reference yet",))
    faults = _unread(old, new)
    if old.record is None or new.record is None:
        return replace(checked, faults=faults)
    differ = facts.differences(old.record, new.record)
    checked = replace(
        checked,
        faults=(*faults, *(str(d) for d in differ if d.strict), *_lost(old.record, new.record)),
        notes=(*_unheld(old), *(str(d) for d in differ if not d.strict)),
    )
    if old.kept is not None and new.kept is None and not new.fault:
        lacks = "expected predictions beside the new record, found none; run it again"
        checked = replace(checked, faults=(*checked.faults, lacks))
    if None in (checked.old, checked.new) or any(d.strict for d in differ):
        return checked
    try:
        change = scores.change(old.record, old.kept, new.record, new.kept)
    except paired.Unpaired as error:
        return replace(checked, faults=(*checked.faults, str(error)))
    return replace(checked, change=change)


def _lost(old: Record, new: Record) -> list[str]:
    """What the new record no longer has: a score, or embeddings that tell clips apart."""
    found = []
    if new["score"] is None and old["score"] is not None:
        found.append(f"score: {points(old['score'])} → undefined")
    before, after = (record["scores"]["collapsed"] for record in (old, new))
    if after and after != before:
        found.append(f"scores.collapsed: {before or 'null'} → {after}")
    return found


def _unheld(old: Entry) -> list[str]:
    """What the new record cannot be held to, for want of it in the reference."""
    found = []
    if old.record is not None and old.record["score"] is None:
        found.append("the reference's score is undefined: whatever the new one is passes")
    if old.kept is None and not old.fault:
        found.append("the reference has no predictions: no paired test")
    return found


def _unread(*entries: Entry) -> tuple[str, ...]:
    return tuple(entry.fault for entry in entries if entry.fault)


def _judged(checked: Checked, p: float, tolerance: float) -> Checked:
    change = checked.change
    if change is None:
        return checked
    checked = replace(checked, p=p)
    moved = f"score: {points(checked.old)} → {points(checked.new)}"
    tested = f"{change.test} on the same {change.clips} clips: p = {p:.2g}"
    if change.beyond(tolerance):
        reason = f"{points(change.allowed(tolerance))} are tolerated"
    elif change.significant(p):
        reason = f"no chance ({tested})"
    elif change.gained(tolerance):
        note = f"{moved}: better by {points(-change.drop)} points; --update makes it the reference"
        return replace(checked, notes=(note, *checked.notes))
    else:
        return checked
    fault = f"{moved}: worse by {points(change.drop)} points, {reason}"
    return replace(checked, faults=(fault, *checked.faults))


def _score(entry: Entry | None) -> float | None:
    return None if entry is None or entry.record is None else entry.record["score"]
