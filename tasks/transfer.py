"""One file over HTTP from one address: resumed after every break, for a bounded time.

What is trusted of an answer: status 200 starts over, 206 goes on only where its
Content-Range says so, and an HTML page is never data (RFC 9110, sections 14 and 15).
"""

import email.utils
import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from tasks.spec import Archive

Progress = Callable[[str, int, int | None], None]

_BLOCK = 1 << 18
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_HTML = (b"<!doctype html", b"<html")


class RefusedError(Exception):
    """The address does not give the file; asking it again would not help."""


class _BrokenOffError(Exception):
    """The transfer broke off and may be taken up again."""

    def __init__(self, reason: str, *, retry_after: float = 0.0, stalled: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.stalled = stalled


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an address is tried.

    `fruitless`: tries in a row that bring nothing new; `tries`: all tries. Waits, in
    seconds, double from `first_wait` to `longest_wait`, and a Retry-After beyond that is
    not waited for. `timeout`: seconds of silence; `slowest`: bytes per second over that time.
    """

    fruitless: int = 5
    tries: int = 1000
    first_wait: float = 1.0
    longest_wait: float = 120.0
    timeout: float = 30.0
    slowest: float = 100.0


@dataclass
class Transfer:
    """Brings `part`, opened for appending, up to the whole of the file at `url`."""

    url: str
    archive: Archive
    part: BinaryIO
    patience: Patience = field(default_factory=Patience)
    progress: Progress | None = None
    resumed: bool = False  # whether its parts came with several answers
    _validator: str = ""  # the server's own name for this version of the file
    _answered: bool = False

    def run(self) -> None:
        """Try until the file is complete. Raises RefusedError, or OSError if writing fails."""
        fruitless = 0
        for _ in range(self.patience.tries):
            before = self._size()
            try:
                return self._attempt()
            except _BrokenOffError as broken:
                gained = self._size() > before and not broken.stalled
                fruitless = 0 if gained else fruitless + 1
                if fruitless == self.patience.fruitless:
                    raise RefusedError(f"{broken}, {fruitless} times") from broken
                self._wait(fruitless, broken)
        raise RefusedError(f"still incomplete after {self.patience.tries} tries")

    def _wait(self, fruitless: int, broken: _BrokenOffError) -> None:
        if broken.retry_after > self.patience.longest_wait:
            raise RefusedError(f"{broken}, asks to wait {broken.retry_after:.0f} s") from broken
        backoff = self.patience.first_wait * 2 ** max(fruitless - 1, 0)
        time.sleep(max(broken.retry_after, min(backoff, self.patience.longest_wait)))

    def _attempt(self) -> None:
        size = self._size()
        # Two versions of a file must not be spliced: the checksum would tell, or the server.
        spliced = not (self.archive.checksum or self._validator)
        if spliced or (self.archive.size is not None and size > self.archive.size):
            self.part.truncate(0)
        elif size and size == self.archive.size:
            return
        try:
            response = self._open(self._size())
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
            return
        with response:
            self._answered = True
            self._copy(response, self._total(response))

    def _open(self, start: int) -> http.client.HTTPResponse:
        request = urllib.request.Request(self.url, headers={"Accept-Encoding": "identity"})
        if start:
            request.add_header("Range", f"bytes={start}-")
            if self._validator and not self.archive.checksum:
                request.add_header("If-Range", self._validator)
        try:
            # A new opener each time: it takes the proxies from the environment as it is now.
            opener = urllib.request.build_opener()
            response: http.client.HTTPResponse = opener.open(request, timeout=self.patience.timeout)
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError) or not (
                self._answered or _transient(reason)
            ):
                raise RefusedError(_said(reason)) from error
            raise _BrokenOffError(_said(reason)) from error
        return response

    def _refused(self, error: urllib.error.HTTPError) -> None:
        """Take an error status: done after all, try again, or give up this address."""
        reason = f"{error.code} {' '.join(str(error.reason).split())}"
        if error.code == 416:
            if error.headers.get("Content-Range") == f"bytes */{self._size()}":
                return
            self.part.truncate(0)
            raise _BrokenOffError(reason)
        if error.code in _BUSY:
            raise _BrokenOffError(
                reason, retry_after=_retry_after(error.headers.get("Retry-After"))
            )
        raise RefusedError(reason)

    def _total(self, response: http.client.HTTPResponse) -> int | None:
        """Check the head of an answer and return the size of the whole file, if it is told."""
        length = response.headers.get("Content-Length")
        if response.headers.get_content_type() == "text/html":
            raise RefusedError("an HTML page instead of the file")
        if response.status == 206:
            told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if not told or int(told[1]) != self._size():
                self.part.truncate(0)
                raise _BrokenOffError("another part of the file than asked for")
            total = None if told[2] == "*" else int(told[2])
            self.resumed = True
        elif response.status == 200:
            self.part.truncate(0)
            total = int(length) if length else None
        else:
            raise RefusedError(f"status {response.status}")
        if total is not None and self.archive.size not in (None, total):
            raise RefusedError(f"expected {self.archive.size} bytes, found {total}")
        tag = response.headers.get("ETag", "")
        weak = tag.startswith("W/")
        self._validator = response.headers.get("Last-Modified", "") if weak or not tag else tag
        return total

    def _copy(self, response: http.client.HTTPResponse, total: int | None) -> None:
        window, in_window = time.monotonic(), 0
        while block := _read(response):
            if not self._size() and block.lstrip()[:14].lower().startswith(_HTML):
                raise RefusedError("an HTML page instead of the file")
            self.part.write(block)
            self.part.flush()
            if self.progress:
                self.progress(self.archive.filename, self._size(), total)
            in_window += len(block)
            if time.monotonic() - window > self.patience.timeout:
                if in_window < self.patience.slowest * self.patience.timeout:
                    raise _BrokenOffError(
                        f"slower than {self.patience.slowest:g} bytes/s", stalled=True
                    )
                window, in_window = time.monotonic(), 0
        if total is not None and self._size() != total:
            raise _BrokenOffError(f"closed after {self._size()} of {total} bytes")

    def _size(self) -> int:
        return os.fstat(self.part.fileno()).st_size


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(_said(error)) from error


def _transient(reason: object) -> bool:
    """Whether a first contact that failed so may succeed later; no network at all is final."""
    return isinstance(
        reason, TimeoutError | ConnectionError | http.client.HTTPException
    ) and not isinstance(reason, ConnectionRefusedError)


def _said(reason: object) -> str:
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _retry_after(value: str | None) -> float:
    """Return the seconds to wait: the header holds a number or a date."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
