"""Records → one HTML file: nothing in it is fetched, and nothing in a record can run in it.

Templates escape what they are given; the data of tasks stand as JSON without any "<"; and a policy
in the page lets no script run but its own, which it names by its digest.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness import figures, tables
from harness.report import content, differences
from harness.report.differences import Kept, Record
from harness.tables.formats import html as fragments
from harness.tables.published import Published
from harness.tables.table import Section, Table

BROWSER = Path(__file__).parent / "browser"
STYLES = ("page", "table", "task", "print")
SCRIPTS = (
    "dom",
    "theme",
    "sort",
    "filter",
    "matrix",
    "map",
    "clips",
    "facts",
    "task",
    "route",
)  # in order


def html(records: Sequence[Record], kept: Kept, published: Iterable[Published] = ()) -> str:
    """Return the page of some records; the same for the same records.

    kept: gives the predictions of a record.

    Raises:
        UserError: a column would mix versions of a task or a protocol, or predictions lack.
    """
    environment = Environment(
        loader=FileSystemLoader(BROWSER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["remark"] = fragments.remark
    script = _script()
    told = dict(content.told(records, kept))
    return environment.get_template("page.jinja").render(
        level=differences.LEVEL,
        counts=_counts(records),
        marks=content.meanings(records),
        tasks=content.tasks(records, told),
        sections=[(each, _blocks(each)) for each in tables.sections(records, published)],
        pictures=_pictures(records),
        data={name: _json(each) for name, each in told.items()},
        style="\n".join(_asset(f"{name}.css") for name in STYLES),
        script=script,
        script_digest=_digest(script),
    )


def _counts(records: Sequence[Record]) -> list[tuple[int, str, str]]:
    def different(part: str) -> int:
        return len({record[part]["name"] for record in records})

    return [
        (different("model"), "model", "models"),
        (different("task"), "task", "tasks"),
        (different("protocol"), "protocol", "protocols"),
        (len(records), "record", "records"),
    ]


def _blocks(section: Section) -> list[list[Table | str]]:
    """Its tables, each with the remarks below it; first the remarks above all, if any."""
    blocks: list[list[Table | str]] = [[]]
    for part in section.parts:
        if isinstance(part, Table):
            blocks.append([])
        blocks[-1].append(part)
    return [block for block in blocks if block]


def _pictures(records: Sequence[Record]) -> list[dict[str, Any]]:
    return [
        {
            "title": picture.title,
            "svg": figures.svg(picture, inline=True, prefix=f"{picture.name}-"),
        }
        for picture in figures.pictures(records).drawn
    ]


def _script() -> str:
    """The scripts as one, in a scope of their own."""
    body = "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{body}\n}})();\n'


def _digest(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"sha256-{digest}"


def _json(value: Any) -> str:
    """JSON that an HTML parser sees no tag and no comment in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (BROWSER / name).read_text(encoding="utf-8")
