"""Models of the Hugging Face hub, or of a folder in its form: found or fetched, loaded whole.

The files that a model needs are fetched by `huggingface_hub` into its own cache (HF_HOME; offline
with HF_HUB_OFFLINE=1), all at the commit that the configuration came from, and transformers then
reads a folder: it never asks the network itself, nor has the hub convert a checkpoint. It would
draw numbers for parameters that a checkpoint lacks, with a warning; here that is an error.
"""

import json
import pickle
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)
from transformers import AutoFeatureExtractor, PreTrainedModel
from transformers.utils import logging

CONFIG = ("config.json",)
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
EXTRACTOR = ("preprocessor_config.json", "processor_config.json")


def pretrained(
    kind: Any,
    name: str,
    revision: str | None = None,
    *,
    spare: str = "",
    trust_remote_code: bool = False,
    **options: Any,
) -> PreTrainedModel:
    """A model with a checkpoint's weights, all of them, as float32, in evaluation mode.

    Args:
        kind: a class with `from_pretrained`: AutoModel, WavLMModel, ….
        name: a folder with config.json and weights, or a name on the hub (org/name).
        revision: branch, tag or commit on the hub. Where it is given, `name` is no folder.
        spare: regular expression; tensors of the checkpoint whose whole name matches may be ones
            that the model has not (heads of the training).
        trust_remote_code: whether code that comes with the model may be executed.
        options: for `from_pretrained`.

    Raises:
        ValueError: the model cannot be had, or is not whole: one line.
    """
    code = ["*.py"] if trust_remote_code else []
    folder = _obtain(name, revision, WEIGHTS, code)
    with _understood(name, trust_remote_code):
        model, report = kind.from_pretrained(
            folder,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            trust_remote_code=trust_remote_code,
            **options,
        )
    unexpected = report["unexpected_keys"]
    faults = {
        "missing": report["missing_keys"],
        "unexpected": [tensor for tensor in unexpected if not re.fullmatch(spare, tensor)],
        "other shape": [
            f"{tensor} {tuple(found)} for {tuple(own)}"
            for tensor, found, own in report["mismatched_keys"]
        ],
    }
    said = [f"{len(names)} {fault} ({_few(names)})" for fault, names in faults.items() if names]
    if said:
        raise ValueError(
            f"{name}: expected the weights of a {type(model).__name__} and no others, found "
            f"{'; '.join(said)}; choose a checkpoint of this architecture"
        )
    return model.eval()


def feature_extractor(
    name: str, revision: str | None = None, *, trust_remote_code: bool = False, **options: Any
) -> Any:
    """The published front end of a model, by transformers; arguments and errors as above."""
    code = ["*.py"] if trust_remote_code else []
    folder = _obtain(name, revision, EXTRACTOR, code)
    with _understood(name, trust_remote_code):
        return AutoFeatureExtractor.from_pretrained(
            folder, trust_remote_code=trust_remote_code, **options
        )


def sources(model: PreTrainedModel, *, code: bool = False) -> list[Path]:
    """What a model was made by besides its weights: configuration, front end, its own code."""
    folder = Path(str(model.name_or_path))
    there = [folder / file for file in (*CONFIG, *EXTRACTOR) if (folder / file).is_file()]
    return [*there, *(folder.rglob("*.py") if code else ())]


def _obtain(name: str, revision: str | None, files: Sequence[str], code: list[str]) -> Path:
    """The folder that holds config.json and one of `files`, fetched where it is not there."""
    if revision is None and Path(name).exists():
        for needed in (CONFIG, files):
            if not any((Path(name) / file).is_file() for file in needed):
                raise ValueError(
                    f"{name}: expected a folder with config.json and {_either(files)}, found no "
                    f"{_either(needed)}; name a folder in the form that save_pretrained writes"
                )
        return Path(name)
    with _fetched(name, revision):
        folder = _file(name, CONFIG[0], revision).parent
        commit = folder.name  # of all other files, should the branch move meanwhile
        found = _first(name, commit, files)
        if found.name.endswith(".index.json"):
            for shard in sorted(set(json.loads(found.read_text())["weight_map"].values())):
                _file(name, shard, commit)
        if code:
            snapshot_download(name, revision=commit, allow_patterns=code)
        return folder


