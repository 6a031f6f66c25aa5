"""The regression gate: new records against the committed ones that they are held to."""

from harness.gate.check import TOLERANCE, Checked, check
from harness.gate.folder import Selection, read
from harness.gate.scores import points
from harness.gate.update import update

__all__ = ["TOLERANCE", "Checked", "Selection", "check", "points", "read", "update"]
