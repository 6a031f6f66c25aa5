"""task_metadata.json: what a HEAR task directory says of itself.

hear-preprocess leaves a task's configuration there (hearpreprocess/pipeline.py, FinalCombine).
Read are the keys that HEAR's evaluation goes by (heareval, task_embeddings.py and
task_predictions.py); the others tell how the audio was made.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tasks.archive import Tree
from tasks.errors import UserError

FILE = "task_metadata.json"

_FOLDS = ("new_split_kfold", "presplit_kfold")
_RANKED = {"mAP": "mAP", "d_prime": "d_prime", "aucroc": "auc_roc"}
# HEAR's names of scores → ours, by what is embedded and what is predicted.
_METRICS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("scene", "multiclass"): {
        "top1_acc": "accuracy",
        "pitch_acc": "accuracy",
        "chroma_acc": "chroma_accuracy",
        **_RANKED,
    },
    ("scene", "multilabel"): {"top1_acc": "top1_acc", **_RANKED},
    ("event", "multilabel"): {
        name: name
        for name in (
            "event_onset_200ms_fms",
            "event_onset_50ms_fms",
            "event_onset_offset_50ms_20perc_fms",
            "segment_1s_er",
        )
    },
}
_SCORING = "use_scoring_for_early_stopping"
_GRIDS = ("task_specific_param_grid", "event_postprocessing_grid")


class Kind(NamedTuple):
    """Which task a directory holds, and of what kind, in HEAR's words.

    `directory` is HEAR's name for it, {task_name}-{version}-{mode}; `embedding_type` is scene
    or event, `prediction_type` multiclass or multilabel.
    """

    directory: str
    embedding_type: str
    prediction_type: str

    @property
    def timestamps(self) -> bool:
        """Whether it is judged by its events."""
        return self.embedding_type == "event"

    @property
    def multilabel(self) -> bool:
        """Whether a clip may have several labels or none."""
        return self.prediction_type == "multilabel"

    @property
    def metrics(self) -> Mapping[str, str]:
        """The scores that it can be given: HEAR's names → those of this project."""
        return _METRICS[self.embedding_type, self.prediction_type]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What is read of a task_metadata.json; `metrics` and `evaluation` as in `tasks.spec.Task`."""

    task_name: str
    kind: Kind
    splits: tuple[str, ...]
    metrics: tuple[str, ...]
    evaluation: Mapping[str, Any]


def read(tree: Tree, name: str) -> Metadata:
    """Read the file called `name`. Raises UserError if it is not as HEAR's evaluation wants it."""
    where = f"{tree.folder}/{name}"
    told = parse(tree, name)
    kind = Kind(
        "-".join(_text(told, key, where) for key in ("task_name", "version", "mode")),
        _text(told, "embedding_type", where, among=("scene", "event")),
        _text(told, "prediction_type", where, among=("multiclass", "multilabel")),
    )
    if kind[1:] not in _METRICS:
        raise malformed(where, "events to be multilabel", kind.prediction_type)
    wanted = _texts(told, "evaluation", where)
    unknown = [score for score in wanted if score not in kind.metrics]
    if unknown:
        raise malformed(where, f"evaluation by {', '.join(kind.metrics)}", unknown[0])
    return Metadata(
        task_name=told["task_name"],
        kind=kind,
        splits=_splits(told, where),
        metrics=tuple(dict.fromkeys(kind.metrics[score] for score in wanted)),
        evaluation=_evaluation(told, where),
    )


def parse(tree: Tree, name: str) -> dict[str, Any]:
    """Return the JSON object in the file called `name`. Raises UserError if there is none."""
    where = f"{tree.folder}/{name}"
    try:
        told = json.loads(tree.read(name))
    except KeyError:
        raise malformed(where, "a file", "none") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = "endless nesting" if isinstance(error, RecursionError) else str(error)
        raise malformed(where, "JSON", " ".join(reason.split())) from error
    if not isinstance(told, dict):
        raise malformed(where, "a JSON object", told)
    return told


def malformed(where: str, expected: str, found: object) -> UserError:
    """Return the error that tells, in one line, what is wrong with a file of a HEAR task."""
    shown = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return UserError(
        f"{where}: expected {expected}, found {' '.join(shown.split())[:99]}; mend the file or "
        "restore the original"
    )


def _text(told: Mapping[str, Any], key: str, where: str, among: Sequence[str] = ()) -> str:
    value = told.get(key)
    if not isinstance(value, str) or not value or (among and value not in among):
        raise malformed(where, f"{key} to be {' or '.join(among) or 'a text'}", value)
    return value


def _texts(told: Mapping[str, Any], key: str, where: str) -> list[str]:
    values = told.get(key)
    texts = isinstance(values, list) and all(isinstance(value, str) for value in values)
    if not texts or not values or len(set(values)) < len(values):
        raise malformed(where, f"{key} to be a list of different texts", values)
    return values


def _splits(told: Mapping[str, Any], where: str) -> tuple[str, ...]:
    mode = _text(told, "split_mode", where, among=("trainvaltest", *_FOLDS))
    splits = _texts(told, "splits", where)
    if mode == "trainvaltest":
        if set(splits) != {"train", "valid", "test"}:
            raise malformed(where, "the splits train, valid and test", splits)
    elif len(splits) < 2 or not all(split.startswith("fold") for split in splits):
        raise malformed(where, "splits called fold00, fold01 and so on", splits)
    return tuple(splits)


def _evaluation(told: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what the data set's own evaluation prescribes."""
    found: dict[str, Any] = {}
    if _SCORING in told:
        if not isinstance(told[_SCORING], bool):
            raise malformed(where, f"{_SCORING} to be true or false", told[_SCORING])
        found[_SCORING] = told[_SCORING]
    params = told.get("evaluation_params", {})
    if not isinstance(params, dict):
        raise malformed(where, "evaluation_params to be an object", params)
    for name in _GRIDS:
        if name in params:
            found[name] = _grid(params[name], name, where)
    return found


def _grid(told: Any, name: str, where: str) -> dict[str, list[Any]]:
    if isinstance(told, dict) and all(isinstance(v, list) and v for v in told.values()):
        return told
    raise malformed(where, f"{name} to be lists of values by name", told)
