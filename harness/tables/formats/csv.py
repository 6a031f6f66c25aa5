"""Sections → CSV, tidy: a line for each score, so that pandas reads all tables at once."""

import csv
import io
from collections.abc import Sequence

from harness.tables.formats import facts
from harness.tables.table import Section


def render(sections: Sequence[Section]) -> str:
    """A head and a line for each cell of scores; what is None is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, facts.FIELDS, lineterminator="\n")
    writer.writeheader()
    for section in sections:
        for table in section.tables:
            writer.writerows(facts.of(section, table))
    return text.getvalue()
