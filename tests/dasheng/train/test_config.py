"""The published configurations are read; any is read as it was written; mistakes are named."""

import importlib.util
import types
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.train import config
from dasheng.train.config import FOLDER, TrainConfig, read
from tasks.errors import UserError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
HINTS = get_type_hints(TrainConfig)


def test_the_module_wins_over_the_folder_of_its_name() -> None:
    assert Path(config.__file__).name == "config.py"
    assert not (FOLDER / "__init__.py").exists()
    spec = importlib.util.find_spec("dasheng.train.config")
    assert spec is not None and spec.submodule_search_locations is None


@pytest.mark.parametrize("name", ["base", "06B", "12B"])
def test_published_configuration(name: str) -> None:
    found = read(FOLDER / f"dasheng_{name}.yaml")
    assert found.model == f"dasheng_{name}"
    assert (found.batch_size, found.chunk_length, found.num_workers) == (256, 10.0, 16)
    assert (found.epochs, found.epoch_length) == (100, 15000)
    assert (found.decay_frac, found.warmup_epochs, found.warmup_iters) == (0.1, 3, None)
    assert found.mask_ratio == 0.75
    assert found.model_args == {"target_length": 1008, "group_masking": True}
    assert found.optimizer == "AdamW8bit"
    assert found.optimizer_args == {"lr": 3e-4, "weight_decay": 0.01}
    assert found.train_data[0] == "acav100M/shards/acav_100M_split{1..1824}_0000000.tar"
    assert len(found.train_data) == 4 and len(found.cv_data) == 1
    assert (found.group, found.total_steps, found.warmup_steps) == (2, 1_500_000, 45_000)
    assert found.crop_samples == 160_000
    assert found.runs == Path("experiments") / f"dasheng_{name}" / f"dasheng_{name}"


def test_published_defaults() -> None:
    found = asdict(TrainConfig(train_data=("a.tar",)))
    published = {
        "cv_data": (),
        "config_file": "",
        "logfile": "train.log",
        "outputpath": "experiments",
        "mask_ratio": 0.75,
        "use_scheduler": True,
        "warmup_iters": None,
        "warmup_epochs": None,
        "model": "dasheng_base",
        "model_args": {},
        "decay_frac": 0.01,
        "optimizer": "AdamW8bit",
        "optimizer_args": {"lr": 0.0003, "weight_decay": 0.01},
        "epochs": 100,
        "epoch_length": 15000,
        "batch_size": 32,
        "n_saved": 4,
        "num_workers": 4,
        "resampled": True,
        "crop_shuffle": 512,
        "chunk_length": 10.0,
        "sample_rate": 16000,
        "valid_every": 1,
        "score_function": ("Loss", -1.0),
        "average_final_model": True,
    }
    assert {name: found[name] for name in published} == published


