"""A part of an encoded clip: mono float32 samples at 16 kHz, decoded where it is wanted only.

The header tells the length, so that a clip can be cut into crops before anything of it is
decoded; a crop of an hour is found by seeking.
"""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

# What libsndfile tells of a length that the header does not hold, as of a FLAC from a pipe.
_UNTOLD = 0x7FFF_FFFF_FFFF_FFFF
# More frames than a byte holds in any format: FLAC's longest block of one value takes 13 bytes for
# 65535. A header that tells more is damaged, and would be cut into crops without end.
_MOST_PER_BYTE = 8000
# Decoded beyond both ends of a crop that is resampled, so that it has no edges there: 1/25 s, a
# whole number of samples at every rate in use. soxr's filter reaches about a tenth as far.
_MARGINS_PER_SECOND = 25
# Seconds of an MP3 decoded before what is wanted: a frame keeps part of its data in the frames
# before it, and mpg123 gives noise or nothing for those just after a jump, up to 0.3 s as measured.
_MP3_LEAD = 1


class BadAudioError(Exception):
    """A clip that cannot be trained on; the message is the reason."""


class Header(NamedTuple):
    """Sample rate in Hz and number of frames (samples of each channel)."""

    rate: int
    frames: int

    def samples(self, rate: int) -> int:
        """Samples at another rate."""
        return max(1, self.frames * rate // self.rate)


def header(encoded: bytes) -> Header:
    """Read a clip's header.

    Raises:
        BadAudioError: no audio, or of a length that is not told or cannot be.
    """
    if not encoded:
        raise BadAudioError("empty, or a link (tar -h puts what it leads to)")
    try:
        with soundfile.SoundFile(BytesIO(encoded)) as file:
            found = Header(file.samplerate, file.frames)
    except soundfile.LibsndfileError as error:
        raise BadAudioError(error.error_string.strip().rstrip(".")) from None
    if found.frames == _UNTOLD:
        raise BadAudioError("no length in its header; encode it again into a file")
    if found.frames < 1:
        raise BadAudioError("no samples")
    if found.frames > _MOST_PER_BYTE * len(encoded):
        raise BadAudioError(f"{found.frames} frames in its header, {len(encoded)} bytes in all")
    return found


def decode(encoded: bytes, clip: Header, first: int, samples: int, rate: int) -> np.ndarray:
    """A part of a clip: channels averaged, resampled (soxr's "HQ"), padded with zeros.

    Args:
        encoded: the clip.
        clip: its header.
        first: where the part begins, in samples at `rate`.
        samples: its length in samples at `rate`; the clip may end before.
        rate: sample rate wanted, Hz.

    Returns:
        (samples,) float32.

    Raises:
        BadAudioError: not decodable, cut short, or not finite.
    """
    margin = 0 if clip.rate == rate else clip.rate // _MARGINS_PER_SECOND
    start = first * clip.rate // rate
    before = min(margin, start)
    stop = min(clip.frames, start + -(-samples * clip.rate // rate) + margin)
    mono = _mono(encoded, start - before, stop)
    if clip.rate != rate:
        mono = soxr.resample(mono, clip.rate, rate, quality="HQ")[before * rate // clip.rate :]
    if not np.isfinite(mono).all():
        raise BadAudioError("NaN or infinite samples")
    padded = np.zeros(samples, np.float32)
    padded[: len(mono)] = mono[:samples]
    return padded


def _mono(encoded: bytes, start: int, stop: int) -> np.ndarray:
    """Frames from `start` to `stop`, channels averaged."""
    try:
        with soundfile.SoundFile(BytesIO(encoded)) as file:
            lead = min(start, _MP3_LEAD * file.samplerate) if file.format == "MP3" else 0
            file.seek(start - lead)
            audio = file.read(lead + stop - start, dtype="float32", always_2d=True)[lead:]
    except soundfile.LibsndfileError as error:
        raise BadAudioError(error.error_string.strip().rstrip(".")) from None
    if len(audio) < stop - start:
        raise BadAudioError(f"cut short: {len(audio)} of {stop - start} frames from {start} on")
    return audio[:, 0] if audio.shape[1] == 1 else audio.mean(axis=1)
