"""Every form of a spec: what it means, what its results are called; mistakes are one line."""

from pathlib import Path

import pytest

from harness import targets
from harness.errors import UserError
from harness.targets import ALIASES, Repository, Target, repository, resolve

SHA = "0123456789abcdef" * 4
HF, XARES = "harness.encoders.hf", "harness.encoders.xares"
CED = ("harness.encoders.ced", "small.pt")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with files and folders of weights in it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("org/name", "models/my wavlm.v2", "models/at@home", "models/a#1"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("small.pt", "models/encoder.py", "melspec"):
        (tmp_path / file).touch()
    return tmp_path


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_names_its_results(alias: str) -> None:
    target = resolve(alias)
    assert ":".join(filter(None, (target.module, target.checkpoint))) == ALIASES[alias]
    assert resolve(ALIASES[alias]).results_name(SHA) == alias == target.results_name(SHA)


@pytest.mark.parametrize(
    ("spec", "module", "checkpoint", "name"),
    [
        ("my_encoder", "my_encoder", "", "my_encoder"),
        ("my.encoder:large v2", "my.encoder", "large v2", "my.encoder-large-v2"),
        ("my.encoder:small.pt", "my.encoder", "small.pt", "my.encoder-small-01234567"),
        ("my.encoder:models/my wavlm.v2", "my.encoder", "models/my wavlm.v2", None),
        ("small.pt", "dasheng.hear", "small.pt", "small-01234567"),
        ("ced-base:small.pt", *CED, "ced-base-small-01234567"),
        ("harness.encoders.ced:small.pt", *CED, "ced-base-small-01234567"),
        ("dasheng.hear:small.pt", "dasheng.hear", "small.pt", "small-01234567"),
        ("xares:models/encoder.py", XARES, "models/encoder.py", "xares-encoder-01234567"),
        ("hf:openai/whisper-tiny", HF, "openai/whisper-tiny", "hf-openai-whisper-tiny-01234567"),
        ("hf:gpt2", HF, "gpt2", "hf-gpt2-01234567"),
        ("hf:a/b.c@main", HF, "a/b.c@main", "hf-a-b.c-main-01234567"),
        ("hf:a/b#6", HF, "a/b#6", "hf-a-b-01234567-6"),
        ("hf:a/b#-2", HF, "a/b#-2", "hf-a-b-01234567--2"),
        ("hf:a/b#4-8", HF, "a/b#4-8", "hf-a-b-01234567-4-8"),
        ("hf:a/b@refs/pr/1#all", HF, "a/b@refs/pr/1#all", "hf-a-b-refs-pr-1-01234567-all"),
        ("hf:org/name", HF, "org/name", "hf-name-01234567"),
        ("hf:org/name@main", HF, "org/name@main", "hf-org-name-main-01234567"),
        ("hf:models/my wavlm.v2#6", HF, "models/my wavlm.v2#6", "hf-my-wavlm.v2-01234567-6"),
        ("hf:models/my wavlm.v2/", HF, "models/my wavlm.v2/", "hf-my-wavlm.v2-01234567"),
        ("hf:models/at@home#-1", HF, "models/at@home#-1", "hf-at-home-01234567--1"),
    ],
)
def test_a_spec(place: Path, spec: str, module: str, checkpoint: str, name: str | None) -> None:
    target = resolve(spec)
    assert target == Target(module, checkpoint)
    assert target.results_name(SHA) == (name or "my.encoder-my-wavlm.v2-01234567")


def test_models_of_the_hub_share_no_results() -> None:
    weights = {"a/b": SHA, "a/b-6": SHA[1:], "a/b@6": SHA[2:], "a-b/6": SHA[3:]}
    specs = [*weights.items(), ("a/b#6", SHA), ("a/b#4-8", SHA), ("a/b-6#6", SHA[1:])]
    names = {resolve(f"hf:{spec}").results_name(sha) for spec, sha in specs}
    assert len(names) == len(specs)


def test_a_folder_by_a_short_way_has_its_own_name(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place / "org" / "name")
    assert resolve("hf:.").results_name(SHA) == "hf-name-01234567"
    assert resolve("hf:.#2").results_name(SHA) == "hf-name-01234567-2"


def test_an_alias_comes_before_a_file_of_its_name(place: Path) -> None:
    assert resolve("melspec").module == "harness.encoders.melspec"
    assert resolve("tiny") == Target("dasheng.hear", "tiny")
    assert resolve("tiny").results_name("ab" * 32) == "tiny"
    assert resolve("random:x.pt") == Target("harness.encoders.random", "x.pt")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("org/model", Repository("org/model")),
        ("model", Repository("model")),
        ("org/model@v1.0", Repository("org/model", "v1.0")),
        ("org/model@v1.0#3", Repository("org/model", "v1.0", "3")),
        ("org/model#all", Repository("org/model", None, "all")),
        ("org/name", Repository("org/name")),
        ("org/name#-2", Repository("org/name", None, "-2")),
        ("models/at@home", Repository("models/at@home")),
        ("models/a#1", Repository("models/a#1")),
        ("models/a#1#2-3", Repository("models/a#1", None, "2-3")),
    ],
)
def test_what_is_behind_hf(place: Path, text: str, parts: Repository) -> None:
    assert repository(text) == parts


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("melspec", None),
        ("my_encoder:large", None),
        ("my_encoder:small.pt", "small.pt"),
        ("hf:a/b", None),
        ("hf:org/name#2", "org/name"),
        ("hf:org/name@main", None),
        ("xares:models/encoder.py", "models/encoder.py"),
    ],
)
def test_where_a_checkpoint_lies(place: Path, spec: str, path: str | None) -> None:
    assert resolve(spec).path == (None if path is None else Path(path))


@pytest.mark.parametrize(
    "text", ["a/b/c", "/no/such/folder", "org/model@", "org/model#", "a b/c", "@main", "#3", "~/x"]
)
def test_neither_a_name_nor_a_folder(text: str) -> None:
    with pytest.raises(UserError, match=r"expected hf:org/name.*, found ") as caught:
        repository(text)
    assert str(caught.value).endswith(f"found 'hf:{text}'")


@pytest.mark.parametrize("door", targets.DOORS)
def test_nothing_behind_a_door(door: str) -> None:
    with pytest.raises(UserError, match=f"expected what is behind {door}:"):
        resolve(f"{door}:")


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("wavlm_large", "wavlm-large"),
        ("whisper", "whisper-base"),
        ("Whisper-Base", "whisper-base"),
        ("CED-Base", "ced-base"),
        ("ced", "ced-base"),
        ("wav2vec2", "wav2vec2-large-100k-voxpopuli"),
        ("data2vec_audio", "data2vec-audio-large"),
        ("1.2b", "1.2B"),
        ("harness.encoders.msm-mae", "harness.encoders.msm_mae"),
    ],
)
def test_a_typo_is_told_what_was_meant(spec: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"unknown model '{spec}'; did you mean '{meant}'"):
        targets.unknown(spec)


@pytest.mark.parametrize("spec", ["", "no/such/file.pt", "1st", "two words:x"])
def test_a_spec_that_means_nothing(spec: str) -> None:
    with pytest.raises(UserError, match="unknown model"):
        resolve(spec)
