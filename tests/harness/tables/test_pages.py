"""Pages keep what a person wrote, and say nothing but what the records do."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import results
from harness.errors import UserError
from harness.files import write_atomically
from harness.tables import pages
from tests.harness import synthetic_results
from tests.harness.records import make_record

ROOT = Path(__file__).parents[3]
MARKS = f"{pages.OPEN} -->\n{pages.CLOSE}"


def place(words: str) -> str:
    return f"{pages.OPEN}: {words} -->\n{pages.CLOSE}\n"


def write(folder: Path, **changes: object) -> None:
    record = make_record(**changes)
    name = (record[part]["name"] for part in ("model", "task", "protocol"))
    write_atomically(results.path(folder, *name), results.render(record))


def lossless(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    write(folder, task__name="fsdd")
    write(folder, task__name="fsdd", protocol__name="linear", score=0.9)
    return folder


def test_the_pages_of_this_repository_are_not_stale() -> None:
    assert pages.stale(ROOT / "results") == []
    assert "harness table: folder=results" in (ROOT / "README.md").read_text()


def test_a_folder_without_a_page_gets_one(folder: Path) -> None:
    page = folder / "README.md"
    assert pages.stale(folder) == [page]
    assert not page.exists()
    assert pages.refresh(folder) == [page]
    text = page.read_text()
    assert text.startswith("# Results\n")
    assert "### knn (version 1: k 10)" in text
    assert "61.90 [60.0, 64.0]" in text
    assert pages.stale(folder) == pages.refresh(folder) == []


def test_a_new_record_makes_the_page_stale(folder: Path) -> None:
    pages.refresh(folder)
    write(folder, task__name="fsdd", model__name="tiny")
    assert pages.stale(folder) == [folder / "README.md"]
    pages.refresh(folder)
    assert "| tiny" in (folder / "README.md").read_text()


def test_a_table_changed_by_hand_is_stale(folder: Path) -> None:
    pages.refresh(folder)
    page = folder / "README.md"
    fresh = page.read_text()
    page.write_text(fresh.replace("61.90", "99.90"))
    assert pages.refresh(folder) == [page]
    assert page.read_text() == fresh


def test_an_empty_folder_and_none(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    with pytest.raises(UserError, match=r"expected a folder of records at .*results, found none"):
        pages.refresh(folder)
    folder.mkdir()
    pages.refresh(folder)
    assert "No records yet." in (folder / "README.md").read_text()
    assert pages.stale(folder) == []


def test_a_page_that_a_person_wrote_is_theirs(folder: Path) -> None:
    page = folder / "README.md"
    page.write_text("# My results\n\nThey are fine.\n")
    (folder.parent / "README.md").write_text("# Mine\n")
    assert pages.refresh(folder) == []
    assert page.read_text() == "# My results\n\nThey are fine.\n"
    assert (folder.parent / "README.md").read_text() == "# Mine\n"


@given(st.lists(st.one_of(st.binary(), st.text().map(lossless)), max_size=4))
@settings(deadline=None)
def test_what_stands_outside_of_the_marks_is_kept_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("outside") / "results"
    write(folder)
    page = folder / "README.md"
    page.write_bytes(MARKS.encode().join([b"begin\r\n", *texts]))
    pages.refresh(folder)
    found = page.read_bytes()
    for text in [b"begin\r\n", *texts]:
        kept, opened, found = found.partition(f"{pages.OPEN} -->".encode())
        assert kept == text
        table, _, found = found.partition(pages.CLOSE.encode())
        assert (b"### knn" in table) == bool(opened)


def test_the_page_beside_the_folder_names_it_and_is_no_concern_of_other_folders(
    folder: Path,
) -> None:
    beside = folder.parent / "README.md"
    beside.write_text(f"Mine.\n{place('folder=results protocols=knn')}{place('folder=other')}")
    with pytest.raises(UserError, match=r"expected folder= to name a folder of records, found .*r"):
        pages.stale(folder)
    (folder.parent / "other").mkdir()
    assert pages.refresh(folder) == [folder / "README.md", beside]
    text = beside.read_text()
    assert text.count("### knn") == 1
    assert text.endswith(place("folder=other"))
    write(folder.parent / "new", score=0.1)
    pages.refresh(folder.parent / "new")
    assert beside.read_text() == text


def test_only_the_folders_own_page_where_that_is_wanted(folder: Path) -> None:
    beside = folder.parent / "README.md"
    beside.write_text(place("folder=results"))
    assert pages.refresh(folder, around=False) == [folder / "README.md"]
    assert beside.read_text() == place("folder=results")
    assert pages.stale(folder) == [beside]


def test_chosen_protocols_in_their_order_and_tables_that_name_them(folder: Path) -> None:
    page = folder / "README.md"
    page.write_text(place("protocols=linear,knn"))
    pages.refresh(folder)
    text = page.read_text()
    assert 0 < text.index("### linear") < text.index("### knn")
    assert "[60.0" not in text
    page.write_text(place("protocols=linear,knn tables=measured intervals"))
    pages.refresh(folder)
    text = page.read_text()
    assert "###" not in text
    assert 0 < text.index("Measured (linear, version 1):") < text.index("Measured (knn, version 1)")
    assert text.count("In square brackets") == 1


def test_published_tables_alone_tell_no_version_of_ours(folder: Path) -> None:
    (folder / "published").mkdir()
    (folder / "published" / "knn.csv").write_text("title,model,collapsed,esc50\nA,,,1.5\n")
    (folder / "README.md").write_text(place("protocols=knn tables=published"))
    pages.refresh(folder)
    text = (folder / "README.md").read_text()
    assert "Published tasks (knn):\n\n| model   | esc50   |" in text
    assert "fsdd" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{pages.OPEN} -->\n", "found 1 and 0; mend the marks"),
        (f"{pages.CLOSE}\n{pages.OPEN} -->\n", "found 1 and 1; mend the marks"),
        (f"{pages.OPEN} -->\n{MARKS}\n", "found 2 and 1; mend the marks"),
        (place("protocols=linaer"), "protocols knn, linear, found linaer"),
        (place("intervalls"), "intervals in a mark, found 'intervalls'"),
        (place("tables="), "found 'tables='"),
        (place("tables='other"), "to begin the captions measured; measured, found 'other"),
        (place("tables=other protocols=knn"), "to begin the captions measured, found other"),
    ],
)
def test_what_is_wrong_with_marks_is_one_line_and_nothing_is_written(
    text: str, words: str, folder: Path
) -> None:
    (folder / "README.md").write_text(text)
    with pytest.raises(UserError, match=words) as raised:
        pages.refresh(folder)
    assert "\n" not in str(raised.value)
    assert (folder / "README.md").read_text() == text


def test_mixed_versions_are_refused(folder: Path) -> None:
    write(folder, task__name="fsdd", model__name="tiny", task__version=2)
    with pytest.raises(UserError, match=r"one version of the task fsdd .* found \[1, 2\]"):
        pages.stale(folder)


def test_every_task_of_four_models_is_stable(tmp_path: Path) -> None:
    folder = synthetic_results.write(tmp_path / "results")
    pages.refresh(folder)
    first = (folder / "README.md").read_bytes()
    (folder / "README.md").unlink()
    pages.refresh(folder)
    assert (folder / "README.md").read_bytes() == first
    assert str(tmp_path) not in first.decode()


def test_a_run_prints_the_tables_that_its_records_stand_in(folder: Path) -> None:
    printed = pages.concerned([make_record()], folder)
    assert "Dasheng-Base" in printed
    assert "61.90 (+0.00) [60.0, 64.0]" in printed
    assert "Dasheng-Base" not in pages.concerned([make_record(task__name="fsdd")], folder)
