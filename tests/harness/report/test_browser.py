"""The report as people meet it: in Chromium, on a phone and on a desk, by hand and by keyboard."""

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.suites import SUITES
from tests.harness import synthetic_results
from tests.harness.command_line import ROOT
from tests.harness.report.conftest import Page
from tests.harness.report.test_page import HOSTILE

pytestmark = pytest.mark.browser

SIZES = {"phone": (390, 844), "small": (360, 640), "desk": (1440, 900)}
PLACES = ("", "#task/esc10/knn", "#task/hear-dcase2016-task2", "#task/hear-fsd50k/hear2021/one")
AXE = {"resultTypes": ["violations"]}

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def file(few: Path, page_of: Page) -> Path:
    """The report of a few records."""
    target = few.parent / "few.html"
    target.write_text(page_of(few))
    return target


@pytest.fixture
def look(chromium: Any) -> Iterator[Open]:
    """Opens a file; at the end no script may have failed and nothing may have been asked for."""
    faults: list[str] = []
    contexts = []

    def look(file: Path, place: str = "", size: str = "desk", script: str = "", **how: Any) -> Any:
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        own = f"file://{file}"
        page.on("request", lambda asked: faults.append(asked.url) if asked.url != own else None)
        page.goto(f"{own}{place}")
        return page

    yield look
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", PLACES)
def test_it_fits_every_screen(file: Path, look: Open, place: str, size: str, theme: str) -> None:
    page = look(file, place, size, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1:visible").count() == 1
    assert page.locator("#task" if place else "#overview").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_serious(file: Path, look: Open, place: str, theme: str) -> None:
    axe = importlib.import_module("axe_playwright_python.sync_playwright")  # the extra [browser]
    page = look(file, place, color_scheme=theme)
    found = axe.Axe().run(page, options=AXE).response["violations"]
    serious = [
        f"{each['id']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    assert serious == []


def test_tables_are_sorted_by_click_and_by_key(file: Path, look: Open) -> None:
    page = look(file)
    head = page.locator("#tasks th", has_text="its score")
    column = head.evaluate("head => head.cellIndex")
    values = f"rows => rows.map(row => Number(row.cells[{column}].dataset.value))"

    def shown() -> list[float]:
        return page.locator("#tasks tbody tr").evaluate_all(values)

    assert head.get_attribute("aria-sort") == "none"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert shown() == sorted(shown(), reverse=True)
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown() == sorted(shown())
    page.locator("#tasks th button").first.press("Space")
    names = page.locator("#tasks tbody th").all_inner_texts()
    assert names == sorted(names)
    assert page.locator("#tasks th[aria-sort]:not([aria-sort=none])").count() == 1


def test_tasks_are_found_in_rows_and_in_columns(file: Path, look: Open) -> None:
    page = look(file)
    page.get_by_label("Show what is named").fill("FSD")
    assert page.locator("#tasks tbody tr:visible").all_inner_texts()[0].startswith("hear-fsd50k")
    assert page.locator("#tasks tbody tr:visible").count() == 1
    heads = page.locator(".block th[data-name]:visible").evaluate_all(
        "heads => heads.map(head => head.dataset.name)"
    )
    assert set(heads) == {"hear-fsd50k"}
    words = page.locator("#filtered").inner_text()
    assert words.split(" of ")[0] == str(page.locator("table.filtered tbody tr:visible").count())


def test_models_are_found_and_what_is_left_empty_goes(file: Path, look: Open) -> None:
    page = look(file)
    box = page.get_by_label("Show what is named")
    every = page.locator("table.filtered:visible").count()
    box.fill("other esc10")
    names = page.locator("table.filtered tbody th:visible").all_inner_texts()
    assert names == ["other", "other"]  # by knn and by linear
    assert not page.get_by_role("heading", name="Tasks", exact=True).is_visible()
    assert page.get_by_role("link", name="Tasks", exact=True).count() == 0
    for table in page.locator("table.filtered:visible").all():
        assert table.locator("tbody tr:visible").count()
    box.fill("nobody")
    assert page.locator("table.filtered:visible").count() == 0
    assert page.locator("#overview .block:visible").count() == 0
    assert page.locator("#filtered").inner_text() == "Nothing is named so."
    box.fill(" ")
    assert page.locator("table.filtered:visible").count() == every
    assert page.locator("#filtered").inner_text() == ""


def test_on_a_phone_the_best_and_its_score_are_seen_first(file: Path, look: Open) -> None:
    page = look(file, size="phone")
    box = page.locator("#tasks .scroll").bounding_box()
    for head in ("task", "protocol", "best model", "its score"):
        cell = page.locator("#tasks th", has_text=re.compile(f"^{head}")).bounding_box()
        assert cell["x"] + cell["width"] <= box["x"] + box["width"] + 1, head
    page = look(file, "#task/esc10/knn", size="phone")
    box = page.get_by_label("Differences from the best").bounding_box()
    cell = page.get_by_label("Differences from the best").locator("td").last.bounding_box()
    assert cell["x"] + cell["width"] <= box["x"] + box["width"] + 1


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_intervals_reach_beyond_the_dots(file: Path, look: Open, size: str) -> None:
    page = look(file, "#task/esc10/knn", size=size)
    whiskers, dots = (page.locator(f".track .{kind}").all() for kind in ("whisker", "dot"))
    assert len(whiskers) == len(dots) == 2
    for whisker, dot in zip(whiskers, dots, strict=True):
        line, point = whisker.bounding_box(), dot.bounding_box()
        assert line["width"] > 2 * point["width"]
        assert line["height"] > 1.5 * point["height"]  # its ends are seen however near


def test_a_mark_stands_apart_from_the_unit(file: Path, look: Open) -> None:
    page = look(file, "#task/esc10/knn")
    assert re.fullmatch(r"\d+\.\d\d %", page.locator(".headline b").inner_text())
    assert page.locator(".headline .mark").all_inner_texts() == ["synthetic data"]


def test_a_task_is_reached_and_left_by_keyboard(file: Path, look: Open) -> None:
    page = look(file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#tasks a").first.press("Enter")
    page.wait_for_selector("#task-title")
    assert page.evaluate("document.activeElement.id") == "task-title"
    page.locator('.ranking button[aria-pressed="false"]').first.press("Enter")
    chosen = page.locator('.ranking button[aria-pressed="true"] span').first.inner_text()
    assert page.locator("#model-title").inner_text() == chosen
    assert page.locator("#choose-model").input_value() == chosen
    page.go_back()
    page.go_back()
    page.wait_for_selector("#overview", state="visible")


def test_protocol_and_model_are_chosen(file: Path, look: Open) -> None:
    page = look(file, "#task/esc10/knn/one")
    page.select_option("#choose-protocol", "linear")
    page.wait_for_url("**#task/esc10/linear/one")
    page.select_option("#choose-model", "other")
    page.wait_for_url("**#task/esc10/linear/other")
    assert page.locator("#model-title").inner_text() == "other"
    page.select_option("#go", "hear-fsd50k")
    page.wait_for_url("**#task/hear-fsd50k")
    assert page.locator("#task-title").inner_text() == "hear-fsd50k"


@pytest.mark.parametrize(
    "place", ["#task/nothing", "#task/esc10/no%", "#task/esc10/toString/no", "#no"]
)
def test_an_address_that_leads_nowhere_shows_what_is_there(
    file: Path, look: Open, place: str
) -> None:
    page = look(file, place)
    assert page.locator("h1:visible").inner_text() in ("Report", "esc10")


def test_the_theme_is_kept(file: Path, look: Open) -> None:
    page = look(file, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_the_theme_changes_where_storage_is_refused(file: Path, look: Open) -> None:
    refused = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})"
    page = look(file, script=refused, color_scheme="light")
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("place", ["", "#task/esc10/knn"])
def test_on_paper_there_are_no_controls_and_all_of_every_table(
    file: Path, look: Open, place: str
) -> None:
    page = look(file, place, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator(".bar:visible, .controls:visible, .skip:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    cut = "boxes => boxes.filter(box => getComputedStyle(box).overflowY !== 'visible').length"
    assert page.locator(".scroll:visible").evaluate_all(cut) == 0
    parted = "boxes => boxes.filter(box => getComputedStyle(box).breakInside !== 'avoid').length"
    assert page.locator(".scroll:visible").evaluate_all(parted) == 0
    page.set_viewport_size({"width": 1030, "height": 700})  # A4 on its side
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.pdf().startswith(b"%PDF")
    kinds = "buttons => buttons.map(button => getComputedStyle(button).display)"
    assert set(page.locator("th button").evaluate_all(kinds)) == {"contents"}  # repeated overleaf


def test_without_javascript_the_overview_stands(file: Path, look: Open) -> None:
    page = look(file, java_script_enabled=False)
    assert page.locator("#tasks tbody tr").first.is_visible()
    assert page.locator("noscript").inner_text()
    assert page.locator("#theme").is_hidden()


def test_names_are_text(few: Path, page_of: Page, look: Open, tmp_path: Path) -> None:
    """Whatever a class, a clip or a model is called stays what is read."""
    hostile = HOSTILE.replace("<", "\\u003c")
    text = page_of(few)
    for name in ('"class 1', '"model":"one', '"clip-00'):
        text = text.replace(name, name[: name.rindex('"') + 1] + hostile)
    file = tmp_path / "hostile.html"
    file.write_text(text)
    page = look(file, "#task/esc10/knn", script="window.hurt = () => { window.harmed = true }")
    page.select_option("#choose-model", HOSTILE)
    assert page.locator("#model-title").inner_text() == HOSTILE
    assert page.get_by_text(HOSTILE).count() > 3
    assert page.locator("img").count() == 0
    assert page.evaluate("window.harmed") is None


def test_long_names_fit_a_phone(few: Path, page_of: Page, look: Open, tmp_path: Path) -> None:
    file = tmp_path / "long.html"
    text = page_of(few).replace('"class 1', f'"{"x" * 300} 1')
    file.write_text(text.replace('"ESC-10', f'"{"y" * 300}'))
    page = look(file, "#task/esc10/knn", size="phone")
    assert page.get_by_text("y" * 300).count() == 2  # under the head, and where it comes from
    assert page.locator(".legend").get_by_text("x" * 300).count()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_records_of_this_repository_can_be_read(
    page_of: Page, look: Open, tmp_path: Path
) -> None:
    file = tmp_path / "real.html"
    file.write_text(page_of(ROOT / "results"))
    page = look(file)
    for task in page.locator("#go option").all()[1:]:
        page.select_option("#go", task.get_attribute("value"))
        page.wait_for_selector("#task .cards")
        for protocol in page.locator("#choose-protocol option").all_inner_texts():
            page.select_option("#choose-protocol", protocol)
            for model in page.locator("#choose-model option").all():
                page.select_option("#choose-model", model.get_attribute("value"))
        assert page.locator("#model-title").is_visible()


def test_thirty_models_on_all_suites_are_small_and_quick(
    page_of: Page, look: Open, tmp_path: Path
) -> None:
    names = [task for suite in SUITES.values() for task in suite.tasks]
    models = {f"model-{n:02}": -0.8 + 0.08 * n for n in range(30)}
    file = tmp_path / "many.html"
    file.write_text(page_of(synthetic_results.write(tmp_path / "results", models, names)))
    assert file.stat().st_size < 5_000_000
    load = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    show = """() => new Promise(done => {
        const start = performance.now();
        addEventListener('hashchange', () => requestAnimationFrame(() => setTimeout(() => {
            document.querySelector('#task .cards').getBoundingClientRect();
            done(performance.now() - start);
        })));
        location.hash = 'task/esc50/knn';
    })"""
    times = []
    for _ in range(3):
        page = look(file)
        page.wait_for_function(f"{load} > 0")
        times.append((page.evaluate(load), page.evaluate(show)))
        page.context.close()
    assert min(sum(pair) for pair in times) < 2000, times
