"""HEAR 2021: the table of its tasks, their audio at the encoder's rate, and one's own directory."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import tasks
from tasks import hear
from tasks.download import fetch
from tasks.errors import UserError
from tasks.prepare import Index, missing, prepare
from tasks.spec import Task
from tasks.transfer import Patience
from tests.tasks.layouts import keep, write
from tests.tasks.miniature import hear as miniature
from tests.tasks.miniature import tarred
from tests.tasks.miniature.mixtures import mixtures
from tests.tasks.server import Server
from tests.tasks.test_spec import no_download

Tone = Callable[..., bytes]
COMMANDS = "hear-speech-commands-5h"
quickly = partial(fetch, patience=Patience(fruitless=2, first_wait=0.001, timeout=5))


@pytest.fixture
def commands(tone: Tone) -> miniature.Miniature:
    return miniature.commands(miniature.tones(tone))


@pytest.fixture
def task(commands: miniature.Miniature, server: Server) -> Task:
    """Speech Commands as it is told, but for the number of words and where its record is."""
    return commands.served(tasks.load(COMMANDS), server)


def prepared(task: Task, data: Path) -> Index:
    return prepare(task, data, index=data / "index", fetch=no_download)


def refused(task: Task, data: Path, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        prepare(task, data, index=data / "index", fetch=keep)
    assert "\n" not in str(caught.value)
    assert "download" not in str(caught.value)


def test_the_table_is_that_of_hear() -> None:
    """Nineteen tasks, one of which is two directories; numbers from hearbenchmark.com."""
    assert len(hear.TASKS) == 19 + 1
    assert list(hear.TASKS) == [task.name for task in hear.TASKS.values()]
    domains = Counter(task.domain for task in hear.TASKS.values())
    assert domains == {"environment": 4 + 2, "speech": 6, "music": 8}
    events = [name for name, task in hear.TASKS.items() if task.timestamps]
    assert events == ["hear-dcase2016-task2", "hear-maestro-5h"]
    several = [name for name, task in hear.TASKS.items() if task.multilabel]
    assert several == ["hear-dcase2016-task2", "hear-fsd50k", "hear-maestro-5h"]
    first = {name: task.metric for name, task in hear.TASKS.items() if task.metric != "accuracy"}
    assert first == {
        "hear-dcase2016-task2": "event_onset_200ms_fms",
        "hear-maestro-5h": "event_onset_50ms_fms",
        "hear-beehive-states-fold0": "auc_roc",
        "hear-beehive-states-fold1": "auc_roc",
        "hear-fsd50k": "mAP",
        "hear-vocal-imitation": "mAP",
    }
    assert hear.TASKS["hear-fsd50k"].further_metrics == ("d_prime", "auc_roc", "top1_acc")
    assert hear.TASKS["hear-nsynth-pitch-5h"].further_metrics == ("chroma_accuracy",)
    assert hear.TASKS["hear-dcase2016-task2"].further_metrics == ("segment_1s_er",)
    assert hear.TASKS["hear-esc50"].further_metrics == ("mAP", "d_prime", "auc_roc")
    prescribed = {name: task.evaluation for name, task in hear.TASKS.items() if task.evaluation}
    assert set(prescribed) == {"hear-dcase2016-task2", "hear-maestro-5h"}


@pytest.mark.parametrize("name", hear.TASKS)
def test_every_task_is_one_archive_of_the_record(name: str) -> None:
    task = tasks.load(name)
    official, *others = task.sources
    assert official.listing is not None
    assert official.listing.urls == ("https://zenodo.org/api/records/6332517",)
    (directory,) = re.findall(r"hear2021-(.*)-48000", re.sub(r"\\(.)", r"\1", official.wanted))
    assert re.fullmatch(official.wanted, f"hear2021-{directory}-48000.tar.gz")
    assert not re.fullmatch(official.wanted, f"hear2021-{directory}-16000.tar.gz")
    assert [source.sample_rate for source in others] == [44_100, 32_000, 22_050, 16_000]
    assert not any(source.listing or source.archives for source in others)
    assert task.protocols == ("hear2021",)
    assert 5 * 10**6 < official.listing.about < task.footprint < 40 * 10**9


def test_from_the_record_to_an_index(
    task: Task, commands: miniature.Miniature, server: Server, tmp_path: Path
) -> None:
    """The record's list is fetched, then the one archive of the task; it is expanded."""
    server.files["hear2021-esc50-v2.0.0-full-48000.tar.gz"] = b"another task's"
    offered = missing(task, tmp_path, index=tmp_path / "index")
    assert offered is not None
    (choice,) = offered.choices
    about = int(0.7 * task.footprint)
    assert (choice.bytes, choice.disk) == (about, about + task.footprint)
    found = prepare(task, tmp_path, index=tmp_path / "index", fetch=quickly)
    assert found.source == "HEAR, 48000 Hz"
    asked = [path.rpartition("/")[2] for path, _ in server.requests]
    assert asked == [f"{COMMANDS}.json", f"hear2021-{commands.name}-48000.tar.gz"]
    assert found.clips["split"].value_counts().to_dict() == {"train": 18, "valid": 6, "test": 6}
    assert set(found.clips["path"]) == {
        str(tmp_path / COMMANDS / f"hear2021-{commands.name}-48000.tar")
    }


