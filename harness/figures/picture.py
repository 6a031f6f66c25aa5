"""A picture that is drawn: its name, its text alternative, and its bytes as SVG and PNG.

The same picture has the same bytes: no date, no version, no random names, matplotlib's own font.
"""

import io
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.figure import Figure

from harness.figures import style

_DOTS_PER_INCH = 160
_METADATA = {"svg": ("Date", "Creator", "Format", "Type"), "png": ("Software",)}
_TAG = re.compile(r"<[^>]*>")
_NO_TURN = re.compile(r' transform="rotate\(-0 [^)]*\)"')
_FRACTION = re.compile(r"(\.\d\d)\d+")
_FONT = re.compile(r"font-family: [^;\"]*; ?")
_COLOUR = re.compile("|".join(style.VARIABLES))


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
    start = document.index("<svg ")
    element = re.sub(r" <defs>\n  <style.*?</defs>\n", "", document[start:], flags=re.DOTALL)
    element = element.replace(" version=", f' style="{_JOINTS}" version=', 1)  # was for all tags
    referred = set(re.findall(r"#([\w-]+)", element))
    element = _TAG.sub(lambda tag: _lean(tag.group(), referred, prefix), element)
    return _spoken(re.sub(r"\n\s*", "\n", element), picture, prefix)


_JOINTS = "stroke-linejoin: round; stroke-linecap: butt"


def _lean(tag: str, referred: set[str], prefix: str) -> str:
    """A tag in fewer bytes, in the page's colours and font, its id its own."""
    tag = _FRACTION.sub(r"\1", _FONT.sub("", _NO_TURN.sub("", tag.replace("\n", ""))))
    tag = _COLOUR.sub(lambda colour: style.VARIABLES[colour.group()], tag)
    tag = re.sub(r' id="([^"]*)"', lambda m: m.group() if m.group(1) in referred else "", tag)
    return re.sub(r'( id="|href="#|url\(#)', rf"\1{prefix}-", tag)


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
