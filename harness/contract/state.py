"""Watches what belongs to the whole process: random states and torch's global settings.

A module that reseeds a global generator makes the caller's "random" numbers repeat after every
batch; one that leaves gradients off or another default type behind breaks whatever runs next.
Drawing numbers is allowed, resetting is not, and the two can be told apart from the state alone.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

_WORDS = 624  # of the Mersenne Twister that Python and NumPy share; refilled as one block
_MOST_REFILLS = 20_000  # 12 million draws: more than any model draws to initialise itself
_SEED = 723_981_643  # unlike the 0, 42 and 1234 that modules reset to

# Name, getter and setter of each setting that a module must leave as it found it.
_SETTINGS: tuple[tuple[str, Callable[[], Any], Callable[[Any], Any]], ...] = (
    ("gradients enabled", torch.is_grad_enabled, torch.set_grad_enabled),
    ("default dtype", torch.get_default_dtype, torch.set_default_dtype),
    ("default device", torch.get_default_device, torch.set_default_device),
    ("number of threads", torch.get_num_threads, torch.set_num_threads),
    (
        "float32 matmul precision",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    ),
    (
        "deterministic algorithms",
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
)


@contextmanager
def own_random_state() -> Iterator[None]:
    """Random states unlike any that a module would choose; the caller's come back at the end."""
    python, numpy = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices):
        random.seed(_SEED)
        np.random.seed(_SEED)
        torch.manual_seed(_SEED)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


@contextmanager
def watch(where: str, reseeded: list[str], changed: list[str]) -> Iterator[None]:
    """Append to the lists what the block did to the process, as words, and set settings back."""
    python, numpy, torch_seed = _python_state(), _numpy_state(), torch.initial_seed()
    settings = [get() for _, get, _ in _SETTINGS]
    try:
        yield
    finally:
        if not _reached_by_drawing(python, _python_state()):
            reseeded.append(f"{where} resets Python's global random state")
        if not _reached_by_drawing(numpy, _numpy_state()):
            reseeded.append(f"{where} resets NumPy's global random state")
        # Drawing leaves the seed that the generator reports; seeding and set_state do not.
        if torch.initial_seed() != torch_seed:
            reseeded.append(f"{where} resets torch's global seed to {torch.initial_seed()}")
            torch.manual_seed(_SEED)
        for (name, get, restore), before in zip(_SETTINGS, settings, strict=True):
            if get() != before:
                changed.append(f"{where} leaves torch's {name} at {get()}, found {before}")
                restore(before)


def _python_state() -> np.ndarray:
    return np.array(random.getstate()[1], dtype=np.uint32)  # 624 words, then the position


def _numpy_state() -> np.ndarray:
    state: Any = np.random.get_state(legacy=False)["state"]
    return np.append(state["key"], np.uint32(state["pos"]))


def _reached_by_drawing(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether the generator in state `before` comes to the words of `after` by giving numbers."""
    if np.array_equal(before[:_WORDS], after[:_WORDS]):
        return bool(after[_WORDS] >= before[_WORDS])
    generator: Any = np.random.MT19937()
    generator.state = {
        "bit_generator": "MT19937",
        "state": {"key": before[:_WORDS], "pos": _WORDS},
    }
    for _ in range(_MOST_REFILLS):
        generator.random_raw(_WORDS, output=False)
        if np.array_equal(generator.state["state"]["key"], after[:_WORDS]):
            return True
    return False