def test_audio_at_the_encoders_rate_comes_first(
    task: Task, commands: miniature.Miniature, tmp_path: Path
) -> None:
    """What is measured is the same; the record says which audio it was."""
    folder = tmp_path / COMMANDS
    write(commands.archive(48_000), folder)
    write(commands.archive(16_000, prefix="hear-2021.1.1/tasks/"), folder)
    write({f"mine/{name}": data for name, data in commands.unpacked(32_000).items()}, folder)
    found = {
        rate: prepare(task.at(rate), tmp_path, index=tmp_path / "index", fetch=keep)
        for rate in (48_000, 16_000, 32_000, 22_050, 8_000)
    }
    rates = {rate: set(index.clips["sample_rate"]) for rate, index in found.items()}
    assert rates == {
        **{48_000: {48_000}, 16_000: {16_000}, 32_000: {32_000}},
        **{22_050: {48_000}, 8_000: {48_000}},
    }
    assert [index.source for index in found.values()] == [
        *("HEAR, 48000 Hz", "HEAR, 16000 Hz", "HEAR, 32000 Hz"),
        *("HEAR, 48000 Hz", "HEAR, 48000 Hz"),
    ]
    facts = [index.clips[["id", "labels", "split"]].to_dict("records") for index in found.values()]
    assert all(fact == facts[0] for fact in facts)


def test_where_only_another_rate_lies_that_of_the_record_is_offered(
    task: Task, commands: miniature.Miniature, tmp_path: Path
) -> None:
    write(commands.unpacked(32_000), tmp_path / COMMANDS)
    assert missing(task.at(16_000), tmp_path, index=tmp_path / "index") is not None
    assert missing(task.at(32_000), tmp_path, index=tmp_path / "index") is None


def test_a_rate_that_is_not_hears_is_told(
    task: Task, commands: miniature.Miniature, tmp_path: Path
) -> None:
    write(commands.unpacked(8_000), tmp_path / COMMANDS)
    refused(task.at(16_000), tmp_path, "in a folder 16000/ or 48000/, found 8000/; put")


def test_audio_of_another_rate_than_its_folder_is_named(
    task: Task, commands: miniature.Miniature, tone: Tone, tmp_path: Path
) -> None:
    wrong = {"16000/valid/clip019.wav": tone(0, rate=8_000), "16000/test/clip029.wav": b"no audio"}
    write(commands.unpacked(16_000) | wrong, tmp_path / COMMANDS)
    message = r"expected 16000 Hz in .*/16000/valid/clip019\.wav, found 8000 Hz; put"
    refused(task.at(16_000), tmp_path, message)


def test_a_scene_task_has_all_its_classes_and_an_event_task_none_else(
    task: Task, commands: miniature.Miniature, shared_data: Path, tmp_path: Path
) -> None:
    write(commands.unpacked(48_000), tmp_path / COMMANDS)
    refused(tasks.load(COMMANDS), tmp_path, "expected 12 classes, found 3")
    office = miniature.office(mixtures(shared_data / "fsdd", seconds=2, events=3, rate=48_000))
    write(office.unpacked(48_000), tmp_path / "hear-dcase2016-task2")
    told = tasks.load("hear-dcase2016-task2")
    assert prepared(told, tmp_path).classes == ("1", "6", "9")  # of 11: not all have to occur
    refused(replace(told, classes=2), tmp_path, "expected 2 classes, found 3")


