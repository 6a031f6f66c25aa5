"""Sections → JSON: protocols, their tables, a fact for each score, and the remarks."""

import json
from collections.abc import Sequence

from harness.tables.formats import facts
from harness.tables.table import Section


def render(sections: Sequence[Section]) -> str:
    """A list of sections; scores as in CSV, what is not there is null."""
    listed = [
        {
            "protocol": section.protocol,
            "version": section.version,
            "params": dict(section.params),
            "tables": [
                {"caption": table.caption, "scores": list(facts.of(section, table))}
                for table in section.tables
            ],
            "remarks": [part for part in section.parts if isinstance(part, str)],
        }
        for section in sections
    ]
    return json.dumps(listed, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
