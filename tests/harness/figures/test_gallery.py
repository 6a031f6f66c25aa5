"""Which pictures there are; that no words lie on others; reasons where there is no picture."""

from itertools import combinations
from typing import Any

import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from harness import figures, results
from harness.errors import UserError
from harness.suites import SUITES
from tests.harness import synthetic_results
from tests.harness.figures.places import collide
from tests.harness.figures.scored import records

LONG = {"wav2vec2-large-100k-voxpopuli": 0.1, "data2vec-audio-large": 0.2}


@pytest.fixture(scope="module")
def hear(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("hear")
    models = synthetic_results.MODELS | LONG
    synthetic_results.write(folder, models, SUITES["hear"].tasks, clips=24, classes=4)
    return list(results.read_all(folder))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("short")
    synthetic_results.write(folder, names=["esc50", "fsdd", "nsynth", "demo"], clips=24, classes=4)
    return list(results.read_all(folder))


def test_every_kind_of_every_protocol(
    hear: list[dict[str, Any]], short: list[dict[str, Any]]
) -> None:
    before = dict(matplotlib.rcParams)
    drawn, left_out = figures.pictures([*hear, *short])
    assert dict(matplotlib.rcParams) == before
    assert [picture.name for picture in drawn] == [
        *("radar-hear2021", "radar-knn", "radar-linear"),
        *("bars-hear2021", "bars-knn", "bars-linear"),
        *("k-knn", "size-hear2021", "size-knn", "size-linear"),
    ]
    assert list(left_out) == ["k-hear2021", "k-linear"]
    for picture in drawn:
        assert _collisions(picture) == [], picture.name


def test_a_suite_is_shown_whole(hear: list[dict[str, Any]]) -> None:
    radar, bars = figures.pictures(hear, ["radar", "bars"]).drawn
    assert radar.title == "hear2021: 19 tasks"
    assert "beehive-states " in radar.words
    assert bars.words.count("(") == 3
    assert [plot.get_title("left") for plot in bars.figure.axes] == [
        *("environment°", "speech°", "music°")
    ]


def test_of_many_models_the_best_by_rank_and_the_title_says_so() -> None:
    made = records({f"m{n:02}": [n / 20] * 4 for n in range(12)})
    drawn, left_out = figures.pictures(made)
    radar = drawn[0]
    assert "the 8 best of 12 models by average rank" in radar.title
    labels = [text.get_text() for text in radar.figure.axes[0].get_legend().get_texts()]
    assert labels == [f"m{n:02}" for n in range(4, 12)]
    assert list(left_out) == ["size-knn"]
    with pytest.raises(UserError, match="expected 8 models at most, found 12; pick some"):
        figures.pictures(made, ["radar"])


@pytest.mark.parametrize(
    ("scores", "kind", "reason"),
    [
        ({"base": [0.5, 0.5, None, None], "tiny": [0.5, 0.6, None, None]}, "radar", "found 2"),
        ({"base": [0.5, 0.5, 0.6, 0.7]}, "radar", "2 models or more"),
        ({"base": [0.5] * 4, "melspec": [0.2] * 4}, "size", "2 sizes or more, found 1"),
    ],
)
def test_what_there_is_too_little_for_is_told(
    scores: dict[str, list[float | None]], kind: str, reason: str
) -> None:
    made = records(scores)
    assert reason in figures.pictures(made).left_out[f"{kind}-knn"]
    with pytest.raises(UserError, match=reason):
        figures.pictures(made, [kind])


def test_without_a_score_there_is_nothing_to_draw() -> None:
    made = records({"base": [0.5] * 4, "tiny": [0.6] * 4})
    for record in made:
        record["score"] = None
    drawn, left_out = figures.pictures(made)
    assert drawn == []
    assert list(left_out) == ["radar-knn", "bars-knn", "k-knn", "size-knn"]
    assert figures.pictures([]) == ([], {})


def test_versions_are_not_mixed() -> None:
    made = records({"base": [0.5] * 4, "tiny": [0.6] * 4})
    made[0]["task"]["version"] = 2
    with pytest.raises(UserError, match=r"one version of the task esc50 .* found \[1, 2\]"):
        figures.pictures(made)


def test_names_are_names_whatever_is_in_them() -> None:
    made = records({"_own$x$_": [0.5] * 4, "a & <b>": [0.6] * 4})
    radar = figures.pictures(made, ["radar"]).drawn[0]
    labels = [text.get_text() for text in radar.figure.axes[0].get_legend().get_texts()]
    assert sorted(labels) == ["_own$x$_", "a & <b>"]
    assert "a &amp; &lt;b&gt;" in figures.svg(radar, inline=True)


def test_partial_scores_are_hollow_or_hatched() -> None:
    made = records({"tiny": [0.6] * 4, "base": [0.5] * 4})
    made[0]["n"]["limit"] = 10
    radar, bars, k, size = figures.pictures(made, ["radar", "bars", "k", "size"]).drawn
    hollow = [line for line in radar.figure.axes[0].get_lines() if len(line.get_xdata()) == 1]
    assert [line.get_markerfacecolor() for line in hollow] == ["none"]
    hatched = [bar.get_hatch() for plot in bars.figure.axes for bar in plot.patches]
    assert sum(hatch is not None for hatch in hatched) == 1
    assert all("partial†" in _words(picture) for picture in (radar, bars, k, size))


def _texts(picture: figures.Picture) -> list[Text]:
    texts = picture.figure.findobj(Text)
    unseen = {tick.label1 for plot in picture.figure.axes for tick in _beyond(plot)}
    return [t for t in texts if t.get_visible() and t.get_text().strip() and t not in unseen]


def _beyond(plot: Axes) -> list[Tick]:
    """Ticks that matplotlib has and does not draw, for they are beyond the panel."""
    found = []
    for axis in (plot.xaxis, plot.yaxis):
        low, high = sorted(axis.get_view_interval())
        found += [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
    return found


def _words(picture: figures.Picture) -> str:
    return " ".join(text.get_text() for text in _texts(picture))


def _collisions(picture: figures.Picture) -> list[tuple[str, str]]:
    """Pairs of words that lie on each other."""
    FigureCanvasAgg(picture.figure).draw()
    pairs = combinations(_texts(picture), 2)
    return [(a.get_text(), b.get_text()) for a, b in pairs if collide(a, b)]