@pytest.mark.parametrize("rate", [16_000, 11_025])
def test_ones_own_directory_needs_no_data_folder(rate: int, tone: Tone, tmp_path: Path) -> None:
    tags = miniature.tags(miniature.tones(tone))
    write(tags.unpacked(rate), tmp_path / "my task")
    task = tasks.load(f"hear:{tmp_path}/elsewhere/../my task")
    assert (task.name, task.title) == ("my_tags-v1-full", "my tags-v1-full, in HEAR's layout")
    assert (task.metric, task.further_metrics) == ("mAP", ("d_prime", "auc_roc", "top1_acc"))
    assert (task.multilabel, task.timestamps, task.classes) == (True, False, 3)
    assert task.dataset == str(tmp_path / "my task")
    nowhere = tmp_path / "nowhere"
    found = prepare(task.at(rate), nowhere, index=tmp_path / "index", fetch=keep)
    assert found.source == f"HEAR, {rate} Hz"
    assert found.targets().sum(axis=1).tolist() == [1, 1, 2, 0, 2, 1] * 3
    assert missing(task.at(rate), nowhere, index=tmp_path / "index") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "my task"]


def test_ones_own_directory_says_how_it_is_evaluated(shared_data: Path, tmp_path: Path) -> None:
    """heareval takes whatever is called dcase2016_task2 for that task."""
    office = miniature.office(mixtures(shared_data / "fsdd", seconds=2, events=3))
    write(office.unpacked(16_000), tmp_path / "a")
    task = tasks.load(f"hear:{tmp_path / 'a'}")
    assert task.timestamps
    assert task.evaluation == {"task_specific_param_grid": {"check_val_every_n_epoch": [10]}}
    told = {"evaluation_params": {"task_specific_param_grid": {"max_epochs": [5]}}}
    told["use_scoring_for_early_stopping"] = False  # type: ignore[assignment]
    changed = replace(office, metadata={**office.metadata, **told})
    write(changed.unpacked(16_000), tmp_path / "a")
    assert tasks.load(f"hear:{tmp_path / 'a'}").evaluation == {
        "use_scoring_for_early_stopping": False,
        "task_specific_param_grid": {"check_val_every_n_epoch": [10], "max_epochs": [5]},
    }
    (clip, *_) = prepared(task, tmp_path).clips.to_dict("records")
    ((file, said), *_) = sorted(office.listed["test"].items())
    assert file == f"{clip['id']}.wav"
    assert [event._asdict() for event in clip["events"]] == said


def test_ones_own_directory_may_be_in_a_tar(commands: miniature.Miniature, tmp_path: Path) -> None:
    files = {f"tasks/{name}": data for name, data in commands.unpacked(16_000).items()}
    write({"a/b.tar": tarred(files)}, tmp_path)
    task = tasks.load(f"hear:{tmp_path / 'a'}").at(16_000)
    assert set(prepared(task, tmp_path).clips["path"]) == {str(tmp_path / "a" / "b.tar")}


def test_another_rate_than_the_encoders_or_the_records_is_told(
    commands: miniature.Miniature, tmp_path: Path
) -> None:
    write(commands.unpacked(8_000, 32_000), tmp_path / "a")
    task = tasks.load(f"hear:{tmp_path / 'a'}")
    message = "speech_commands-v0.0.2-5h: .*/a: expected .* 16000/ or 48000/, found 8000/, 32000/;"
    refused(task.at(16_000), tmp_path, message)
    with pytest.raises(UserError, match="found 8000/, 32000/"):
        missing(task.at(16_000), tmp_path, index=tmp_path / "index")
    assert prepared(task.at(8_000), tmp_path).source == "HEAR, 8000 Hz"


def test_what_is_no_directory_of_one_task_is_told(
    commands: miniature.Miniature, tone: Tone, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    voices = miniature.voices(miniature.tones(tone))
    write({f"a/{name}": data for name, data in commands.unpacked().items()}, tmp_path / "two")
    write({f"b/{name}": data for name, data in voices.unpacked().items()}, tmp_path / "two")
    for path, message in {
        "": "expected a folder after hear:, found nothing",
        tmp_path / "none": "expected a folder after hear:, found .*/none; name one",
        tmp_path / "empty": "empty: expected one HEAR task .*, found none; name the folder",
        tmp_path / "two": f"two: expected .*, found {commands.name} and {voices.name}; name",
    }.items():
        with pytest.raises(UserError, match=message) as caught:
            tasks.load(f"hear:{path}")
        assert "\n" not in str(caught.value)


def test_what_a_miniature_leaves_out_is_said() -> None:
    assert len(miniature.LEAVES_OUT) > 20
