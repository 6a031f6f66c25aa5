"""Models compared, as a reader sees it: by tables, sentences and what is left out of them."""

from pathlib import Path

import pytest

from harness import comparison, results
from harness.errors import UserError
from harness.tables.table import Section
from tests.harness import planted, synthetic_results

NAMES = ["demo", "esc10", "hear-dcase2016-task2", "hear-fsd50k"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_results.write(tmp_path_factory.mktemp("results"), names=NAMES)


def compared(folder: Path, *models: str, **wanted: list[str]) -> list[Section]:
    return comparison.sections(comparison.read(models, folder), **wanted)


def remarks(section: Section) -> str:
    return "\n".join(part for part in section.parts if isinstance(part, str))


def test_a_section_for_each_protocol_and_a_row_for_each_task(folder: Path) -> None:
    found = {section.protocol: section for section in compared(folder, "base", "melspec")}
    assert list(found) == ["hear2021", "knn", "linear"]
    hear = found["hear2021"]
    ranks, table = hear.tables
    assert [[cell.text for cell in row] for row in ranks.rows] == [
        ["base", "1.00"],
        ["melspec", "2.00"],
    ]
    heads = [column.head for column in table.columns]
    assert heads[:5] == ["task", "metric", "base", "melspec", "base − melspec"]
    rows = {row[0].text: dict(zip(heads, row, strict=True)) for row in table.rows}
    assert "hear-fsd50k" in rows
    row = rows["hear-dcase2016-task2"]
    record, other = (
        results.read(results.path(folder, model, "hear-dcase2016-task2", "hear2021"))
        for model in ("base", "melspec")
    )
    difference = 100 * (record["score"] - other["score"])
    assert row["base − melspec"].value == pytest.approx(difference, abs=0.006)
    assert row["base − melspec"].text == f"{difference:+.2f}"
    assert row["p (Holm)"].text == "≤0.001 *"
    assert row["clips"].text == "120"
    assert row["base"].marks == "°"
    assert "two-sided (t-test of influences)" in remarks(hear)
    assert "two-sided (McNemar, mid-p)" in remarks(found["knn"])
    assert "° synthetic" in remarks(hear)


def test_wins_are_counted_with_chance_and_without(folder: Path) -> None:
    [section] = compared(folder, "melspec", "base", protocols=["hear2021"], tasks=NAMES[2:])
    assert "melspec against base: 0 wins, 0 ties, 2 losses (a tie" in remarks(section)
    assert "by scores alone 0 wins, 0 ties, 2 losses." in remarks(section)


def test_a_difference_that_may_be_chance_is_a_tie(tmp_path: Path) -> None:
    synthetic_results.write(tmp_path, {"good": 0.7, "better": 0.8}, names=["esc10"])
    [section] = compared(tmp_path, "better", "good", protocols=["linear"])
    assert "better against good: 0 wins, 1 tie, 0 losses (a tie" in remarks(section)
    assert "by scores alone 1 win, 0 ties, 0 losses." in remarks(section)


def test_the_lowest_is_the_best_where_lower_is_better(tmp_path: Path) -> None:
    synthetic_results.write(tmp_path, {"low": -0.5, "high": 0.9}, names=["esc10"])
    for file in tmp_path.glob("*/*/*.json"):
        planted.edit(file, lambda r: r["task"].update(higher_is_better=False))
    [section] = compared(tmp_path, "low", "high", protocols=["linear"])
    assert [row[1].text for row in section.tables[0].rows] == ["1.00", "2.00"]
    assert "low against high: 1 win, 0 ties, 0 losses" in remarks(section)


def test_real_sounds_alone_say_who_is_better(folder: Path, tmp_path: Path) -> None:
    for model in ("base", "melspec"):
        for task in ("demo", "esc10"):
            file = results.path(folder, model, task, "knn")
            record = results.read(file)
            record["task"]["synthetic"] = task == "demo"
            there = results.path(tmp_path, model, task, "knn")
            there.parent.mkdir(parents=True)
            there.write_bytes(results.render(record))
            there.with_suffix(".npz").write_bytes(file.with_suffix(".npz").read_bytes())
    [section] = compared(tmp_path, "base", "melspec")
    caption = "average rank, 1 the best, over 1 task that all have, synthetic ones left out"
    assert section.tables[0].caption == caption
    assert len(section.tables[1].rows) == 2
    assert "base against melspec, synthetic tasks left out: 1 win, 0 ties, 0 losses" in remarks(
        section
    )


def test_several_models_are_ranked_and_each_set_against_the_first(folder: Path) -> None:
    [section] = compared(folder, "base", "melspec", "ced-base", protocols=["knn"])
    captions = [table.caption for table in section.tables]
    assert captions[1:] == [f"difference of base and {other}" for other in ("melspec", "ced-base")]
    assert [row[0].text for row in section.tables[0].rows] == ["base", "melspec", "ced-base"]


def test_tasks_that_one_has_alone_are_named(folder: Path, tmp_path: Path) -> None:
    synthetic_results.write(tmp_path, {"base": 0.7}, names=["esc10", "fsdd"])
    other = str(folder / "melspec")
    section = next(s for s in compared(tmp_path, "base", other) if s.protocol == "knn")
    assert "Not of all models: demo (melspec); fsdd (base)." in remarks(section)


def test_undefined_scores_are_neither_ranked_nor_won(folder: Path, tmp_path: Path) -> None:
    for model in ("base", "melspec"):
        record = results.read(results.path(folder, model, "esc10", "knn"))
        record["score"] = None
        file = results.path(tmp_path, model, "esc10", "knn")
        file.parent.mkdir(parents=True)
        file.write_bytes(results.render(record))
    [section] = compared(tmp_path, "base", "melspec")
    [table] = section.tables
    assert [cell.text for cell in table.rows[0][2:]] == ["undefined", "undefined", *"–––––"]
    assert "0 wins, 0 ties, 0 losses" in remarks(section)


def test_nothing_to_compare_is_a_mistake(folder: Path) -> None:
    with pytest.raises(UserError, match="a task that base and melspec have by the same protocol"):
        compared(folder, "base", "melspec", protocols=["knn"], tasks=["hear-fsd50k"])
    with pytest.raises(UserError, match="expected tasks that the models have, found esc50, esc51"):
        compared(folder, "base", "melspec", tasks=["esc51", "esc50", "demo"])
