"""Makes records by hand for tests of what reads them."""

import copy
from typing import Any

_RECORD: dict[str, Any] = {
    "schema": 3,
    "model": {
        "name": "base",
        "spec": "base",
        "weights_sha256": "ab" * 32,
        "canary": ["1.00e-01"] * 4,
        "parameters": 86_000_000,
        "sample_rate": 16000,
        "embedding_size": 768,
    },
    "task": {
        "name": "esc50",
        "version": 1,
        "title": "ESC-50",
        "domain": "environment",
        "data_sha256": "cd" * 32,
        "source": "official archive",
        "metric": "accuracy",
        "higher_is_better": True,
        "synthetic": False,
    },
    "protocol": {"name": "knn", "version": 1, "params": {"k": 10}},
    "selection": None,
    "score": 0.619,
    "scores": {
        "per_fold": [0.6, 0.638],
        "std": 0.027,
        "ci95": [0.6, 0.64],
        "floor": 0.02,
        "collapsed": None,
    },
    "n": {
        "train": [1600, 1600],
        "valid": [0, 0],
        "test": [1000, 1000],
        "expected_test": 2000,
        "classes": 50,
        "skipped": 0,
        "padded": 0,
        "resampled": 0,
        "limit": None,
    },
    "run": {
        "seed": 0,
        "date_utc": "2026-01-01T00:00:00+00:00",
        "git_sha": None,
        "dirty": None,
        "device": "cpu",
        "precision": "float32",
        "versions": {},
        "seconds": {"prepare": 0.1, "embed": 1.0, "fit": 0.1},
        "audio_seconds": 10000.0,
        "embedded_seconds": 10000.0,
        "peak_bytes": {"process": 1_000_000_000, "device": None},
    },
}


def make_record(**changes: Any) -> dict[str, Any]:
    """A valid record; `make_record(task__name="fsdd")` sets record["task"]["name"]."""
    record = copy.deepcopy(_RECORD)
    for field, value in changes.items():
        *path, last = field.split("__")
        place = record
        for part in path:
            place = place[part]
        place[last] = value
    return record
