"""An SVG document → an element of a page: small, in the page's colours and font, ids its own."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from harness.figures import style

_REFERENCE = re.compile(r"url\(#([\w-]+)\)|^#([\w-]+)$")
_FRACTION = re.compile(r"(\.\d\d)\d+")
_FONT = re.compile(r"font-family: [^;]*(; )?")
_COLOUR = re.compile("|".join(style.VARIABLES))
# What matplotlib says of all tags in a style sheet, which in a page would be all the page's tags.
_JOINTS = "stroke-linejoin:round;stroke-linecap:butt"


def element(document: str, prefix: str) -> str:
    """The element; each of its ids begins with `prefix`.

    Nothing is clipped: the pictures draw nothing beyond their panels.
    """
    root = ElementTree.fromstring(document)
    for node in root.iter():
        node.tag = _local(node.tag)
        node.attrib = {_local(name): _lean(name, value) for name, value in node.attrib.items()}
    values = [value for node in root.iter() for value in node.attrib.values()]
    referred = {"".join(found) for value in values for found in _REFERENCE.findall(value)}
    for node in root.iter():
        _name(node, prefix, referred)
        node[:] = [each for child in node for each in _kept(child)]
        node.tail = "\n"
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("style", _JOINTS)
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _lean(name: str, value: str) -> str:
    """The value of an attribute in fewer letters, its colours the page's."""
    value = _FRACTION.sub(r"\1", re.sub(r"\s+", " ", value).strip())
    if name == "style":
        value = _FONT.sub("", value).replace("; ", ";").replace(": ", ":")
    return _COLOUR.sub(lambda colour: style.VARIABLES[colour.group()], value)


def _name(node: Element, prefix: str, referred: set[str]) -> None:
    """Ids that something refers to get the prefix; others go, with clips and turns by 0."""
    for attribute in ("clip-path", *(["transform"] if _is_still(node) else [])):
        node.attrib.pop(attribute, None)
    if node.get("id") in referred:
        node.set("id", f"{prefix}-{node.get('id')}")
    else:
        node.attrib.pop("id", None)
    for attribute, value in node.attrib.items():
        if attribute == "href":
            node.set(attribute, f"#{prefix}-{value[1:]}")
        else:
            node.set(attribute, value.replace("url(#", f"url(#{prefix}-"))


def _is_still(node: Element) -> bool:
    return node.get("transform", "").startswith("rotate(-0 ")


def _kept(node: Element) -> Iterator[Element]:
    """The node, or what is in it if it only groups; points that look alike as one group."""
    if node.tag == "clipPath" or node.find("style") is not None:
        return
    looks = {child.get("style", "") for child in node if child.tag == "use"}
    if node.tag == "g" and len(looks) == 1 and len(node) > 1:
        for child in node:
            child.attrib.pop("style", None)
        node.set("style", looks.pop())
    if node.tag == "g" and not set(node.attrib) - {"id", "clip-path"}:
        for child in node:
            yield from _kept(child)
    else:
        yield node
