"""Decoding: against soundfile, scipy's resampler and the definition of downmixing."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from harness import audio
from harness.audio import BadAudio, Decoder, decode
from tasks.archive import Place, Tree

RATE = 16000


def tone(seconds: float, rate: int, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def test_same_rate_gives_the_samples_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    samples = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    soundfile.write(file, samples, RATE, subtype="FLOAT")
    decoded = decode(Place(path=str(file)), RATE)
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, samples)


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "AIFF"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_every_bit_is_that_of_soundfile(tmp_path: Path, format: str, channels: int) -> None:
    file = tmp_path / f"a.{format.lower()}"
    samples = np.random.default_rng(0).uniform(-1, 1, (5000, channels))
    soundfile.write(file, samples, RATE, format=format)
    expected, _ = soundfile.read(file, dtype="float32", always_2d=True)
    mono = expected.mean(axis=1) if channels > 1 else expected[:, 0]
    np.testing.assert_array_equal(decode(Place(path=str(file)), RATE), mono)


def test_channels_are_averaged_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of a clip of minutes are."""
    samples = np.random.default_rng(0).uniform(-1, 1, (5000, 2))
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    whole = decode(Place(path=str(tmp_path / "a.wav")), RATE)
    monkeypatch.setattr(audio, "_FRAMES_AT_ONCE", 999)
    np.testing.assert_array_equal(decode(Place(path=str(tmp_path / "a.wav")), RATE), whole)


def test_clips_of_one_thread_do_not_mix(tmp_path: Path) -> None:
    """A long clip, then a short one: nothing of the first is left for the second."""
    decoded = []
    for name, length in (("long", 50_000), ("short", 10)):
        soundfile.write(tmp_path / f"{name}.flac", tone(length / RATE, RATE), RATE)
        decoded.append(decode(Place(path=str(tmp_path / f"{name}.flac")), RATE))
    assert [len(clip) for clip in decoded] == [50_000, 10]
    (tmp_path / "shorter.flac").write_bytes((tmp_path / "short.flac").read_bytes()[:30])
    with pytest.raises(BadAudio, match=r"shorter\.flac"):
        decode(Place(path=str(tmp_path / "shorter.flac")), RATE)


