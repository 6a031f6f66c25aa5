"""Sections → text: one file per format, all of them listed here."""

from collections.abc import Callable, Mapping, Sequence

from harness.tables.formats import csv, html, json, latex, markdown
from harness.tables.table import Section

FORMATS: Mapping[str, Callable[[Sequence[Section]], str]] = {
    "markdown": markdown.render,
    "csv": csv.render,
    "json": json.render,
    "latex": latex.render,
    "html": html.render,
}
