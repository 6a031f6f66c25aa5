"""Models compared on the same clips: `python -m harness compare`."""

from harness.comparison.page import sections
from harness.comparison.pairs import Results, read

__all__ = ["Results", "read", "sections"]
