"""Signals, really sent; several processes are in test_processes.py."""

import os
import signal

import pytest

from dasheng.train.stop import Stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_a_second_one_ends(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), Stop() as stop:
        assert not stop.agreed()
        os.kill(os.getpid(), number)
        assert stop.agreed()
        assert stop.agreed()
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before
