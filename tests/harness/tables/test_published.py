"""Published tables: read as they stand, found beside the records or in the checkout.

The numbers are held against two lists of the same facts made apart from these files, where they
lie beside the checkout: the README of Dasheng's authors and notes on the benchmarks.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import suites
from harness.errors import UserError
from harness.tables import published
from harness.targets import ALIASES
from tests.harness.records import make_record

RESULTS = Path(__file__).parents[3] / "results"
KNN = published.read(RESULTS / "published" / "knn.csv")
HEAR = published.read(RESULTS / "published" / "hear2021.csv")
HEAR_TASKS = published.read(RESULTS / "published" / "hear2021-tasks.csv")

# How the notes on the benchmarks name the tasks of HEAR.
TASKS = {
    "Beehive": "hear-beehive-states",
    "BeijingOp": "hear-beijing-opera",
    "CREMA-D": "hear-crema-d",
    "DCASE": "hear-dcase2016-task2",
    "ESC50": "hear-esc50",
    "FSD50K": "hear-fsd50k",
    "GTZAN": "hear-gtzan",
    "M/S": "hear-gtzan-music-speech",
    "Gunshot": "hear-gunshot",
    "LibriCount": "hear-libricount",
    "MAESTRO": "hear-maestro-5h",
    "MridS": "hear-mridangam-stroke",
    "MridT": "hear-mridangam-tonic",
    "NSynth50": "hear-nsynth-pitch-50h",
    "NSynth5": "hear-nsynth-pitch-5h",
    "SPC5h": "hear-speech-commands-5h",
    "SPCfull": "hear-speech-commands-full",
    "VocalIm": "hear-vocal-imitation",
    "VoxLingua": "hear-vox-lingua",
}


def rows(text: str, after: str) -> Iterator[list[str]]:
    """The cells of the first markdown table after some words, below its heads."""
    lines = text[text.index(after) :].splitlines()
    first = next(n for n, line in enumerate(lines) if re.match(r"\|[\s:|-]+\|$", line))
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            return
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line.replace("*", "")).replace("–", "")
        yield [cell.strip() for cell in plain.strip("|").split("|")]


def listed(text: str, pattern: str) -> dict[str, float]:
    """The scores of tasks that the notes list inside some words: "ESC-50 .561, CREMA-D .656"."""
    found = re.search(pattern, text)
    assert found
    pairs = (pair.rsplit(" ", 1) for pair in found[1].split(", "))
    return {TASKS[name.replace("ESC-50", "ESC50")]: float(score) for name, score in pairs}


def row_of(model: str) -> published.Row:
    return next(row for row in HEAR_TASKS.rows if row.model == model)


@pytest.fixture(scope="module")
def benchmarks(shared_data: Path) -> str:
    return (shared_data.parent / "BENCHMARKS.md").read_text()


@pytest.fixture(scope="module")
def authors(shared_data: Path) -> str:
    return (shared_data.parent / "OWNER_README.md").read_text()


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


def test_every_cell_is_that_of_the_authors_readme(authors: str) -> None:
    knn = [[row.title, *row.scores.values()] for row in KNN.rows]
    assert knn == list(rows(authors, "K-Nearest Neighbor results"))
    hear = [[row.title, row.parameters, *row.scores.values()] for row in HEAR.rows]
    assert hear == list(rows(authors, "averaged across different domains"))


def test_every_cell_is_that_of_the_notes(benchmarks: str) -> None:
    knn = list(rows(benchmarks, "### 3.5"))
    assert [cells[1:] for cells in knn] == [list(row.scores.values()) for row in KNN.rows]
    for (title, *_), row in zip(knn, KNN.rows, strict=True):
        assert row.title.startswith(re.sub("-[BL]$", "", title))
    averages = re.findall(r"(Base|0\.6B|1\.2B) (\d\d\.\d/\d\d\.\d/\d\d\.\d)", benchmarks)
    assert {f"Dasheng-{size}": scores for size, scores in averages} == {
        row.title: "/".join(row.scores.values())
        for row in HEAR.rows
        if row.title.startswith("Dasheng")
    }


def test_the_published_scores_of_hears_tasks() -> None:
    suite = suites.load("hear")
    assert HEAR_TASKS.protocol == "hear2021"
    assert set(HEAR_TASKS.columns) == set(suite.columns(suite.tasks)) == set(TASKS.values())
    assert (HEAR.averages, HEAR_TASKS.averages, KNN.averages) == (True, False, False)
    models = [row.model for row in HEAR_TASKS.rows]
    assert models == ["ced-base", "wav2vec2-large-100k-voxpopuli", ""]
    assert [
        (row.model, task)
        for row in HEAR_TASKS.rows
        for task, score in row.scores.items()
        if not score
    ] == [("wav2vec2-large-100k-voxpopuli", "hear-beehive-states")]
    best = row_of("").scores
    for row in HEAR_TASKS.rows:
        assert all(float(row.scores[task] or 0) <= float(best[task]) for task in best)


@pytest.mark.parametrize(
    ("model", "words", "count", "percent"),
    [
        ("", r"task maxima \[X\]: (.*?)\)", 19, 1),
        ("wav2vec2-large-100k-voxpopuli", r"e\.g\. wav2vec2: (.*?);", 5, 1),
        ("ced-base", r"ced-base row in .*?\((.*?)…", 6, 100),
    ],
)
def test_scores_of_hears_tasks_are_those_of_the_notes(
    model: str, words: str, count: int, percent: int, benchmarks: str
) -> None:
    """The notes have fractions to three places or more; of CED-Base percent to two."""
    scores = listed(benchmarks, words)
    assert len(scores) == count
    for task, score in scores.items():
        ours = float(row_of(model).scores[task])
        roundings = 0.05 + 0.005 if percent == 1 else 0  # theirs and ours
        assert ours == pytest.approx(100 * score / percent, rel=0, abs=roundings + 1e-9)


def test_every_table_tells_where_its_numbers_stand_and_since_when() -> None:
    for table in (KNN, HEAR, HEAR_TASKS):
        assert all(source.startswith("https://") for source in table.sources)
        assert table.sources
        assert all(re.match(r"20\d\d-\d\d-\d\d\b", date) for date in table.dates)
        assert table.dates
    assert [row.date for row in HEAR_TASKS.rows] == ["2023-08-29", "2022-07-12", "2023-09-26"]
    known = " ".join(HEAR_TASKS.sources)
    assert all(row.source and row.source in known for row in HEAR_TASKS.rows)
    assert not any(row.date or row.source for row in (*KNN.rows, *HEAR.rows))


def test_averages_concern_the_tasks_that_they_are_over(tmp_path: Path) -> None:
    hear = {"protocol__name": "hear2021"}
    assert published.beside([make_record(task__name="hear-esc50", **hear)], tmp_path) == [
        HEAR_TASKS,
        HEAR,
    ]
    beehive = make_record(task__name="hear-beehive-states-fold0", **hear)
    assert published.beside([beehive], tmp_path) == [HEAR_TASKS, HEAR]
    assert published.beside([make_record(task__name="bells", **hear)], tmp_path) == []
    strict = make_record(task__name="hear-esc50", protocol__name="hear2021-strict")
    assert published.beside([strict], tmp_path) == []


def test_averages_are_of_the_suites_domains(tmp_path: Path) -> None:
    file = write(tmp_path, "title,model,collapsed,music,esc50\nA,,,1,2\n", "hear2021")
    with pytest.raises(UserError, match="domains environment, speech, music, found music, esc50"):
        published.read(file)


def test_a_protocol_has_tables_of_any_name(tmp_path: Path) -> None:
    text = "# protocol: hear2021\ntitle,model,collapsed,{}\nA,,,1\n"
    tasks = published.read(write(tmp_path / "a", text.format("hear-esc50"), "a"))
    domains = published.read(write(tmp_path / "b", text.format("music"), "b"))
    assert tasks.protocol == domains.protocol == "hear2021"
    assert (tasks.averages, domains.averages) == (False, True)
    fold = write(tmp_path / "c", text.format("hear-beehive-states-fold0"), "c")
    with pytest.raises(UserError, match="tasks of the HEAR 2021 benchmark, or of the domains"):
        published.read(fold)


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
        ("title,model,collapsed,date,esc50\nA,,,May,2\n", "date and 1 numbers in each row"),
        ("title,model,collapsed,esc50\nA,,,nan\n", "found A, , , nan"),
        ("title,model,collapsed,esc50,esc50\nA,,,1,2\n", "each once, found title"),
        ('title,model,collapsed,esc50\n"A,,,1\nB,,,2\n', "1 numbers in each row"),
        (f"title,model,collapsed,esc50\nA,,,{'1' * 200_000}\n", "field larger than field limit"),
    ],
)
def test_what_is_no_table_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as raised:
        published.read(write(tmp_path, text))
    assert "\n" not in str(raised.value)
