"""Where a record comes from, value by label, and what of its speed can be told."""

import json

from harness.report import provenance
from tests.harness.records import make_record


def test_every_value_has_its_label() -> None:
    told = provenance.of(make_record())
    assert told.keys() == provenance.LABELS.keys()
    for group, labels in provenance.LABELS.items():
        assert len(told[group]) == len(labels) == len(set(labels))
    model = dict(zip(provenance.LABELS["model"], told["model"], strict=True))
    assert model == {
        "name": "base",
        "as typed": "base",
        "weights (SHA-256)": "abababababab",
        "code (SHA-256)": None,
        "remote code executed": None,
        "parameters": 86_000_000,
        "sample rate (Hz)": 16000,
        "embedding size": 768,
    }
    run = dict(zip(provenance.LABELS["run"], told["run"], strict=True))
    assert run["clips to test, by fold"] == "1000 × 2"
    assert run["commit"] is None
    assert json.loads(json.dumps(told)) == told


def test_settings_and_choices_are_told_in_words() -> None:
    record = make_record(
        protocol__params={
            **{"weights": "uniform", "k": 10, "grid": {"lr": [0.1, 1e-05]}},
            "differs": ["a last batch joins the one before", "files are shuffled once"],
        },
        selection={"on": "valid", "grid": {"C": [1, 10]}, "chosen": [1.0, {"lr": 0.1}]},
        n__test=[3, 4],
        n__valid=[],
        run__git_sha="ef" * 20,
    )
    told = provenance.of(record)
    assert told["protocol"][2:] == [
        "differs a last batch joins the one before; files are shuffled once, "
        "grid lr 0.1 1e-05, k 10, weights uniform",
        "on valid: 1; lr 0.1",
    ]
    run = dict(zip(provenance.LABELS["run"], told["run"], strict=True))
    assert run["clips to test, by fold"] == "3, 4"
    assert run["clips to validate, by fold"] == ""
    assert run["commit"] == "efefefefefef"


def test_a_speed_is_that_of_what_was_embedded() -> None:
    seconds = {"embed": 20.0, "fit": 0.123456}
    told = provenance.resources(make_record(run__seconds=seconds, run__embedded_seconds=5000.0))
    assert told["speed"] == 250.0
    assert told["seconds"]["fit"] == 0.123
    cached = make_record(run__seconds=seconds, run__embedded_seconds=0.0)
    assert provenance.resources(cached)["speed"] is None


def test_a_moment_says_nothing_of_a_speed() -> None:
    told = provenance.resources(make_record(run__seconds={"embed": 0.09}, run__audio_seconds=9.0))
    assert told["speed"] is None
    assert told["audio_seconds"] == 9
    assert told["process_bytes"] == 1_000_000_000
    assert told["device_bytes"] is None
