"""What is kept of the test clips, beside a record: enough to judge, compare and look again.

`<protocol>.npz` beside `<protocol>.json`: compressed, the same bytes for the same content, and
read without executing anything. Tables need the record alone; paired tests, confusions and the
hardest clips are made from this, without running the encoder again.
"""

import io
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.errors import UserError

NEIGHBOURS = 5  # of each test clip that are kept
_DAMAGE = (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)


def _nowhere() -> np.ndarray:
    return np.zeros((0, 2), np.int16)


def _nobody() -> np.ndarray:
    return np.zeros((0, 0), str)


@dataclass(frozen=True)
class Predictions:
    """The test clips of all folds, fold after fold, judged by their classes.

    Attributes:
        ids: (n,) str, clip names.
        folds: (n,) str, the fold in which the clip was tested.
        targets: (n,) int64 class, or (n, classes) bool when multilabel.
        scores: (n, classes) float32; the first largest is the predicted class.
        classes: (classes,) str.
        plane: (n, 2) int16, where the clips' embeddings lie on their first two principal
            components, in thousandths of the farthest; (0, 2) if that was not kept.
        neighbours: (n, up to 5) str, the clips nearest to each, nearest first; (0, 0) of a
            protocol that looks at no neighbours.
        neighbour_labels: the same shape, their labels, joined by "; ".
    """

    ids: np.ndarray
    folds: np.ndarray
    targets: np.ndarray
    scores: np.ndarray
    classes: np.ndarray
    plane: np.ndarray = field(default_factory=_nowhere)
    neighbours: np.ndarray = field(default_factory=_nobody)
    neighbour_labels: np.ndarray = field(default_factory=_nobody)


@dataclass(frozen=True)
class Detections:
    """The test clips of all folds, fold after fold, judged by their events.

    Attributes:
        ids: (n,) str, clip names.
        folds: (n,) str, the fold in which the clip was tested.
        classes: (classes,) str.
        happened: (E, 4) float64, the events of the reference: the clip's position among
            `ids`, the class, start and end in ms.
        found: likewise, those that were found.
    """

    ids: np.ndarray
    folds: np.ndarray
    classes: np.ndarray
    happened: np.ndarray
    found: np.ndarray


def beside(file: Path) -> Path:
    """Where the predictions of the record `file` lie."""
    return file.with_suffix(".npz")


def render(predictions: Predictions | Detections) -> bytes:
    """The bytes of a file of predictions."""
    archive = io.BytesIO()
    np.savez_compressed(archive, **vars(predictions))
    return archive.getvalue()


def read(file: Path) -> Predictions | Detections:
    """Read the predictions beside the record `file`.

    Raises:
        UserError: there are none, or they are damaged.
    """
    try:
        archive = np.load(io.BytesIO(beside(file).read_bytes()), allow_pickle=False)
        kind = Detections if "found" in archive.files else Predictions
        return kind(**{name: archive[name] for name in archive.files})
    except _DAMAGE as error:
        raise UserError(
            f"{beside(file)}: expected the predictions of the record beside it, could not read "
            f"them ({error}); run the task again"
        ) from None
