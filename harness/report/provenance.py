"""Where a record comes from and what it cost: its fields in reading order, each with a label.

In four groups, because a group is the same for many records: that of the model for all its
tasks, that of the task for all models. Values are texts and numbers; None where a record has no
such field.
"""

from collections.abc import Mapping
from typing import Any

DIGEST = 12  # hexadecimal digits that tell files apart
SHORTEST = 0.1  # s of embedding that say anything of a speed

LABELS: Mapping[str, tuple[str, ...]] = {
    "model": (
        *("name", "as typed", "weights (SHA-256)", "code (SHA-256)", "remote code executed"),
        *("parameters", "sample rate (Hz)", "embedding size"),
    ),
    "task": (
        *("name", "title", "version", "domain", "metric", "higher is better"),
        *("data (SHA-256)", "source", "synthetic", "classes", "test clips expected"),
    ),
    "protocol": ("name", "version", "parameters", "selected"),
    "run": (
        *("clips to train, by fold", "clips to validate, by fold", "clips to test, by fold"),
        *("limit", "clips skipped", "clips padded", "clips resampled", "collapsed", "seed"),
        *("date (UTC)", "commit", "uncommitted changes", "device", "precision", "versions"),
    ),
}


def of(record: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the values of each group, in the order of LABELS."""
    model, task, protocol = record["model"], record["task"], record["protocol"]
    n, run = record["n"], record["run"]
    return {
        "model": [
            *(model["name"], model["spec"], _digest(model["weights_sha256"])),
            *(_digest(model.get("code_sha256")), model.get("remote_code")),
            *(model["parameters"], model["sample_rate"], model["embedding_size"]),
        ],
        "task": [
            *(task["name"], task["title"], task["version"], task["domain"], task["metric"]),
            *(task["higher_is_better"], _digest(task["data_sha256"]), task["source"]),
            *(task["synthetic"], n["classes"], n["expected_test"]),
        ],
        "protocol": [
            *(protocol["name"], protocol["version"], _listed(protocol["params"])),
            _selected(record["selection"]),
        ],
        "run": [
            *(_by_fold(n["train"]), _by_fold(n["valid"]), _by_fold(n["test"])),
            *(n["limit"], n["skipped"], n["padded"], n["resampled"]),
            *(record["scores"]["collapsed"], run["seed"], run["date_utc"]),
            *(_digest(run["git_sha"]), run["dirty"], run["device"], run["precision"]),
            _listed(run["versions"]),
        ],
    }


def resources(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what measuring took.

    seconds: of preparing, embedding and fitting. audio_seconds: length of all clips.
    speed: seconds of audio embedded in a second, decoding included, without what came from the
    cache; None if all of it did, or if it took too short to tell. process_bytes, device_bytes:
    the most memory held so far by the process, which may have measured other tasks before, and
    by its part of a GPU, None without one.
    """
    run = record["run"]
    embed, embedded = run["seconds"]["embed"], run["embedded_seconds"]
    return {
        "seconds": {name: _three_digits(value) for name, value in run["seconds"].items()},
        "audio_seconds": round(run["audio_seconds"]),
        "speed": _three_digits(embedded / embed) if embedded and embed >= SHORTEST else None,
        "process_bytes": run["peak_bytes"]["process"],
        "device_bytes": run["peak_bytes"]["device"],
    }


def _digest(digest: str | None) -> str | None:
    return None if digest is None else digest[:DIGEST]


def _by_fold(counts: list[int]) -> str:
    """`240 × 5`, or each fold's where they differ."""
    if len(counts) > 1 and len(set(counts)) == 1:
        return f"{counts[0]} × {len(counts)}"
    return ", ".join(map(str, counts))


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in sorted(values.items()))


def _selected(selection: Mapping[str, Any] | None) -> str | None:
    if selection is None:
        return None
    return f"on {selection['on']}: " + "; ".join(_text(choice) for choice in selection["chosen"])


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return _listed(value)
    if isinstance(value, list | tuple):
        texts = any(isinstance(inner, str) for inner in value)
        return ("; " if texts else " ").join(map(_text, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")
