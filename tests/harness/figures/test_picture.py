"""A picture's bytes: the same in any process, and at home in a page."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness import figures
from tests.harness.figures.scored import records

ROOT = Path(__file__).parents[3]
SCORES = {"melspec": [0.2, 0.3, 0.4, 0.5], "tiny": [0.6, 0.5, 0.7, 0.4], "base": [0.7] * 4}
DIGEST = """
import hashlib
from harness import figures
from tests.harness.figures.test_picture import drawn
for each in drawn():
    texts = figures.svg(each), figures.svg(each, inline=True)
    for data in (figures.png(each), *(text.encode() for text in texts)):
        print(each.name, hashlib.sha256(data).hexdigest())
"""


def drawn() -> list[figures.Picture]:
    made = records(SCORES)
    made[0]["n"]["limit"] = 10  # with hatching, whose patterns have names
    return figures.pictures(made).drawn


def test_two_processes_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever a user's own matplotlibrc says."""
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nsvg.fonttype: none\n")
    told = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "MATPLOTLIBRC": str(config)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, config in (("1", tmp_path), ("2", ROOT / "none"))
    ]
    assert told[0] == told[1]
    assert len(told[0].splitlines()) == 12


@pytest.mark.parametrize("picture", drawn(), ids=lambda picture: picture.name)
def test_an_element_of_a_page(picture: figures.Picture) -> None:
    text = figures.svg(picture, inline=True, prefix="mine")
    assert text.startswith('<svg role="img" ')
    assert len(text) < 60_000
    root = ElementTree.fromstring(text)
    tags = [node.tag.rpartition("}")[2] for node in root.iter()]
    assert "style" not in tags  # one would be the whole page's
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("mine-") for name in ids)
    assert set(re.findall(r'(?:url\(|href=")#([\w-]+)', text)) <= set(ids)
    assert root[0].text == picture.title
    assert root[1].text == picture.words
    assert root.get("aria-labelledby") == "mine-title mine-words"
    assert "currentColor" in text
    assert re.findall(r"(?:fill|stroke):#", text) == []
    assert "font-family" not in text


def test_a_document_says_what_it_shows_and_has_no_date() -> None:
    radar = drawn()[0]
    text = figures.svg(radar)
    assert text.startswith("<?xml")
    assert f'<title id="radar-knn-title">{radar.title}</title>' in text
    assert "<text" not in text  # letters are paths, the same everywhere
    assert "Matplotlib v" not in text
    assert "<dc:date>" not in text
    assert b"Software" not in figures.png(radar)
    assert radar.words == (
        "Best: esc50 70.0 (base); nsynth 70.0 (base); us8k 70.0 (tiny, base); vox1 70.0 (base)."
    )
