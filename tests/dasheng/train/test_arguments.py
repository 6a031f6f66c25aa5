"""The words of a command line, sorted."""

from pathlib import Path

import pytest

from dasheng.train import config
from dasheng.train.arguments import Arguments, help_text, parse
from tasks.errors import UserError


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("a.yaml", Arguments(config="a.yaml")),
        (
            "a.yaml --batch_size 64 --optimizer_args.lr=1e-4",
            Arguments(config="a.yaml", overrides={"batch_size": "64", "optimizer_args.lr": "1e-4"}),
        ),
        ("--batch-size 1 a.yaml", Arguments(config="a.yaml", overrides={"batch_size": "1"})),
        ("a --seed 1 --seed 2", Arguments(config="a", overrides={"seed": "2"})),
        ("a --seed -1", Arguments(config="a", overrides={"seed": "-1"})),
        ("a --outputpath=b=c", Arguments(config="a", overrides={"outputpath": "b=c"})),
        ("a --outputpath=", Arguments(config="a", overrides={"outputpath": ""})),
        ("a.yaml --resume", Arguments(config="a.yaml", resume=True)),
        ("--resume a.yaml", Arguments(config="a.yaml", resume=True)),
        (
            "a.yaml --resume --seed 2",
            Arguments(config="a.yaml", resume=True, overrides={"seed": "2"}),
        ),
        (
            "a.yaml --resume runs/1",
            Arguments(config="a.yaml", resume=True, resume_path=Path("runs/1")),
        ),
        ("--resume=runs/1 a", Arguments(config="a", resume=True, resume_path=Path("runs/1"))),
    ],
)
def test_parse(words: str, arguments: Arguments) -> None:
    assert parse(words.split()) == arguments


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "expected one configuration, found none; see --help"),
        ("a b", "expected one configuration, found a and b"),
        ("a --seed", "expected --seed VALUE, found no value after --seed"),
        ("a --seed --epochs 3", "expected --seed VALUE, found no value after --seed"),
    ],
)
def test_mistakes(words: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse(words.split())


def test_help_tells_of_every_setting() -> None:
    shown = help_text()
    for name, kind, default, note in config.explain():
        assert f"  --{name}  {kind}, {default}\n      {note}" in shown
