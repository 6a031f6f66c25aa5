"""The harness's name for a mistake that the user can mend."""

from tasks.errors import UserError

__all__ = ["UserError"]