def test_a_clip_that_is_held_in_several_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one beyond 2 GiB is."""
    soundfile.write(tmp_path / "a.flac", tone(0.5, RATE), RATE)
    whole = decode(Place(path=str(tmp_path / "a.flac")), RATE)
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda to, left, at: write(to, left[:1000], at))
    np.testing.assert_array_equal(decode(Place(path=str(tmp_path / "a.flac")), RATE), whole)


def test_channels_are_averaged(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    stereo = np.random.default_rng(0).uniform(-1, 1, (4000, 2)).astype(np.float32)
    soundfile.write(file, stereo, RATE, subtype="FLOAT")
    np.testing.assert_allclose(decode(Place(path=str(file)), RATE), stereo.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_resampling_agrees_with_scipy_and_keeps_the_duration(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "a.flac"
    soundfile.write(file, tone(1.0, rate), rate, subtype="PCM_24")
    decoded = decode(Place(path=str(file)), RATE)
    assert abs(len(decoded) - RATE) <= 1
    expected = resample_poly(tone(1.0, rate), RATE, rate)
    inner = slice(RATE // 10, -RATE // 10)  # the filters treat the clip's ends differently
    np.testing.assert_allclose(decoded[inner], expected[: len(decoded)][inner], atol=2e-3)


def test_resampling_removes_what_would_alias(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    soundfile.write(file, tone(1.0, 48000, hertz=12000.0), 48000, subtype="FLOAT")
    assert np.abs(decode(Place(path=str(file)), RATE)[1000:-1000]).max() < 1e-4


def test_member_of_a_zip_equals_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.flac"
    soundfile.write(file, tone(0.3, 22050), 22050)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(file, "set/a.flac")
    inside = decode(Tree(tmp_path, 1 << 20).place("a.zip/set/a.flac"), RATE)
    np.testing.assert_array_equal(inside, decode(Place(path=str(file)), RATE))


def test_a_flac_without_a_length_in_its_header(tmp_path: Path) -> None:
    file = tmp_path / "piped.flac"
    soundfile.write(file, tone(1.0, RATE), RATE)
    data = bytearray(file.read_bytes())
    data[21] &= 0xF0  # STREAMINFO's 36 bits of total samples: 0 means unknown
    data[22:26] = bytes(4)
    file.write_bytes(data)
    with pytest.raises(BadAudio, match=r"piped\.flac: expected a length"):
        decode(Place(path=str(file)), RATE)


def test_a_header_that_promises_more_than_memory_holds(tmp_path: Path) -> None:
    file = tmp_path / "damaged.flac"
    soundfile.write(file, tone(1.0, RATE), RATE)
    data = bytearray(file.read_bytes())
    data[21] |= 0x0F
    data[22:26] = b"\xff\xff\xff\xff"
    file.write_bytes(data)
    with pytest.raises(BadAudio, match=r"damaged\.flac: .*68719476735 samples"):
        decode(Place(path=str(file)), RATE)


def write_bad(kind: str, file: Path) -> None:
    good = tone(1.0, RATE)
    match kind:
        case "text":
            file.write_text("this is not audio")
        case "no bytes":
            file.write_bytes(b"")
        case "no samples":
            soundfile.write(file, np.zeros(0), RATE, subtype="FLOAT", format="WAV")
        case "NaN":
            soundfile.write(
                file, np.where(good > 0.49, np.nan, good), RATE, subtype="FLOAT", format="WAV"
            )
        case "infinity":
            soundfile.write(
                file, np.where(good > 0.49, np.inf, good), RATE, subtype="FLOAT", format="WAV"
            )
        case "cut flac":
            soundfile.write(
                file, np.random.default_rng(0).uniform(-1, 1, RATE), RATE, format="FLAC"
            )
            file.write_bytes(file.read_bytes()[:9000])
        case "folder":
            file.mkdir()
        case "missing":
            pass


@pytest.mark.parametrize(
    "kind", ["text", "no bytes", "no samples", "NaN", "infinity", "cut flac", "folder", "missing"]
)
def test_bad_audio_names_the_file_in_one_line(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "bad-clip.wav"
    write_bad(kind, file)
    with pytest.raises(BadAudio, match=r"bad-clip\.wav") as caught:
        decode(Place(path=str(file)), RATE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_decoder_gives_clips_and_errors_in_the_order_asked(tmp_path: Path, workers: int) -> None:
    lengths = [100 + number for number in range(67)]
    places = [Place(path=str(tmp_path / f"{length}.wav")) for length in lengths]
    for place, length in zip(places, lengths, strict=True):
        soundfile.write(place.path, np.zeros(length), RATE)
    Path(places[5].path).write_text("x")
    with Decoder(RATE, workers) as decoder:
        first, second = decoder.start(places), decoder.start(places[:1])
        found = list(first)
        assert [len(clip) for clip in second] == lengths[:1]
        assert list(decoder.start([])) == []
    assert isinstance(found.pop(5), BadAudio)
    assert [len(clip) for clip in found] == lengths[:5] + lengths[6:]


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "MS_ADPCM"])
def test_a_wav_that_is_cut_short_is_refused_but_not_in_an_archive(
    tmp_path: Path, subtype: str
) -> None:
    """There only the archive could be cut, and it tells: the data set's own file is as it is."""
    file = tmp_path / "a.wav"
    soundfile.write(file, tone(1.0, RATE), RATE, subtype=subtype)
    file.write_bytes(file.read_bytes()[:6000])
    with pytest.raises(BadAudio, match=r"a\.wav: expected the samples .* the file is cut short"):
        decode(Place(path=str(file)), RATE)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(file, "a.wav")
    assert len(decode(Tree(tmp_path, 1 << 20).place("a.zip/a.wav"), RATE)) > 1000
