"""The one exception for a mistake that the user can mend."""


class UserError(Exception):
    """A user's mistake, in one line: what was expected, what was found, what to do.

    The command line prints it without a traceback and exits with code 2. Every
    other exception is a fault of the program and keeps its traceback.
    """
