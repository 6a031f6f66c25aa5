import html
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from harness import predictions, report, results
from harness.report import page
from tests.harness.report.conftest import Page
from tests.harness.tables import made

HOSTILE = "</script><img src=x onerror=hurt()>"


class Elements(HTMLParser):
    """What an HTML parser sees: tags with their attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, Any] = {}
        self._task: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._task = dict(attrs).get("data-task")

    def handle_endtag(self, tag: str) -> None:
        self._task = None

    def handle_data(self, data: str) -> None:
        if self._task is not None:
            self.data[self._task] = json.loads(data)


def test_every_record_is_told_with_its_own_score(few: Path, page_of: Page) -> None:
    told = Elements(page_of(few)).data
    for record in results.read_all(few):
        task, protocol = (record[part]["name"] for part in ("task", "protocol"))
        [found] = [
            each
            for each in told[task]["protocols"][protocol]["records"]
            if each["model"] == record["model"]["name"]
        ]
        assert found["value"] == record["score"]
        assert found["score"] == f"{100 * record['score']:.2f}"
        assert found["interval"]["ends"] == record["scores"]["ci95"]
        assert found["clips"] == sum(record["n"]["test"])
    count = sum(len(p["records"]) for task in told.values() for p in task["protocols"].values())
    assert count == len(list(results.read_all(few)))


def test_the_overview_names_the_best_of_each_task(few: Path, page_of: Page) -> None:
    text = re.sub(r"\s+", " ", page_of(few))
    for task, protocol in (("esc10", "knn"), ("hear-fsd50k", "hear2021")):
        files = [results.path(few, model, task, protocol) for model in ("one", "other")]
        best = max(map(results.read, files), key=lambda record: record["score"])
        row = text[text.index(f'#task/{task}/{protocol}"') :]
        row = re.sub("<[^>]*>", " ", row[: row.index("</tr>")])
        assert f" {best['model']['name']} " in row
        assert f" {100 * best['score']:.2f} " in row


def test_the_same_records_give_the_same_bytes_in_any_order(few: Path, page_of: Page) -> None:
    def kept(record: Mapping[str, Any]) -> Any:
        names = (record[part]["name"] for part in ("model", "task", "protocol"))
        return predictions.read(results.path(few, *names))

    backwards = list(results.read_all(few))[::-1]
    assert report.html(backwards, kept) == page_of(few)


def test_nothing_is_fetched(few: Path, page_of: Page) -> None:
    text = page_of(few)
    for tag, attributes in Elements(text).tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert "default-src 'none'" in text


def test_names_do_no_harm(few: Path) -> None:
    """Those of clips, classes, models and titles."""
    records = list(results.read_all(few))[:3]
    for record in records:
        record["model"]["name"] = record["task"]["title"] = HOSTILE

    def kept(record: Mapping[str, Any]) -> Any:
        names = (record[part]["name"] for part in ("task", "protocol"))
        told = predictions.read(results.path(few, "one", *names))
        hostile = np.full(len(told.classes), HOSTILE)
        return replace(told, classes=hostile, ids=np.full(len(told.ids), HOSTILE))

    text = report.html(records, kept)
    found = Elements(text)
    assert "img" not in {tag for tag, _ in found.tags}
    assert html.escape(HOSTILE) in text
    assert found.data["esc10"]["title"] == HOSTILE
    [policy] = [a["content"] for tag, a in found.tags if tag == "meta" and "http-equiv" in a]
    assert "unsafe-inline" not in (policy or "").partition("script-src")[2]


def test_remarks_stand_with_their_table_and_code_in_them_as_code(few: Path) -> None:
    def kept(record: Mapping[str, Any]) -> Any:
        names = (record[part]["name"] for part in ("model", "task", "protocol"))
        return predictions.read(results.path(few, *names))

    published = replace(made.PUBLISHED, notes=(f"`a<b>` {HOSTILE}",))
    text = report.html(list(results.read_all(few)), kept, [published])
    block = next(each for each in text.split('<div class="block">') if "<code>a&lt;b" in each)
    assert f"<code>a&lt;b&gt;</code> {html.escape(HOSTILE)}</p>" in block
    assert block.count("<table") == 1
    assert block.index("</table>") < block.index("<code>")


def test_every_asset_is_in_the_page() -> None:
    names = {file.name for file in page.BROWSER.iterdir()}
    used = {f"{name}.css" for name in page.STYLES} | {f"{name}.js" for name in page.SCRIPTS}
    assert names == used | {"page.jinja", "table.jinja"}
    assert all(len(file.read_text().splitlines()) < 300 for file in page.BROWSER.iterdir())
