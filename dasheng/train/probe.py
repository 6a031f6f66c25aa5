"""In-training evaluation: the harness's own command line measures the encoder as it is now.

The loss of a masked autoencoder says little of what its features are good for. The harness runs as
a process of its own, so that nothing of it is imported here and nothing of the training run (random
state, threads, autocast) changes. It never downloads: data that are not there are a warning.
"""

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

from dasheng import checkpoint
from dasheng.encoder import Dasheng
from dasheng.train.config import TrainConfig
from dasheng.train.stop import Stop

_log = logging.getLogger(__name__)

# Seconds between looks at whether the run is to stop.
_LOOK = 0.2


def probe(
    encoder: Dasheng, run_folder: Path, step: int, config: TrainConfig, stop: Stop
) -> dict[str, float]:
    """Measure an encoder on `config.eval_tasks` by `config.eval_protocols`, until asked to stop.

    The records are kept in `<run_folder>/probe/step_<step>`, predictions and table beside them.

    Returns:
        "<task> <protocol>" → score, as many as there are. What goes wrong is logged as a warning
        of one line, for a run must not end by it.
    """
    if not config.eval_tasks:
        return {}
    folder = run_folder / "probe" / f"step_{step}"
    try:
        shutil.rmtree(folder, ignore_errors=True)  # of a step that is done again, after resuming
        fault = _measure(encoder, folder, config, stop)
    except OSError as error:
        fault = str(error)
    found = scores(folder)
    if fault:
        _log.warning("%s evaluation at step %d: %s", "not all" if found else "no", step, fault)
    return found


def scores(folder: Path) -> dict[str, float]:
    """The scores of the records in a folder of results; undefined ones are left out."""
    records = [json.loads(file.read_bytes()) for file in sorted(folder.glob("*/*/*.json"))]
    return {
        f"{record['task']['name']} {record['protocol']['name']}": record["score"]
        for record in records
        if record["score"] is not None
    }


def _measure(encoder: Dasheng, folder: Path, config: TrainConfig, stop: Stop) -> str:
    """Run the harness on the encoder; "", or in one line what went wrong.

    Its weights and embeddings, of which no later step has a use, are removed again.
    """
    cache = folder.with_name("cache")
    file = folder.with_suffix(".safetensors")
    options = {
        "--tasks": ",".join(config.eval_tasks),
        "--protocols": ",".join(config.eval_protocols),
        "--model": str(file),
        "--results": str(folder),
        "--cache": str(cache),
        **({} if config.eval_data is None else {"--data": config.eval_data}),
    }
    command = [sys.executable, "-m", "harness", "run"]
    command += [part for option in options.items() for part in option]
    try:
        folder.mkdir(parents=True)
        checkpoint.save(encoder, file)
        code, told = _run(command, stop)
    finally:
        file.unlink(missing_ok=True)
        file.with_suffix(".json").unlink(missing_ok=True)
        shutil.rmtree(cache / "embeddings", ignore_errors=True)
    if code == 0:
        return ""
    if stop.asked:
        return "stopped, as the run is"
    lines = [line for line in told.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return "; ".join(errors) or lines[-1]


def _run(command: list[str], stop: Stop) -> tuple[int, str]:
    """The exit code of a command and what it said; it ends before this process does."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while True:
            try:
                _, told = process.communicate(timeout=_LOOK)
            except subprocess.TimeoutExpired:
                if stop.asked:
                    process.kill()
            else:
                return process.returncode, told
    finally:
        process.kill()  # on an error here; nothing where it has ended
