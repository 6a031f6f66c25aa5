"""Predictions are read back only with the record that they give the score of."""

from pathlib import Path

import pytest

from harness import judged, predictions, results
from harness.errors import UserError
from harness.results import render
from tests.harness import synthetic_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shares, rankings, several labels, and events."""
    names = ["esc10", "hear-beehive-states-fold0", "hear-fsd50k", "hear-maestro-5h"]
    return synthetic_results.write(tmp_path_factory.mktemp("made"), {"base": 0.7}, names)


def test_their_score_is_the_record_s(folder: Path) -> None:
    for file in sorted(folder.glob("*/*/*.json")):
        record = results.read(file)
        kept = judged.read(file, record)
        assert judged.score(record["task"]["metric"], kept) == pytest.approx(record["score"])
        assert len(kept.ids) == sum(record["n"]["test"])


@pytest.mark.parametrize("moved", [0.01, -0.01, None])
def test_a_record_that_tells_another_score_is_refused(
    folder: Path, moved: float | None, tmp_path: Path
) -> None:
    file = folder / "base" / "hear-maestro-5h" / "hear2021.json"
    record = results.read(file)
    told = None if moved is None else record["score"] + moved
    edited = tmp_path / file.name
    edited.write_bytes(render({**record, "score": told}))
    predictions.beside(edited).write_bytes(predictions.beside(file).read_bytes())
    with pytest.raises(UserError, match=r"expected predictions of the score .* run the task again"):
        judged.read(edited, results.read(edited))


def test_an_undefined_score_is_that_of_predictions_without_one(folder: Path) -> None:
    file = folder / "base" / "hear-beehive-states-fold0" / "hear2021.json"
    record, kept = results.read(file), predictions.read(file)
    kept.targets[:] = 0  # nothing to rank above anything
    undefined = {**record, "score": None}
    predictions.beside(file).write_bytes(predictions.render(kept))
    assert judged.read(file, undefined).ids.tolist() == kept.ids.tolist()
    with pytest.raises(UserError, match="found those of nan"):
        judged.read(file, record)
