"""A picture that is drawn: its name, its text alternative, and its bytes as SVG and PNG.

The same picture has the same bytes: no date, no version, no random names, matplotlib's own font.
"""

import io
from dataclasses import dataclass
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.figure import Figure

from harness.figures import style
from harness.figures.inline import element

_DOTS_PER_INCH = 160
_METADATA = {"svg": ("Date", "Creator", "Format", "Type"), "png": ("Software",)}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """name: of its file, without the ending. title, words: what it shows, for who cannot see it."""

    name: str
    title: str
    words: str
    figure: Figure


def png(picture: Picture) -> bytes:
    """The picture as a PNG, on white."""
    return _saved(picture.figure, "png", "white")


def svg(picture: Picture, *, inline: bool = False, prefix: str | None = None) -> str:
    """The picture as an SVG: a document, or with `inline` an element to be put into a page.

    In a document letters are paths, the same everywhere. An element has no background, the page's
    font and text colour; its other colours are the variables of `style.VARIABLES`. All ids begin
    with `prefix`, the picture's name unless given, which has to be unique in the page.
    """
    prefix = prefix or picture.name
    if not inline:
        return _spoken(_saved(picture.figure, "svg", "white", "path").decode(), picture, prefix)
    document = _saved(picture.figure, "svg", "none", "none").decode()
    return _spoken(element(document, prefix), picture, prefix)


def _spoken(document: str, picture: Picture, prefix: str) -> str:
    """The document with a title and a description that screen readers read."""
    role = f'<svg role="img" aria-labelledby="{prefix}-title {prefix}-words" '
    start = document.index("<svg ")
    end = document.index(">", start) + 1
    opening = role + document[start:end].removeprefix("<svg ")
    title = f'<title id="{prefix}-title">{escape(picture.title)}</title>'
    words = f'<desc id="{prefix}-words">{escape(picture.words)}</desc>'
    return f"{document[:start]}{opening}\n{title}\n{words}{document[end:]}"


def _saved(figure: Figure, form: str, paper: str, letters: str = "path") -> bytes:
    file = io.BytesIO()
    with matplotlib.rc_context({**style.SETTINGS, "svg.fonttype": letters}):
        figure.savefig(
            file,
            format=form,
            metadata=dict.fromkeys(_METADATA[form]),
            facecolor=paper,
            dpi=_DOTS_PER_INCH,
            bbox_inches="tight",
        )
    return file.getvalue()
