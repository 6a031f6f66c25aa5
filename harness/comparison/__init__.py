"""Models compared on the same clips: `python -m harness compare`."""

from harness.comparison.facts import as_csv, as_json
from harness.comparison.page import sections
from harness.comparison.pairs import Results, read

__all__ = ["Results", "as_csv", "as_json", "read", "sections"]
