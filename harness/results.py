"""Records: what was measured, on what, by what, as JSON that reads the same every time.

A record is `results/<model>/<task>/<protocol>.json`: sorted keys, raw numbers, a
trailing newline. The same code, weights, data and seed give the same bytes on one
machine except under `run`; another one may round otherwise. The test clips'
predictions lie beside it in `<protocol>.npz`.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import predictions
from harness.errors import UserError
from harness.files import write_atomically
from harness.predictions import Detections, Predictions

Record = Mapping[str, Any]
SCHEMA_VERSION = 3
_NAME = re.compile(r"[\w.+-]+")  # of a model, task or protocol: safe in a file name and in a page
_NAMED = ("model", "task", "protocol")

# Every field a record must have, with the types it may take; one with a "?" it may lack.
SCHEMA: Mapping[str, Any] = {
    "schema": int,
    "model": {
        "name": str,
        "spec": str,
        "weights_sha256": str,
        "code_sha256?": str,  # where the code is not this project's own
        "canary": list,
        "parameters": int,
        "sample_rate": int,
        "embedding_size": int,
        "remote_code?": bool,  # where code that came with the weights was executed
    },
    "task": {
        "name": str,
        "version": int,
        "title": str,
        "domain": str,
        "data_sha256": str,
        "source": str,
        "metric": str,
        "higher_is_better": bool,
        "synthetic": bool,
    },
    "protocol": {"name": str, "version": int, "params": dict},
    "selection": (dict, type(None)),
    "score": (float, type(None)),
    "scores": {
        "per_fold": list,
        "std": (float, type(None)),
        "ci95": list,
        "floor": (float, type(None)),
        "collapsed": (str, type(None)),
    },
    "n": {
        "train": list,
        "valid": list,
        "test": list,
        "expected_test": int,
        "classes": int,
        "skipped": int,
        "padded": int,
        "resampled": int,
        "limit": (int, type(None)),
    },
    "run": {
        "seed": int,
        "date_utc": str,
        "git_sha": (str, type(None)),
        "dirty": (bool, type(None)),
        "device": str,
        "precision": str,
        "versions": dict,
        "seconds": dict,
        "audio_seconds": float,
        "embedded_seconds": float,
        "peak_bytes": dict,
    },
}


def path(results: Path, model: str, task: str, protocol: str) -> Path:
    """Where a record lies."""
    return results / model / task / f"{protocol}.json"


def write(record: Mapping[str, Any], tested: Predictions | Detections, results: Path) -> Path:
    """Write a record and its predictions; the record last, so that it never stands alone.

    Raises:
        OSError: `results` cannot be written.
    """
    validate(record, "the new record")
    target = path(
        results, record["model"]["name"], record["task"]["name"], record["protocol"]["name"]
    )
    write_atomically(predictions.beside(target), predictions.render(tested))
    write_atomically(target, render(record))
    return target


def render(record: Mapping[str, Any]) -> bytes:
    """The bytes of a record's file."""
    text = json.dumps(_finite(record), sort_keys=True, indent=2, allow_nan=False)
    return (text + "\n").encode()


def read(file: Path) -> dict[str, Any]:
    """Read and check a record.

    Raises:
        UserError: the file is no record of this schema.
    """
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: expected a record in JSON, could not read it ({error})") from None
    validate(record, str(file))
    return record


def read_all(results: Path) -> Iterator[dict[str, Any]]:
    """Every record under a results folder, sorted by model, task and protocol.

    Raises:
        UserError: a file is no record, or that of another place: a copy, a folder renamed.
    """
    for file in sorted(results.glob("*/*/*.json")):
        record = read(file)
        names = [record[part]["name"] for part in _NAMED]
        if path(results, *names) != file:
            raise UserError(
                f"{file}: expected the record of the model, task and protocol that its path "
                f"names, found that of {' '.join(names)}; move it back or away"
            )
        yield record


def is_partial(record: Mapping[str, Any]) -> bool:
    """Whether fewer clips were measured than the task officially has."""
    n = record["n"]
    return n["limit"] is not None or n["skipped"] > 0 or sum(n["test"]) < n["expected_test"]


def require_one_version(records: Iterable[Mapping[str, Any]]) -> None:
    """Raise UserError if a task or protocol comes in two versions, whose scores do not compare."""
    versions: dict[str, set[int]] = {}
    for record in records:
        for part in ("protocol", "task"):
            name = f"{part} {record[part]['name']}"
            versions.setdefault(name, set()).add(record[part]["version"])
    for name, found in versions.items():
        if len(found) > 1:
            raise UserError(
                f"expected one version of the {name} side by side, found {sorted(found)}; "
                "run the older ones again"
            )


def validate(record: Any, name: str) -> None:
    """Check a record's fields, their types and the names among them.

    Raises:
        UserError: tells the first field that is missing, of another type or no such name.
    """
    _check(record, SCHEMA, name, "")
    for part in _NAMED:
        if not _NAME.fullmatch(record[part]["name"]):
            raise UserError(
                f"{name}: expected {part}.name to be of letters, digits and _.+-, found "
                f"{record[part]['name']!a}"
            )
    if record["schema"] != SCHEMA_VERSION:
        raise UserError(
            f"{name}: expected schema {SCHEMA_VERSION}, found {record['schema']}; "
            "run the task again"
        )


def _check(value: Any, expected: Any, name: str, field: str) -> None:
    if isinstance(expected, Mapping):
        if not isinstance(value, Mapping):
            raise UserError(f"{name}: expected an object at {field or 'the top'}, found {value!r}")
        for promised, inner in expected.items():
            key = promised.removesuffix("?")
            where = f"{field}.{key}" if field else key
            if key not in value:
                if promised != key:
                    continue
                raise UserError(f"{name}: expected the field {where}, found none")
            _check(value[key], inner, name, where)
    elif not isinstance(value, expected):
        raise UserError(f"{name}: expected {field} to be {_names(expected)}, found {value!r}")


def _names(expected: Any) -> str:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    return " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: an undefined score (d′ at AUC 1) is null."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
