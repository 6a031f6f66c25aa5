"""What two records say of the same measurement, beside its score, and do not agree in.

Other data, another protocol or other counts make two scores incomparable, and a gate that compares
them says nothing. Other weights are what a gate is for; other versions of packages are told, since
they may be what moved a score.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from harness.gate.folder import Record

_STRICT = ("task", "protocol", "n")  # as they were, or the scores are of something else
_TOLD = ("model", "selection")
_TOLD_OF_RUN = ("seed", "device", "precision", "versions")
_LONGEST = 60  # characters of a value that are shown
_NONE = object()


class Difference(NamedTuple):
    """A field that differs, its path dotted, and both values as text.

    strict: whether the scores cannot be compared because of it.
    """

    field: str
    old: str
    new: str
    strict: bool

    def __str__(self) -> str:
        return f"{self.field}: {self.old} → {self.new}"


def differences(old: Record, new: Record) -> list[Difference]:
    """The fields that differ, strict ones first, by name."""
    before, after = _facts(old), _facts(new)
    found = [
        Difference(
            field, *_shown(before.get(field, _NONE), after.get(field, _NONE)), _strict(field)
        )
        for field in before.keys() | after.keys()
        if before.get(field, _NONE) != after.get(field, _NONE)
    ]
    return sorted(found, key=lambda one: (not one.strict, one.field))


def _strict(field: str) -> bool:
    # A record that lies under another model's name is no measurement of this one.
    return field == "model.name" or field.partition(".")[0] in _STRICT


def _facts(record: Record) -> dict[str, Any]:
    """Path → value of all that is compared; lists are values."""
    parts = {part: record[part] for part in (*_STRICT, *_TOLD)}
    parts["run"] = {field: record["run"][field] for field in _TOLD_OF_RUN}
    return _flat(parts, "")


def _flat(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {path: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{path}.{key}" if path else key)
    return found


def _shown(old: Any, new: Any) -> tuple[str, str]:
    return _text(old), _text(new)


def _text(value: Any) -> str:
    if value is _NONE:
        return "not there"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value) == 64:
        return f"{text[:12]}…"  # a checksum
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
