"""New records made references, with the reason kept.

A reference is what everybody's later work is held to. So it is only replaced by what a reviewer
would take: whole measurements, by committed code, all of one commit. Files are written all or
none: what was there is put back if one of them cannot be.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness import predictions, results, tables
from harness.errors import UserError
from harness.files import write_atomically
from harness.gate import facts
from harness.gate.check import Checked
from harness.gate.folder import Entry, Folder, Name, Record
from harness.gate.scores import points

LOG = "UPDATES.md"
_HEAD = """\
# Why references changed

Written by `python -m harness check --update`, newest last; scores in points.

| measured | record | score | besides | reason |
|---|---|---|---|---|
"""


def update(
    folder: Path, references: Folder, new: Folder, checked: Sequence[Checked], reason: str
) -> list[Name]:
    """Replace the checked records in the folder of references by the new ones that differ.

    The reason is kept in `folder`/UPDATES.md, a row for each record. Returns what was replaced.

    Raises:
        UserError: the reason is not one line of text, or a reviewer would refuse a record.
        OSError: the folder cannot be written; it is then as it was.
    """
    if len(reason.splitlines()) != 1 or not reason.strip():
        raise UserError(f"expected a reason in one line, found {reason!r}; say why in --reason")
    sound = _sound([each.name for each in checked], new)
    _require_one_table(references, sound)
    changed = [name for name in sound if _differs(references.get(name), new[name])]
    files: dict[Path, bytes] = {}
    rows = []
    for name in changed:
        target = results.path(folder, *name)
        files[predictions.beside(target)] = predictions.beside(new[name].file).read_bytes()
        files[target] = results.render(sound[name])  # after its predictions, never alone
        old = references.get(name)
        rows.append(_row(name, old.record if old else None, sound[name], reason))
    if changed:
        log = folder / LOG
        before = log.read_text() if log.exists() else _HEAD
        _write_all({**files, log: (before + "".join(rows)).encode()})
    return changed


def _sound(names: Iterable[Name], new: Folder) -> dict[Name, Record]:
    """The new records, none of which a reviewer would refuse; else raises UserError."""
    sound: dict[Name, Record] = {}
    for name in names:
        entry = new.get(name)
        refusal = "found none; run it, or choose others" if entry is None else _refusal(entry)
        if refusal:
            raise UserError(f"{name}: expected a new record to make the reference, {refusal}")
        if entry is not None and entry.record is not None:
            sound[name] = entry.record
    commits = sorted({str(record["run"]["git_sha"])[:12] for record in sound.values()})
    if len(commits) > 1:
        raise UserError(
            f"expected records of one commit, found {', '.join(commits)}; run all of them again"
        )
    return sound


def _require_one_table(references: Folder, sound: Mapping[Name, Record]) -> None:
    """Raise UserError if old and new references together would be of mixed versions, or damaged."""
    records = dict(sound)
    for name, entry in references.items():
        if entry.record is not None:
            records.setdefault(name, entry.record)
        elif name not in sound:
            raise UserError(f"{name}: expected a sound reference to keep, {entry.fault}")
    tables.sections(records.values())


def _refusal(entry: Entry) -> str:
    """Why a record must not become a reference; "" if it may."""
    record = entry.record
    if record is None or entry.fault:
        return f"found it damaged: {entry.fault}"
    if entry.kept is None:
        return "found no predictions beside it; run it again"
    if results.is_partial(record):
        return "found a part of its clips; run it without --limit and --skip-bad"
    if record["scores"]["collapsed"]:
        return "found that its embeddings collapsed; mend the encoder"
    if record["run"]["dirty"] is not False:
        return "found that its code is in no commit; commit it and run again"
    return ""


def _differs(old: Entry | None, own: Entry) -> bool:
    """Whether more than the circumstances of the run is new."""
    if old is None or old.record is None or old.kept is None or own.record is None:
        return True
    before, after = ({**record, "run": None} for record in (old.record, own.record))
    kept = {predictions.beside(entry.file).read_bytes() for entry in (old, own)}
    return before != after or len(kept) > 1


def _row(name: Name, old: Record | None, new: Record, reason: str) -> str:
    """A row of the log: what the score was and is, what else is not as it was, and why."""
    besides = facts.differences(old, new) if old else []
    cells = (
        new["run"]["date_utc"][:10],
        str(name),
        f"{points(old['score']) if old else 'none'} → {points(new['score'])}",
        "; ".join(map(str, besides)) or "–",
        reason.strip(),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _write_all(files: Mapping[Path, bytes]) -> None:
    """Write all files in order; put back those that were there if one cannot be written."""
    before: dict[Path, bytes | None] = {}
    try:
        for path, data in files.items():
            before[path] = path.read_bytes() if path.exists() else None
            write_atomically(path, data)
    except BaseException:
        for path, data_before in before.items():
            if data_before is None:
                path.unlink(missing_ok=True)
            else:
                write_atomically(path, data_before)
        raise
