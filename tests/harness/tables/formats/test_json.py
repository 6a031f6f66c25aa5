"""JSON tells what CSV tells, and the remarks."""

import csv as stdlib_csv
import io
import json as stdlib_json

from harness.tables.formats import csv, json
from tests.harness.tables import made


def test_scores_are_those_of_the_csv() -> None:
    (section,) = stdlib_json.loads(json.render(made.sections()))
    scores = [score for table in section["tables"] for score in table["scores"]]
    rows = list(stdlib_csv.DictReader(io.StringIO(csv.render(made.sections()))))
    assert [
        {key: "" if value is None else str(value) for key, value in score.items()}
        for score in scores
    ] == rows


def test_a_section_has_its_protocol_tables_and_remarks() -> None:
    (section,) = stdlib_json.loads(json.render(made.sections()))
    assert (section["protocol"], section["version"], section["params"]) == ("knn", 1, {"k": 10})
    captions = [table["caption"] for table in section["tables"]]
    assert captions == ["published tasks", "measured, other tasks"]
    assert made.PUBLISHED.notes[0] in section["remarks"]


def test_nothing_is_an_empty_list() -> None:
    assert stdlib_json.loads(json.render([])) == []
