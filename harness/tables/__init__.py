"""Records → the tables that people read."""

from harness.tables.page import markdown

__all__ = ["markdown"]
