"""Records → the tables that people read."""

from harness.tables.by_protocol import brief, sections

__all__ = ["brief", "sections"]
