"""One clip: from its bytes on disk to mono float32 samples at the encoder's rate."""

import os
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import soundfile
import soxr

from harness.errors import UserError
from tasks import wav
from tasks.archive import DamagedError, Place, read_bytes
from tasks.measure import UNTOLD, cut_short

# Parts that clips asked for at once are divided into, which a thread decodes before it hands them
# over. To hand over each clip costs as much as a short one; many long ones leave the CPU's cache.
PARTS = 8
_STEP_OF_16_BITS = np.float32(2.0**-15)
_FRAMES_AT_ONCE = 1 << 20  # of several channels, averaged: bounds the memory of long clips

Decoded = Iterator["np.ndarray | BadAudio"]


class BadAudio(UserError):
    """A clip that cannot be measured: unreadable, empty, cut short or not finite."""


def decode(location: Place, sample_rate: int) -> np.ndarray:
    """Decode, downmix and resample one clip.

    Channels are averaged. Resampling is soxr's "HQ" recipe (band-limited, linear phase).

    Args:
        location: the clip.
        sample_rate: rate wanted, Hz.

    Returns:
        (samples,) float32, at least one sample.

    Raises:
        BadAudio: names the file and says what is wrong with it.
    """
    try:
        encoded = read_bytes(location)
    except DamagedError as error:
        raise BadAudio(str(error)) from None
    except OSError as error:
        raise BadAudio(f"{location}: could not be read ({error.strerror or error})") from None
    mono, rate = _by_numpy(encoded) or _by_libsndfile(encoded, location)
    del encoded  # a long clip is held once, not once more while it is resampled
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate, quality="HQ")
        if len(mono) == 0:
            raise BadAudio(f"{location}: expected audio, found none left at {sample_rate} Hz")
    return np.ascontiguousarray(mono, dtype=np.float32)


def _by_numpy(encoded: bytes) -> tuple[np.ndarray, int] | None:
    """Samples (frames,) float32 and their rate, of a plain 16-bit WAV; None of others.

    libsndfile gives the same bits, in a dozen calls that each give the interpreter's lock
    away: with clips of one second, two threads are slower than one.
    """
    plain = wav.plain(encoded)
    if plain is None or plain.bits != 16:
        return None
    integers = np.frombuffer(encoded, "<i2", plain.frames * plain.channels, plain.start)
    if plain.channels == 1:
        return np.multiply(integers, _STEP_OF_16_BITS, dtype=np.float32), plain.rate
    frames = integers.reshape(plain.frames, plain.channels)
    mono = np.empty(plain.frames, dtype=np.float32)
    for start in range(0, plain.frames, _FRAMES_AT_ONCE):
        some = slice(start, start + _FRAMES_AT_ONCE)
        np.multiply(frames[some], _STEP_OF_16_BITS, dtype=np.float32).mean(axis=1, out=mono[some])
    return mono, plain.rate


def _by_libsndfile(encoded: bytes, location: Place) -> tuple[np.ndarray, int]:
    """Samples (frames,) float32 and their rate, of any format."""
    if cut_short(location, encoded):
        raise BadAudio(
            f"{location}: expected the samples that its header promises, found fewer; the file is "
            "cut short"
        )
    try:
        with soundfile.SoundFile(_held(encoded), closefd=False) as file:
            promised = file.frames
            if promised == UNTOLD:
                raise BadAudio(
                    f"{location}: expected a length in its header, found none (as when a FLAC is "
                    "written to a pipe); encode it again into a file"
                )
            audio = np.empty((promised, file.channels), dtype=np.float32)
            found = file.buffer_read_into(audio, dtype="float32") if promised else 0
            rate, whole_numbers = file.samplerate, file.subtype.startswith("PCM")
    except soundfile.LibsndfileError as error:
        raise BadAudio(
            f"{location}: expected an audio file, could not decode it ({error.error_string})"
        ) from None
    except MemoryError:
        raise BadAudio(
            f"{location}: expected audio that fits in memory, found a header that promises "
            f"{promised} samples"
        ) from None
    if found == 0:
        raise BadAudio(f"{location}: expected audio, found no samples")
    if found < promised:
        raise BadAudio(
            f"{location}: expected {promised} samples as its header says, found {found}; "
            "the file is cut short"
        )
    if not whole_numbers and not np.isfinite(audio).all():
        raise BadAudio(f"{location}: expected finite samples, found NaN or infinity")
    return audio[:, 0] if audio.shape[1] == 1 else audio.mean(axis=1), rate


class _Scratch:
    """A file without a name, for a thread to hold one clip after the other.

    From a file libsndfile reads without the interpreter's lock. From an object of Python's it
    asks for every few kilobytes with it, and threads wait for each other.
    """

    def __init__(self) -> None:
        if sys.platform == "linux":
            self._descriptor = os.memfd_create("clip")
        else:
            with tempfile.TemporaryFile() as file:
                self._descriptor = os.dup(file.fileno())

    def __del__(self) -> None:
        os.close(self._descriptor)

    def hold(self, encoded: bytes) -> int:
        """Return the descriptor of the file that holds `encoded`, until the next is to be held."""
        left, written = memoryview(encoded), 0
        while written < len(encoded):  # one call writes 2 GiB at most
            written += os.pwrite(self._descriptor, left[written:], written)
        os.ftruncate(self._descriptor, len(encoded))
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return self._descriptor


_thread = threading.local()


def _held(encoded: bytes) -> int:
    if getattr(_thread, "process", None) != os.getpid():  # two processes must not share one
        _thread.process, _thread.scratch = os.getpid(), _Scratch()
    return _thread.scratch.hold(encoded)


def _clips(parts: "deque[Future[list[np.ndarray | BadAudio]]]") -> Decoded:
    while parts:  # nothing is held that has been handed over
        yield from parts.popleft().result()


class Decoder:
    """Decodes clips on worker threads, ahead of the encoder.

    Threads, not processes: libsndfile and soxr work without the interpreter's
    lock, so the samples need not be copied between processes.
    """

    def __init__(self, sample_rate: int, workers: int) -> None:
        self._sample_rate = sample_rate
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")

    def start(self, places: Sequence[Place]) -> Decoded:
        """Start decoding; iterate to get the clips in order, `BadAudio` for a bad one."""
        together = max(1, len(places) // max(PARTS, 2 * self._workers))
        parts = (places[at : at + together] for at in range(0, len(places), together))
        return _clips(deque(self._pool.submit(self._decode, part) for part in parts))

    def _decode(self, places: Sequence[Place]) -> "list[np.ndarray | BadAudio]":
        return [self._attempt(place) for place in places]

    def _attempt(self, place: Place) -> "np.ndarray | BadAudio":
        try:
            return decode(place, self._sample_rate)
        except BadAudio as error:
            return error

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
