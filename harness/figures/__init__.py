"""Records → the pictures that people look at, as SVG and PNG."""

from harness.figures.gallery import KINDS, pictures
from harness.figures.picture import Picture, png, svg

__all__ = ["KINDS", "Picture", "pictures", "png", "svg"]
