"""Makes records of a few models and tasks for tests of pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.harness.records import make_record

HALF = 0.05  # of a score's interval
SIZES = {"melspec": 0, "tiny": 5_000_000, "base": 86_000_000, "0.6B": 600_000_000}


def records(
    scores: Mapping[str, Sequence[float | None]],
    tasks: Sequence[str] = ("esc50", "nsynth", "us8k", "vox1"),
    **changes: Any,
) -> list[dict[str, Any]]:
    """A record for each score of a model, on the tasks in their order; None: not measured."""
    return [
        make_record(
            model__name=model,
            model__parameters=SIZES.get(model, 86_000_000),
            task__name=task,
            score=score,
            scores__ci95=[score - HALF, score + HALF],
            scores__by_k={"1": score - 0.02, "10": score, "50": score - 0.01},
            **changes,
        )
        for model, each in scores.items()
        for task, score in zip(tasks, each, strict=True)
        if score is not None
    ]
