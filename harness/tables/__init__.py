"""Records → the tables that people read."""

from harness.tables.page import brief, markdown

__all__ = ["brief", "markdown"]
