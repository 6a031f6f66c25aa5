"""Where words lie in a picture, turned ones too."""

import numpy as np
from matplotlib.text import Text


def spots(text: Text, across: int = 30, up: int = 5) -> np.ndarray:
    """Points all over the words: (across × up, 2) in pixels. Turned words stand on their middle."""
    turn = np.radians(text.get_rotation())
    text.set_rotation(0)
    box = text.get_window_extent().padded(-1)
    text.set_rotation(np.degrees(turn))
    grid = np.meshgrid(np.linspace(box.x0, box.x1, across), np.linspace(box.y0, box.y1, up))
    points = np.column_stack([axis.ravel() for axis in grid])
    middle = text.get_transform().transform(text.get_position()) if turn else points.mean(axis=0)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (points - points.mean(axis=0)) @ turned + middle


def collide(one: Text, other: Text) -> bool:
    """Whether words lie on words; at most one of the two is turned."""
    still, moved = (one, other) if not one.get_rotation() else (other, one)
    box = still.get_window_extent().padded(-1)
    x, y = spots(moved).T
    over = (x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)
    return bool(over.any()) and not still.get_rotation()
