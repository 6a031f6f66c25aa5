"""A download's progress on standard error: a bar on a terminal, a line per tenth elsewhere."""

import sys
from types import TracebackType

_WIDTH = 30


class Progress:
    """Shows (file name, bytes done, bytes in all or None); what `tasks.download.fetch` calls."""

    def __init__(self) -> None:
        self._shown = -1
        self._open_line = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open_line:
            sys.stderr.write("\n")

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Draw, at most once per percent on a terminal and once per tenth elsewhere."""
        terminal = sys.stderr.isatty()
        step = (100 if terminal else 10) * done // total if total else done // (10 << 20)
        if step == self._shown:
            return
        self._shown = step
        amount = f"{done / 1e6:,.0f}" + (f" of {total / 1e6:,.0f} MB" if total else " MB")
        if terminal:
            full = _WIDTH * done // total if total else 0
            sys.stderr.write(f"\r{name} [{'#' * full}{' ' * (_WIDTH - full)}] {amount}")
            self._open_line = True
        else:
            sys.stderr.write(f"{name}: {amount}\n")
        sys.stderr.flush()