def _first(name: str, commit: str, files: Sequence[str]) -> Path:
    """The first of `files` that a repository has; asks the hub only where none is here already."""
    here = [try_to_load_from_cache(name, file, revision=commit) for file in files]
    for path in here:
        if isinstance(path, str):
            return Path(path)
    for file in files:
        try:
            return _file(name, file, commit)
        except RemoteEntryNotFoundError:
            continue
    raise ValueError(
        f"{name}: expected {_either(files)} at {constants.ENDPOINT}/{name}, found none; choose a "
        "model in the form of transformers"
    )


def _file(name: str, file: str, revision: str | None) -> Path:
    """A file of a repository, from the cache or the hub."""
    here = try_to_load_from_cache(name, file, revision=revision)
    if not isinstance(here, str) and not constants.is_offline_mode():
        # Asked once: the download would ask for half a minute, and print that it does.
        get_hf_file_metadata(hf_hub_url(name, file, revision=revision))
    return Path(hf_hub_download(name, file, revision=revision))


@contextmanager
def _fetched(name: str, revision: str | None) -> Iterator[None]:
    """What the hub says instead of giving a file, as one line that says what to do."""
    try:
        yield
    except HFValidationError as error:
        raise ValueError(
            f"{name}: expected a folder that exists or a name on the hub (org/name), found neither"
        ) from error
    except GatedRepoError as error:
        raise ValueError(
            f"{name}: its authors ask you to accept their terms; do so at "
            f"{constants.ENDPOINT}/{name}, then log in with `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise ValueError(
            f"{name}: expected a folder that exists or a model at {constants.ENDPOINT}, found "
            "neither; check the name, or log in with `hf auth login` if the model is private"
        ) from error
    except RevisionNotFoundError as error:
        raise ValueError(
            f"{name}: expected a branch, tag or commit of the model, found {revision!r}; see "
            f"{constants.ENDPOINT}/{name}/tree/main"
        ) from error
    except RemoteEntryNotFoundError as error:
        raise ValueError(
            f"{name}: expected config.json at {constants.ENDPOINT}/{name}, found none; choose a "
            "model in the form of transformers"
        ) from error
    except HfHubHTTPError as error:
        raise ValueError(f"{name}: the hub answers {_one_line(error)}; try again later") from error
    except LocalEntryNotFoundError as error:
        raise ValueError(_not_here(name, "HF_HUB_OFFLINE is set")) from error
    except (ValueError, OSError):
        raise
    except Exception as error:  # of the connection, whichever library makes it
        why = f"{constants.ENDPOINT} cannot be reached ({_one_line(error)})"
        raise ValueError(_not_here(name, why)) from error


def _not_here(name: str, why: str) -> str:
    return (
        f"{name}: not in the cache {constants.HF_HUB_CACHE}, and {why}; fetch it where there is a "
        "network and copy the cache (HF_HOME), or name a folder with config.json and "
        "model.safetensors"
    )


@contextmanager
def _understood(name: str, trust_remote_code: bool) -> Iterator[None]:
    """Transformers without bars, warnings and random numbers drawn, its errors as one line."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with _no_bars(), torch.random.fork_rng(devices=[]):
            yield
    except Exception as error:  # its own, torch's, safetensors', pickle's, KeyError, …
        what, advice = _one_line(error), "mend its files or choose another model"
        if isinstance(error, pickle.UnpicklingError):
            what = "weights that are damaged, or that only executed code could read"
        elif "trust_remote_code" in str(error) and not trust_remote_code:
            what, advice = "code of its own", "pass --trust-remote-code to execute it"
        raise ValueError(
            f"{name}: expected a model that transformers can load, found: {what}; {advice}"
        ) from error
    finally:
        logging.set_verbosity(verbosity)


@contextmanager
def _no_bars() -> Iterator[None]:
    """Without transformers' bars. Its switches turn those of downloads as well."""
    shown, downloads_hidden = logging.is_progress_bar_enabled(), are_progress_bars_disabled()
    with warnings.catch_warnings():  # that the user's HF_HUB_DISABLE_PROGRESS_BARS has priority
        warnings.simplefilter("ignore")
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
        if downloads_hidden:
            disable_progress_bars()
        elif not shown:
            enable_progress_bars()


def _either(files: Sequence[str]) -> str:
    """The files any of which would do; that a file may also come in parts goes without saying."""
    return " or ".join(file for file in files if not file.endswith(".index.json"))


def _few(names: Iterable[str]) -> str:
    """The first names in order, and that there are more."""
    first, *more = sorted(names)
    return f"{first}, …" if more else first


def _one_line(error: BaseException) -> str:
    """What an error says, or what it is, in 200 characters at most."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= 200 else f"{said[:199]}…"
