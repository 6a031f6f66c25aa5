"""A setting's value, as its type says: from what a YAML file holds or a person typed.

Types are those of a dataclass's fields: bool, int, float, str, dict, None-able ones, and tuples.
"""

from __future__ import annotations

import difflib
import math
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tasks.errors import UserError

_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}
_NONE = {"null", "none", "~", ""}

T = TypeVar("T")


def build(kind: type[T], settings: Mapping[str, Any], within: str = "") -> T:
    """A dataclass from its fields' values by name.

    Args:
        kind: the dataclass; values are read as its types.
        settings: as in a file; what is left out has the default.
        within: what the settings are a part of, for the message: "model_args.".

    Raises:
        UserError: names an unknown or missing setting, or one with a value of the wrong type.
    """
    hints = get_type_hints(kind)
    required = []
    known = {}
    for field in fields(kind):  # type: ignore[arg-type]
        known[field.name] = hints[field.name]
        if field.default is MISSING and field.default_factory is MISSING:
            required.append(field.name)
    for name in settings:
        if name not in known:
            raise unknown(f"{within}{name}", [within + key for key in known])
    for name in required:
        if name not in settings:
            raise UserError(f"expected {within}{name}, found nothing; add it to the configuration")
    return kind(**{name: value_of(x, known[name], within + name) for name, x in settings.items()})


def unknown(name: str, known: Iterable[str]) -> UserError:
    """The error of a name that is not known: with the nearest one that is."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
    return UserError(f"unknown setting {name}: {hint}")


def value_of(found: Any, kind: Any, name: str) -> Any:
    """What was found, as a value of the type; numbers may be given as text.

    Raises:
        UserError: it is of another type: names the setting.
    """
    if kind is Any:
        return found
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(found, kind, name)
    if origin is tuple:
        return _tuple(found, kind, name)
    read = _PLAIN[origin or kind](found)
    if read is None:
        raise UserError(f"expected {name} to be {describe(kind)}, found {found!r}")
    return read


def typed(text: str, kind: Any, name: str) -> Any:
    """What a person typed after an option, as a value of the type.

    Raises:
        UserError: it cannot be read as one.
    """
    if types.NoneType in get_args(kind):
        if text.lower() in _NONE:
            return None
        kind = Union[tuple(part for part in get_args(kind) if part is not types.NoneType)]  # noqa: UP007
    return value_of(text, kind, name)


def describe(kind: Any) -> str:
    """A type in a person's words."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if part is types.NoneType else describe(part) for part in parts)
    if origin is tuple and parts[-1] is Ellipsis:
        return f"list of {describe(parts[0])}"
    if origin is tuple:
        return "[" + ", ".join(map(describe, parts)) + "]"
    return _NAMES[origin or kind]


def split(text: str) -> list[str]:
    """Parts of a comma-separated list; commas within braces do not separate."""
    parts = re.findall(r"(?:\{[^{}]*\}|[^,])+", text.strip().removeprefix("[").removesuffix("]"))
    return [part.strip() for part in parts if part.strip()]


def _one_of(found: Any, kind: Any, name: str) -> Any:
    kinds = get_args(kind)
    if found is None and types.NoneType in kinds:
        return None
    for part in kinds:
        if part is types.NoneType:
            continue
        try:
            return value_of(found, part, name)
        except UserError:
            continue
    raise UserError(f"expected {name} to be {describe(kind)}, found {found!r}")


def _tuple(found: Any, kind: Any, name: str) -> tuple[Any, ...]:
    parts = get_args(kind)
    members = split(found) if isinstance(found, str) else [] if found is None else found
    if isinstance(members, list | tuple):
        if parts[-1] is Ellipsis:
            return tuple(value_of(member, parts[0], name) for member in members)
        if len(members) == len(parts):
            pairs = zip(members, parts, strict=True)
            return tuple(value_of(member, part, name) for member, part in pairs)
    raise UserError(f"expected {name} to be {describe(kind)}, found {found!r}")


def _bool(found: Any) -> bool | None:
    if isinstance(found, str):
        word = found.lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return found if isinstance(found, bool) else None


def _int(found: Any) -> int | None:
    if isinstance(found, str) and re.fullmatch(r"[+-]?\d+", found):
        return int(found)  # through float a large number would lose its last digits
    number = _float(found)
    if number is None or not number.is_integer():
        return None
    return int(number) if isinstance(found, str) else int(found)


def _float(found: Any) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _str(found: Any) -> str | None:
    return found if isinstance(found, str) else None


def _dict(found: Any) -> dict[str, Any] | None:
    if found is None:
        return {}
    named = isinstance(found, Mapping) and all(isinstance(key, str) for key in found)
    return dict(found) if named else None


_PLAIN = {bool: _bool, int: _int, float: _float, str: _str, dict: _dict}
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"} | {
    dict: "settings by name"
}
