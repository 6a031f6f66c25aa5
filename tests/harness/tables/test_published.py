"""Published tables: read as they stand, found beside the records or in the checkout."""

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.tables import published
from harness.targets import ALIASES
from tests.harness.records import make_record

RESULTS = Path(__file__).parents[3] / "results"
KNN = published.read(RESULTS / "published" / "knn.csv")


HEAR = published.read(RESULTS / "published" / "hear2021.csv")


def write(folder: Path, text: str, protocol: str = "knn") -> Path:
    (folder / "published").mkdir(parents=True)
    file = folder / "published" / f"{protocol}.csv"
    file.write_text(text)
    return file


def test_the_published_knn_table() -> None:
    scores = {row.title: row.scores for row in KNN.rows}
    assert KNN.columns[:2] == ("esc50", "fsdkaggle18")
    assert len(KNN.columns) == len(KNN.rows) == 9
    assert scores["Dasheng-Base"]["esc50"] == "61.9"
    assert scores["Dasheng-1.2B"]["fsc"] == "62.38"
    assert [
        (row.title, task) for row in KNN.rows for task in KNN.columns if not row.scores[task]
    ] == [("WavLM-Large", "nsynth")]
    assert KNN.sources[0] == "https://arxiv.org/abs/2406.06992"
    ours = {"tiny", "random"}
    assert {row.model for row in (*KNN.rows, *HEAR.rows)} == set(ALIASES) - ours


def test_the_published_hear_averages() -> None:
    printed = {row.title: (row.parameters, *row.scores.values()) for row in HEAR.rows}
    assert HEAR.columns == ("environment", "speech", "music")
    assert len(printed) == 8
    assert printed["Dasheng-Base"] == ("86", "80.2", "72.5", "84.0")
    assert printed["Dasheng-1.2B"] == ("1200", "83.2", "75.7", "84.9")
    assert printed["Data2Vec-Audio-Large"] == ("300", "41.1", "60.5", "55.0")
    both = {row.title: row.model for row in KNN.rows}
    assert all(row.model == both.get(row.title, row.model) for row in HEAR.rows)


def test_averages_concern_the_tasks_that_they_are_over(tmp_path: Path) -> None:
    hear = {"protocol__name": "hear2021"}
    assert published.beside([make_record(task__name="hear-esc50", **hear)], tmp_path) == [HEAR]
    beehive = make_record(task__name="hear-beehive-states-fold0", **hear)
    assert published.beside([beehive], tmp_path) == [HEAR]
    assert published.beside([make_record(task__name="bells", **hear)], tmp_path) == []
    strict = make_record(task__name="hear-esc50", protocol__name="hear2021-strict")
    assert published.beside([strict], tmp_path) == []


def test_averages_are_of_the_suites_domains(tmp_path: Path) -> None:
    file = write(tmp_path, "title,model,collapsed,music,esc50\nA,,,1,2\n", "hear2021")
    with pytest.raises(UserError, match="domains environment, speech, music, found music, esc50"):
        published.read(file)


def test_collapsed_baselines_are_marked() -> None:
    collapsed = {row.title: row.collapsed for row in KNN.rows if row.collapsed}
    assert collapsed == {"MSM-MAE": set(KNN.columns), "MelSpec": {"spc1", "spc2"}}
    # A model that collapsed answers one class: no score of it is above another's.
    for row in KNN.rows:
        for task in row.collapsed:
            assert float(row.scores[task]) <= min(
                float(other.scores[task]) for other in KNN.rows if other.scores[task]
            )


def test_a_results_folder_shows_its_own_tables_else_what_concerns_it(tmp_path: Path) -> None:
    fsdd, esc50 = make_record(task__name="fsdd"), make_record()
    assert published.beside([fsdd], tmp_path) == []
    assert published.beside([make_record(protocol__name="linear")], tmp_path) == []
    assert published.beside([fsdd, esc50], tmp_path) == [KNN]
    write(tmp_path, "title,model,collapsed,esc50\nA,,,1.5\n")
    (own,) = published.beside([fsdd], tmp_path)
    assert (own.columns, own.rows[0].scores) == (("esc50",), {"esc50": "1.5"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found none"),
        ("model,esc50\nbase,1\n", "expected columns title, model, collapsed"),
        ("title,model,collapsed,esc50\nA,,,much\n", "found A, , , much"),
        ("title,model,collapsed,esc50,fsc\nA,,,1\n", "2 numbers in each row"),
        ("title,model,collapsed,esc50\nA,,,1,2\n", "1 numbers in each row"),
        ("title,model,collapsed,parameters,esc50\nA,,,many,2\n", "found A, , , many, 2"),
    ],
)
def test_what_is_no_table_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as raised:
        published.read(write(tmp_path, text))
    assert "\n" not in str(raised.value)
