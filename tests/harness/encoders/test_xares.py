"""Encoder files of X-ARES: each clip as alone, tokens at their times, and one line for mistakes."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from harness import contract
from harness.encoder import load
from harness.encoders import xares
from harness.errors import UserError
from harness.fingerprint import joined
from tests.harness.encoders.small_encoder import SmallEncoder

FILE = Path(__file__).parent / "small_encoder.py"
HEAD = """
import torch

class {name}(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sampling_rate = 16000
        self.output_dim = 4
        self.hop_size_in_ms = 40
        {init}

    def forward(self, audio):
        tokens = audio.unfold(1, 640, 640)[..., :4]
        return {output}
"""


def written(
    file: Path, *, name: str = "MyEncoder", init: str = "pass", output: str = "tokens"
) -> str:
    """The spec of an encoder file in which one thing is otherwise."""
    file.write_text(HEAD.format(name=name, init=init, output=output))
    return f"xares:{file}"


def noise(rows: int, samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(rows, samples, generator=torch.Generator().manual_seed(seed))


def pooled(tokens: Tensor) -> Tensor:
    """X-ARES' pooling, `masked_mean` of its trainer.py, of clips without padding."""
    x = tokens.transpose(1, 2)
    mask = torch.ones(len(x), 1, x.shape[2])
    return (x * mask).sum(-1) / mask.sum(-1)


def test_scene_is_what_xares_pools() -> None:
    model, own = xares.load_model(str(FILE)), SmallEncoder().eval()
    for samples in (16000, 17000, 50000):
        clip = noise(1, samples)
        expected = pooled(own(clip.clone()))
        torch.testing.assert_close(xares.get_scene_embeddings(clip, model), expected)


@settings(deadline=None, max_examples=20)
@given(
    levels=st.lists(st.floats(1e-3, 1.0), min_size=2, max_size=5, unique=True),
    samples=st.integers(640, 40000),
)
def test_an_embedding_depends_on_its_clip_alone(levels: list[float], samples: int) -> None:
    model = xares.load_model(str(FILE))
    audio = noise(len(levels), samples) * torch.tensor(levels)[:, None] + 0.1
    before = audio.clone()
    scenes = xares.get_scene_embeddings(audio, model)
    tokens, times = xares.get_timestamp_embeddings(audio, model)
    assert torch.equal(audio, before)
    assert tokens.shape[:2] == times.shape
    for row in range(len(audio)):
        alone = audio[row : row + 1]
        assert torch.equal(scenes[row], xares.get_scene_embeddings(alone, model)[0])
        assert torch.equal(tokens[row], xares.get_timestamp_embeddings(alone, model)[0][0])


def test_the_file_itself_does_depend_on_its_batch() -> None:
    audio = noise(2, 16000) * torch.tensor([[1.0], [0.01]])
    own = SmallEncoder().eval()
    together, alone = own(audio.clone()), own(audio[1:].clone())
    assert not torch.allclose(together[1:], alone, rtol=0.5)


def test_a_sound_file_passes_every_check() -> None:
    report = contract.validate(f"xares:{FILE}", "cpu")
    assert report.ok, "\n".join(report.lines())
    assert report.facts["hop_ms"] == 40.0
    assert not report.facts["takes_lengths"]


def test_the_encoder_is_known_by_its_file_and_weights() -> None:
    encoder = load(f"xares:{FILE}", "cpu")
    digest = joined(encoder.weights_sha256, encoder.code_sha256)
    assert encoder.name == f"xares-small_encoder-{digest[:8]}"
    assert (encoder.sample_rate, encoder.embedding_size, encoder.ragged) == (16000, 8, False)
    assert encoder.parameters == 8 * 640 + 8


def test_code_that_changed_shows_in_the_canary(tmp_path: Path) -> None:
    one = load(written(tmp_path / "one.py"), "cpu")
    other = load(written(tmp_path / "other.py", output="tokens + 1"), "cpu")
    assert one.weights_sha256 == other.weights_sha256
    assert one.canary != other.canary


def test_code_that_changed_for_other_clips_than_the_canary_has_another_name(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.py")
    before = load(file, "cpu")
    path = tmp_path / "mine.py"
    path.write_text(path.read_text() + "# short clips are treated otherwise now\n")
    after = load(file, "cpu")
    assert (before.weights_sha256, before.canary) == (after.weights_sha256, after.canary)
    assert before.code_sha256 != after.code_sha256
    assert before.name != after.name


class Silent(nn.Module):
    """No more than the attributes."""

    def __init__(self, rate: int = 16000, hop: float = 20) -> None:
        super().__init__()
        self.sampling_rate, self.output_dim, self.hop_size_in_ms = rate, 1, hop


@pytest.mark.parametrize(
    ("count", "seconds", "kept", "first", "last"),
    [
        (50, 1.0, 50, 10, 990),
        (49, 1.0, 49, 10, 970),  # wav2vec 2.0: a window is longer than its hop
        (548, 10.5, 525, 10, 10490),  # the last chunk padded to 1 s
        (1500, 2.0, 100, 10, 1990),  # Whisper's 30 s
        (30 * 499, 300.0, 30 * 499, 10.02004, 299989.98),  # chunks that lose a token each
        (1, 2.0, 1, 1000, 1000),  # one token for the clip
        (1, 0.005, 1, 2.5, 2.5),
    ],
)
def test_tokens_are_within_the_clip(
    count: int, seconds: float, kept: int, first: float, last: float
) -> None:
    times = xares.XaresEncoder(Silent()).times(count, round(16000 * seconds))
    assert len(times) == kept
    assert times[[0, -1]].tolist() == pytest.approx([first, last], rel=1e-6)


@given(
    count=st.integers(1, 5000),
    samples=st.integers(1, 10**7),
    hop=st.floats(1, 1000),
    rate=st.sampled_from([8000, 16000, 44100]),
)
def test_times_are_even_and_never_outside(count: int, samples: int, hop: float, rate: int) -> None:
    times = xares.XaresEncoder(Silent(rate, hop)).times(count, samples)
    length = 1000 * samples / rate
    assert 1 <= len(times) <= count
    assert times[0] > 0 and float(times[-1]) <= length * (1 + 1e-6)
    assert length - float(times[-1]) <= 2.5 * max(hop, length / count) * (1 + 1e-6)
    steps = times.double().diff()
    assert len(steps) == 0 or float(steps.max() - steps.min()) <= 2**-22 * length  # rounding


def test_padding_counts_in_the_scene_and_has_no_time(tmp_path: Path) -> None:
    output = "torch.cat([tokens, 0 * tokens[:, :5] + 9], dim=1)"
    model = xares.load_model(written(tmp_path / "pads.py", output=output)[6:])
    audio = noise(2, 16000)
    own = audio.unfold(1, 640, 640)[..., :4]
    tokens, times = xares.get_timestamp_embeddings(audio, model)
    assert torch.equal(tokens, own)
    assert times[:, -1].tolist() == [980, 980]
    expected = (own.sum(dim=1) + 5 * 9) / 30
    torch.testing.assert_close(xares.get_scene_embeddings(audio, model), expected)


def test_dropout_is_off_and_half_precision_comes_out_as_float32(tmp_path: Path) -> None:
    init = "self.dropout = torch.nn.Dropout(0.5)"
    output = "self.dropout(tokens).half()"
    report = contract.validate(written(tmp_path / "half.py", init=init, output=output), "cpu")
    assert report.ok, "\n".join(report.lines())


def test_another_rate_runs_but_is_none_of_hears(tmp_path: Path) -> None:
    spec = written(tmp_path / "fast.py", init="self.sampling_rate = 32000.0")
    assert load(spec, "cpu").sample_rate == 32000
    failures = contract.validate(spec, "cpu").failures
    assert [finding.name for finding in failures] == ["sample-rate"]


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    for folder, value in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "layers.py").write_text(f"VALUE = {value}\n")
        spec = written(tmp_path / folder / "torch.py", output="tokens + VALUE")
        file = Path(spec[6:])
        file.write_text("from .layers import VALUE\n" + file.read_text())
        [tokens] = xares.load_model(str(file))(torch.zeros(1, 640))
        assert tokens.tolist() == [[value] * 4]


def test_clips_of_one_length_need_equally_many_tokens(tmp_path: Path) -> None:
    output = "tokens[:, : 10 if audio.any() else 5]"
    model = xares.load_model(written(tmp_path / "vad.py", output=output)[6:])
    audio = torch.cat([noise(1, 16000), torch.zeros(1, 16000)])
    assert xares.get_scene_embeddings(audio, model).shape == (2, 4)
    with pytest.raises(UserError, match="equally many tokens, found 5 and 10"):
        xares.get_timestamp_embeddings(audio, model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Model"}, "one name ending in Encoder, the class, found none"),
        ({"output": "tokens\nOtherEncoder = MyEncoder"}, "found MyEncoder, OtherEncoder"),
        ({"init": "import no_such_package.layers"}, "needs the package 'no_such_package'"),
        ({"init": "raise KeyError('weights')"}, r"my.py, line 10: KeyError: 'weights'"),
        ({"init": "pass)"}, r"my.py: SyntaxError: unmatched '\)'.*line 10"),
        ({"init": "del self.hop_size_in_ms"}, "MyEncoder has no attribute hop_size_in_ms"),
        ({"init": "self.output_dim = 4.5"}, "output_dim .* positive whole number, found 4.5"),
        ({"init": "self.sampling_rate = None"}, "positive whole number, found None"),
        ({"init": "self.hop_size_in_ms = 0"}, "hop_size_in_ms .* positive number, found 0"),
        ({"output": "tokens.mean(1)"}, r"tensor \(1, T, 4\) .*\(1, 16000\), found \(1, 4\)"),
        ({"output": "tokens[..., :3]"}, r"found \(1, 25, 3\)"),
        ({"output": "tokens[:, :0]"}, r"found \(1, 0, 4\)"),
        ({"output": "[tokens]"}, "found list"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    change: dict[str, str], message: str, tmp_path: Path
) -> None:
    spec = written(tmp_path / "my.py", **change)
    with pytest.raises(UserError) as caught:
        load(spec, "cpu")
    assert re.search(message, str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_long_complaint_becomes_one_line(tmp_path: Path) -> None:
    file = written(tmp_path / "my.py", init="raise OSError('no weights:\\n  look there')")[6:]
    with pytest.raises(ValueError, match=r"my.py, line 10: OSError: no weights: look there$"):
        xares.load_model(file)


def test_what_is_no_encoder_file(tmp_path: Path) -> None:
    for name in ("", str(tmp_path), str(tmp_path / "none.py")):
        with pytest.raises(FileNotFoundError, match=r"expected an X-ARES encoder file.*found no"):
            xares.load_model(name)
    shutil.copy(FILE, tmp_path / "encoder.txt")
    with pytest.raises(ValueError, match=r"path\.py, found .*encoder\.txt"):
        xares.load_model(str(tmp_path / "encoder.txt"))
    (tmp_path / "function.py").write_text("def makeEncoder(): return 3\n")
    with pytest.raises(ValueError, match=r"makeEncoder\(\) .* torch\.nn\.Module, found int"):
        xares.load_model(str(tmp_path / "function.py"))
