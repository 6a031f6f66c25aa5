"""Outcome → record: the scores, and what a reader needs to trust them."""

import datetime
import functools
import hashlib
import importlib.metadata
import platform
import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from harness import metrics, scoring
from harness.embed import Embeddings
from harness.encoder import EXTRA, Encoder
from harness.problem import Moments, Outcome, Problem, Protocol
from harness.results import SCHEMA_VERSION
from harness.targets import resolve
from tasks.prepare import Index

_PACKAGES = (
    *("dasheng", "torch", "torchaudio", "numpy", "scipy", "scikit-learn", "faiss-cpu"),
    *("soundfile", "soxr"),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run was asked for, and how long it took."""

    seed: int
    precision: str
    limit: int | None
    prepare_seconds: float
    fit_seconds: float


def build(
    encoder: Encoder,
    index: Index,
    embeddings: Embeddings,
    problem: Problem,
    protocol: Protocol,
    outcome: Outcome,
    run: Run,
) -> dict[str, Any]:
    """The record of one (encoder, task, protocol), as `harness.results.SCHEMA` describes it."""
    task = index.task
    measured = index.clips.iloc[embeddings.kept]
    scores = scoring.score(problem, outcome, task.further_metrics)
    own = scores.per_fold[problem.metric]
    with np.errstate(invalid="ignore"):  # d′ may be infinite
        mean = {metric: float(np.mean(values)) for metric, values in scores.per_fold.items()}
        spread = float(np.std(own, ddof=1)) if len(own) > 1 else None
    return {
        "schema": SCHEMA_VERSION,
        "model": {
            "name": encoder.name,
            "spec": _spec(encoder),
            "weights_sha256": encoder.weights_sha256,
            **({"code_sha256": encoder.code_sha256} if encoder.code_sha256 else {}),
            "canary": list(encoder.canary),
            "parameters": encoder.parameters,
            "sample_rate": encoder.sample_rate,
            "embedding_size": encoder.embedding_size,
            **({"remote_code": True} if encoder.remote_code else {}),
        },
        "task": {
            "name": task.name,
            "version": task.version,
            "title": task.title,
            "domain": task.domain,
            "data_sha256": index.data_sha256,
            "source": index.source,
            "metric": task.metric,
            "higher_is_better": metrics.higher_is_better(task.metric),
            "synthetic": task.synthetic,
            **({"evaluation": dict(task.evaluation)} if task.evaluation else {}),
        },
        "protocol": {
            "name": protocol.name,
            "version": protocol.version,
            "params": dict(protocol.params),
        },
        "selection": outcome.selection,
        "score": mean[problem.metric],
        "scores": {
            **mean,
            **outcome.extra,
            "per_fold": own,
            "std": spread,
            "ci95": list(scores.ci95),
            "floor": scores.floor,
            "collapsed": collapsed(embeddings, index),
        },
        "n": {
            "train": [len(fold.train) for fold in problem.folds],
            "valid": [len(fold.valid) for fold in problem.folds],
            "test": [len(fold.test) for fold in problem.folds],
            "expected_test": _expected_test(index),
            "classes": problem.classes,
            "skipped": len(embeddings.skipped),
            "padded": embeddings.padded,
            "resampled": int((measured["sample_rate"] != encoder.sample_rate).sum()),
            "limit": run.limit,
            **({} if problem.moments is None else _eventful(measured, problem.moments)),
        },
        "run": {
            "seed": run.seed,
            "date_utc": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            **_git(),
            "device": str(encoder.device),
            "precision": run.precision,
            "versions": _versions(),
            "seconds": {
                "prepare": run.prepare_seconds,
                "embed": embeddings.seconds,
                "fit": run.fit_seconds,
            },
            "audio_seconds": embeddings.audio_seconds,
            "embedded_seconds": embeddings.computed_seconds,
            "peak_bytes": _peak_bytes(encoder),
        },
    }


def collapsed(embeddings: Embeddings, index: Index) -> str | None:
    """Names embeddings that cannot tell clips apart, which a score alone would hide.

    "constant": the clips' embeddings differ by less than 1e-6 of their size.
    "duplicate": over 1 % of the clips have the embedding of an earlier one with other audio.
    Moments may well be equal, as those of silence are.
    """
    values = embeddings.values
    low, high = values.min(axis=0), values.max(axis=0)
    if (high - low).max() <= 1e-6 * max(high.max(), -low.min()):
        return "constant"
    if index.task.timestamps:
        return None
    audio = index.clips["sha256"].to_numpy()[embeddings.kept]
    digests = (hashlib.sha256(row).digest() for row in np.ascontiguousarray(values))
    pairs = set(zip(digests, audio, strict=True))
    shared = len(pairs) - len({digest for digest, _ in pairs})
    return "duplicate" if shared > 0.01 * len(pairs) else None


def _spec(encoder: Encoder) -> str:
    """What the user typed; of a file or folder of theirs, whose folder it lay in is no matter."""
    own = resolve(encoder.spec).path is not None
    return re.sub(r"[^:]*/(?=[^/#])", "", encoder.spec) if own else encoder.spec


def _expected_test(index: Index) -> int:
    """Clips to test on: the official number, or what the data set itself lists."""
    splits = index.clips["split"]
    expected = index.task.expected or splits.value_counts().to_dict()
    return int(expected["test"] if "test" in expected else sum(expected.values()))


def _eventful(measured: pd.DataFrame, moments: Moments) -> dict[str, int]:
    """Counts of what clips judged by events are made of; `measured` are those embedded.

    "past_end": events that end after their clip does; they count as they stand, as in
    heareval, though what is past the end cannot be found.
    """
    lengths = 1000 * measured["frames"] / measured["sample_rate"]
    past = (
        event.end > length
        for events, length in zip(measured["events"], lengths, strict=True)
        for event in events
    )
    return {
        "moments": len(moments.times),
        "events": len(moments.events),
        "past_end": sum(past),
    }


def _peak_bytes(encoder: Encoder) -> dict[str, int | None]:
    """The most memory that this process, and its part of a GPU, have held so far."""
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return {
        "process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "device": (
            torch.cuda.max_memory_allocated(encoder.device)
            if encoder.device.type == "cuda"
            else None
        ),
    }


def _versions() -> dict[str, str]:
    used = [name for name in EXTRA if name in sys.modules]
    packages = (*_PACKAGES, *used)
    return {"python": platform.python_version()} | {name: _version(name) for name in packages}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # another build, as conda's faiss
        return "not installed under this name"


@functools.cache
def _git() -> dict[str, Any]:
    """The commit of the code that runs, where it runs from a git checkout."""
    folder = Path(__file__).parent

    def ask(*arguments: str) -> str | None:
        try:
            answer = subprocess.run(
                ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return answer.stdout.strip()

    # A site-packages folder inside somebody's own repository is not our commit.
    if ask("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return {"git_sha": None, "dirty": None}
    return {
        "git_sha": ask("rev-parse", "HEAD"),
        "dirty": bool(ask("status", "--porcelain", "--untracked-files=no")),
    }
