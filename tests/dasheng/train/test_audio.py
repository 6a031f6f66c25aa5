"""Parts of clips against the whole clip, decoded and resampled at once."""

import io
import struct

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.train.audio import BadAudioError, Header, decode, header
from tests.dasheng.train.shards_of import FORMATS, encoded, noise

RATE = 16000


def music(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    """Tones that no format takes much from, another in each channel."""
    time = np.arange(int(seconds * rate)) / rate
    tones = [0.3 * np.sin(2 * np.pi * (300 + 200 * c) * time * (1 + time)) for c in range(channels)]
    return np.stack(tones, axis=1).astype(np.float32)


def whole(file: bytes) -> np.ndarray:
    audio, rate = soundfile.read(io.BytesIO(file), dtype="float32", always_2d=True)
    return soxr.resample(audio.mean(axis=1), rate, RATE, quality="HQ")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (24000, 6), (48000, 2)])
def test_crops_of_every_format_are_parts_of_the_whole(
    suffix: str, rate: int, channels: int
) -> None:
    if suffix == "mp3" and channels > 2:
        channels = 2  # all that MP3 has
    file = encoded(music(2.5, rate, channels), rate, suffix)
    clip = header(file)
    assert clip.samples(RATE) == pytest.approx(2.5 * RATE, abs=2000)
    expected = whole(file)
    for first, samples in [(0, 6400), (6400, 6400), (32000, 16000)]:
        crop = decode(file, clip, first, samples, RATE)
        part = expected[first : first + samples]
        assert crop.dtype == np.float32
        assert crop.shape == (samples,)
        np.testing.assert_allclose(crop[: len(part)], part, atol=2e-4)
        assert not crop[len(part) :].any()


@settings(deadline=None, max_examples=25)
@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050, 32000, 44100]),
    frames=st.integers(1, 30000),
    crop=st.sampled_from([16000, 3200]),
)
def test_crops_side_by_side_are_the_whole(rate: int, frames: int, crop: int) -> None:
    file = encoded(0.5 * music(frames / rate, rate)[:frames], rate)
    clip = header(file)
    count = -(-clip.samples(RATE) // crop)
    crops = [decode(file, clip, n * crop, crop, RATE) for n in range(count)]
    expected = whole(file)
    together = np.concatenate(crops)[: len(expected)]
    np.testing.assert_allclose(together, expected[: len(together)], atol=2e-4)


def test_a_crop_of_an_hour_is_found_without_decoding_what_is_before() -> None:
    hour = 3600 * RATE
    file = encoded(np.zeros(hour, np.float32))
    clip = header(file)
    assert clip == Header(RATE, hour)

    class Counted(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            self.total = getattr(self, "total", 0) + len(buffer)  # type: ignore[arg-type]
            return super().readinto(buffer)  # type: ignore[arg-type]

    counted = Counted(file)
    with soundfile.SoundFile(counted) as opened:
        opened.seek(hour - 5 * RATE)
        opened.read(RATE)
    assert counted.total < len(file) / 3
    assert decode(file, clip, hour - 10 * RATE, 10 * RATE, RATE).shape == (10 * RATE,)


@pytest.mark.parametrize("samples", [1, 50])
def test_a_very_short_clip_is_padded(samples: int) -> None:
    file = encoded(noise(samples), suffix="wav", subtype="FLOAT")
    crop = decode(file, header(file), 0, 16000, RATE)
    np.testing.assert_array_equal(crop[:samples], noise(samples))
    assert not crop[samples:].any()


def test_silence_is_audio() -> None:
    file = encoded(np.zeros(100, np.float32))
    assert not decode(file, header(file), 0, 100, RATE).any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_bad(value: float) -> None:
    audio = noise(3000)
    audio[1500] = value
    file = encoded(audio, suffix="wav", subtype="FLOAT")
    clip = header(file)
    assert decode(file, clip, 0, 1000, RATE).any()
    with pytest.raises(BadAudioError, match="NaN or infinite"):
        decode(file, clip, 1000, 1000, RATE)


def test_headers_that_say_nothing_are_bad() -> None:
    for content, reason in [
        (b"", "empty"),
        (b"some text", "[Ff]ormat"),
        (encoded(noise(100))[:20], "."),
        (encoded(noise(0), suffix="wav"), "no samples"),
        (_of_length(encoded(noise(9000)), 0), "no length"),
        (_of_length(encoded(noise(9000)), 1 << 35), "34359738368 frames in its header"),
    ]:
        with pytest.raises(BadAudioError, match=reason) as error:
            header(content)
        assert "\n" not in str(error.value)


def test_a_clip_that_is_cut_short_is_bad_from_there_on() -> None:
    file = encoded(noise(48000))
    clip = header(file)
    cut = file[: len(file) // 2]
    np.testing.assert_allclose(
        decode(cut, clip, 0, 16000, RATE), decode(file, clip, 0, 16000, RATE)
    )
    with pytest.raises(BadAudioError, match=r"."):
        decode(cut, clip, 32000, 16000, RATE)


@settings(deadline=None, max_examples=60)
@given(suffix=st.sampled_from(sorted(FORMATS)), data=st.data())
def test_damage_anywhere_is_bad_or_harmless(suffix: str, data: st.DataObject) -> None:
    file = bytearray(encoded(music(0.5, RATE), suffix=suffix))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at : at + 20] = data.draw(st.binary(min_size=1, max_size=20))
    try:
        crop = decode(bytes(file), header(bytes(file)), 0, 8000, RATE)
    except BadAudioError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(crop).all()


@pytest.mark.parametrize("suffix", FORMATS)
def test_minutes_of_silence_are_not_too_many_for_their_bytes(suffix: str) -> None:
    silence = np.zeros(100 * 8000, np.float32)
    assert header(encoded(silence, 8000, suffix)).samples(8000) >= len(silence)


def _of_length(flac: bytes, samples: int) -> bytes:
    """A FLAC whose header tells another number of samples, 36 bits; 0 if written into a pipe."""
    (bits,) = struct.unpack(">Q", flac[18:26])
    return flac[:18] + struct.pack(">Q", bits >> 36 << 36 | samples) + flac[26:]
