"""The HEAR task directory: the one reader of its layout.

    task_metadata.json         `tasks.hear_metadata`
    labelvocabulary.csv        columns idx and label; the classes in the order of idx
    {split}.json               file → labels, or file → events {label, start, end}, ms
    {sample_rate}/{split}/…    the files, in each rate that is there

as hear-preprocess writes it (hearpreprocess/pipeline.py). It may lie anywhere in the tree, in
an archive or unpacked, and several times: each archive holds one rate and all that is said of
the files. A name belongs to one split, as it does in hear-preprocess, so a clip's id is its
file's name without the ending. Files that no {split}.json lists are left out.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tasks import hear_metadata, table
from tasks.archive import Tree
from tasks.errors import UserError
from tasks.hear_metadata import Kind, Metadata, malformed
from tasks.spec import Clip, Event, Labels

_RATE = re.compile(r"[1-9]\d{3,5}(?=/)")
_LONGEST = 1e12  # ms; no time in a clip is beyond it, and neither NaN nor infinity is below


def found(tree: Tree) -> dict[str, Metadata]:
    """Return the task directories in the tree: a beginning of names → what is said there.

    The least deep comes first. Raises UserError if one is malformed.
    """
    names = [name for name in tree.names if f"/{name}".endswith(f"/{hear_metadata.FILE}")]
    return {
        name.removesuffix(hear_metadata.FILE): hear_metadata.read(tree, name)
        for name in sorted(names, key=lambda name: name.count("/"))
    }


def rates(tree: Tree, root: str) -> set[int]:
    """Return the sample rates, Hz, that the directory `root` has folders of."""
    below = (_RATE.match(name, len(root)) for name in tree.names if name.startswith(root))
    return {int(match[0]) for match in below if match}


def vocabulary(tree: Tree, root: str) -> tuple[str, ...]:
    """Return the classes. Raises UserError unless they are numbered from 0 without a gap."""
    name = f"{root}labelvocabulary.csv"
    where = f"{tree.folder}/{name}"
    try:
        rows = table.rows(tree, name, columns=("idx", "label"))
    except KeyError:
        raise malformed(where, "a file", "none") from None
    numbered = {row["idx"].strip(): row["label"] for row in rows}
    wanted = [str(number) for number in range(len(rows))]
    lacking = [number for number in wanted if number not in numbered]
    if lacking:
        raise malformed(where, f"each idx from 0 to {wanted[-1]} once", f"no {lacking[0]}")
    classes = tuple(numbered[number] for number in wanted)
    label, times = Counter(classes).most_common(1)[0]
    if times > 1:
        raise malformed(where, "each label once", f"{label} {times} times")
    return classes


def read(tree: Tree, *, kind: Kind, rate: int, others: Sequence[int]) -> Labels:
    """Read the directory that holds the task `kind` and its audio at `rate`, Hz.

    `others` are all rates that would do in some case, first the one that is resampled from.

    Raises FileNotFoundError if there is no such directory, also where its audio is there at
    another rate that would do; UserError if what is there is another task, has only audio that
    never would do, or is malformed: in one line, that names the file.
    """
    told = found(tree)
    if not told:
        raise FileNotFoundError(f"no {hear_metadata.FILE} in {tree.folder}")
    roots = [root for root in told if told[root].kind == kind]
    if not roots:
        another = " ".join(next(iter(told.values())).kind)
        raise UserError(
            f"{tree.folder}: expected the HEAR task {' '.join(kind)}, found {another}; put it into "
            "a folder of its own"
        )
    there = {root: rates(tree, root) for root in roots}
    root = next((root for root in roots if rate in there[root]), None)
    if root is None:
        raise _no_audio(tree, rate, others, set().union(*there.values()))
    classes = vocabulary(tree, root)
    return Labels(clips=_clips(tree, root, told[root], rate, classes), classes=classes)


def _no_audio(tree: Tree, rate: int, others: Sequence[int], there: set[int]) -> Exception:
    wanted = " or ".join(f"{rate}/" for rate in dict.fromkeys((rate, others[0])))
    folders = ", ".join(f"{rate}/" for rate in sorted(there)) or "none"
    message = f"{tree.folder}: expected the audio in a folder {wanted}, found {folders}"
    if not there or there & set(others):
        return FileNotFoundError(message)
    return UserError(f"{message}; put the audio of that sample rate there")


def _clips(
    tree: Tree, root: str, told: Metadata, rate: int, classes: tuple[str, ...]
) -> list[Clip]:
    number = {label: index for index, label in enumerate(classes)}
    clips: dict[str, Clip] = {}
    missing = []
    for split in told.splits:
        where = f"{tree.folder}/{root}{split}.json"
        listed = hear_metadata.parse(tree, f"{root}{split}.json")
        if not listed:
            raise malformed(where, "files", "none")
        for file, said in listed.items():
            name = f"{root}{rate}/{split}/{file}"
            clip_id = file.rpartition(".")[0] or file
            if clip_id in clips:
                before = f"it in {clips[clip_id].split} as well"
                raise malformed(f"{where}: {file}", "a name that no other file has", before)
            try:
                place = tree.place(name)
            except KeyError:
                missing.append(name)
                continue
            labels, events = _said(said, told.kind, number, f"{where}: {file}")
            clips[clip_id] = Clip(
                id=clip_id, place=place, labels=labels, split=split, group="", events=events
            )
    if missing:
        others = f", nor of {len(missing) - 1} other files" if len(missing) > 1 else ""
        raise UserError(
            f"{tree.folder}/{missing[0]}: expected audio, found none{others}; restore what "
            "is listed"
        )
    return list(clips.values())


def _said(
    said: Any, kind: Kind, number: Mapping[str, int], where: str
) -> tuple[tuple[str, ...], tuple[Event, ...]]:
    """Return the labels of a file, in the order of the classes, and its events, in that of time."""
    if not isinstance(said, list):
        raise malformed(where, "a list", said)
    events = [_event(event, where) for event in said] if kind.timestamps else []
    labels = {event.label for event in events} if kind.timestamps else {str(n) for n in said}
    unknown = sorted(labels - number.keys())
    if unknown:
        raise malformed(where, "labels of labelvocabulary.csv", unknown[0])
    if not kind.multilabel and len(said) != 1:
        raise malformed(where, "one label", said)
    order = sorted(events, key=lambda event: (event.start, event.end, event.label))
    return tuple(sorted(labels, key=number.__getitem__)), tuple(order)


def _event(told: Any, where: str) -> Event:
    if not isinstance(told, dict) or not {"label", "start", "end"} <= told.keys():
        raise malformed(where, "events with label, start and end", told)
    start, end = told["start"], told["end"]
    if not (_is_time(start) and _is_time(end) and start <= end):
        raise malformed(where, "start and end in ms from 0, in this order", [start, end])
    return Event(str(told["label"]), float(start), float(end))


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < _LONGEST