@pytest.mark.parametrize("name", ["dasheng_tiny", "dasheng_tiny.yaml"])
def test_a_bare_name_is_one_of_the_package(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(name) == read(FOLDER / "dasheng_tiny.yaml")
    (tmp_path / name).write_text("train_data: mine.tar")
    assert read(name).train_data == ("mine.tar",)


def value(kind: Any, bounds: dict[str, float]) -> st.SearchStrategy[Any]:
    """Values of a field's type, within its bounds."""
    parts = get_args(kind)
    if get_origin(kind) in (types.UnionType,):
        return st.one_of(*(value(part, bounds) for part in parts))
    if get_origin(kind) is tuple:
        return st.lists(value(parts[0], {}), min_size=1, max_size=3).map(tuple)
    low = bounds.get("least", bounds.get("above"))
    high = bounds.get("most", bounds.get("below"))
    within = {"min_value": low, "max_value": high, "exclude_min": "above" in bounds}
    within["exclude_max"] = "below" in bounds
    return {
        types.NoneType: st.none(),
        bool: st.booleans(),
        int: st.integers(low, high),
        float: st.floats(**within, allow_nan=False, allow_infinity=False),
        str: TEXT | st.sampled_from(["1e-4", "null", "1", "yes"]),
        dict: st.dictionaries(TEXT, st.integers() | TEXT | st.lists(st.floats(-1, 1))),
    }[get_origin(kind) or kind]


CONFIGS = st.builds(
    TrainConfig,
    **{
        known.name: value(HINTS[known.name], known.metadata["bounds"])
        for known in fields(TrainConfig)
    }
    | {
        "score_function": st.just(("Loss", -1.0)),
        "optimizer_args": st.fixed_dictionaries({"lr": st.floats(1e-9, 10)}),
    },
)


@settings(deadline=None, max_examples=30)
@given(CONFIGS)
def test_any_configuration_is_read_as_it_was_written(
    tmp_path_factory: Any, made: TrainConfig
) -> None:
    file = tmp_path_factory.mktemp("config") / "any.yaml"
    file.write_text(made.as_yaml(), encoding="utf-8")
    assert read(file) == replace(made, config_file=str(file))


def write(folder: Path, text: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(text)
    return file


def test_overrides(tmp_path: Path) -> None:
    file = write(tmp_path, "train_data: [a.tar]\nmodel_args: {decoder: {depth: 8}}\n")
    found = read(
        file,
        {
            "batch_size": "64",
            "optimizer_args.lr": "1e-4",
            "model_args.group_masking": "false",
            "model_args.decoder.embed_dim": "192",
            "train_data": "a{0..3}.tar,b.tar",
            "eval_tasks": "esc10,fsdd",
            "resampled": "false",
            "compile": "true",
            "max_grad_norm": "null",
            "augment": "{gain_db: [-6, 6]}",
            "outputpath": "2026",
        },
    )
    assert found.batch_size == 64
    assert found.optimizer_args == {"lr": 1e-4, "weight_decay": 0.01}
    assert found.model_args == {"decoder": {"depth": 8, "embed_dim": 192}, "group_masking": False}
    assert found.group == 1
    assert found.train_data == ("a{0..3}.tar", "b.tar")
    assert found.eval_tasks == ("esc10", "fsdd")
    assert (found.resampled, found.compile, found.max_grad_norm) == (False, True, None)
    assert found.augment == {"gain_db": [-6, 6]}
    assert found.runs == Path("2026/mine/dasheng_base")
    assert read(file).optimizer_args["lr"] == 3e-4


@pytest.mark.parametrize(("given", "group"), [("true", 2), ("false", 1), ("1", 1), ("5", 5)])
def test_group_masking(given: str, group: int, tmp_path: Path) -> None:
    file = write(tmp_path, "train_data: a.tar")
    assert read(file, {"model_args.group_masking": given}).group == group


@pytest.mark.parametrize(
    ("text", "overrides", "told"),
    [
        ("batchsize: 3", {}, "unknown setting batchsize: did you mean batch_size?"),
        ("", {"batchsize": "3"}, "unknown setting batchsize: did you mean batch_size?"),
        ("", {"config_file": "x"}, "unknown setting config_file"),
        ("batch_size: x", {}, "expected batch_size to be a whole number, found 'x'"),
        ("batch_size: 0", {}, "expected batch_size to be at least 1, found 0"),
        ("mask_ratio: 1", {}, "expected mask_ratio to be above 0 and below 1, found 1.0"),
        ("sample_rate: 8000", {}, "expected sample_rate to be at least 16000 and at most 16000"),
        ("score_function: [Loss, 1]", {}, r"expected score_function to be \[Loss, -1.0\]"),
        ("", {"train_data": ""}, "expected train_data to name shards, found none"),
        ("", {"seed.x": "1"}, "expected --seed VALUE, found --seed.x: seed has no parts"),
        ("model_args: 3", {"model_args.depth": "1"}, "expected model_args to be settings by name"),
        ("", {"optimizer_args": "{a: 1}"}, "expected optimizer_args.lr to be a number, found None"),
        ("", {"optimizer_args.lr": "-1"}, "expected optimizer_args.lr to be above 0, found -1"),
        ("", {"optimizer_args.lr": "[1"}, r"expected --optimizer_args.lr to be a YAML value"),
        ("model_args: {group_masking: 0}", {}, "expected model_args.group_masking to be at least"),
        ("- a", {}, "expected YAML, could not read it"),
    ],
)
def test_mistakes_are_named_in_one_line(
    text: str, overrides: dict[str, str], told: str, tmp_path: Path
) -> None:
    file = write(tmp_path, f"train_data: [a.tar]\n{text}\n")
    with pytest.raises(UserError, match=told) as error:
        read(file, overrides)
    assert "\n" not in str(error.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found no file; the package has dasheng_06B, "):
        read(tmp_path / "dasheng_tiny.yaml")
    for name in ("", "nothing", "/"):
        with pytest.raises(UserError, match="found no file"):
            read(name)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"binary\.yaml: expected YAML, could not read it"):
        read(tmp_path / "binary.yaml")
    with pytest.raises(UserError, match="expected settings by name, found list"):
        read(write(tmp_path, "- a"))


def test_every_setting_is_explained() -> None:
    rows = {name: (kind, default, note) for name, kind, default, note in config.explain()}
    assert rows.keys() == {known.name for known in fields(TrainConfig)} - {"config_file"}
    assert rows["train_data"][:2] == ("list of text", "required")
    assert rows["compile"][:2] == ("true or false or null", "null")
    assert all(note for _, _, note in rows.values())
