"""Records → one HTML file that people read, and what it tells of each record."""

from harness.report.page import html

__all__ = ["html"]
