"""Signals during a training."""

import signal

import pytest

from ttskit.errors import Interrupted
from ttskit.training import signals


def test_the_first_signal_waits_and_the_second_does_not():
    before = [signal.getsignal(number) for number in signals.STOPS]
    with signals.held() as received:
        assert not received
        signal.raise_signal(signal.SIGINT)
        assert received
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in signals.STOPS] == before


def test_ctrl_c_interrupts_and_sigterm_exits():
    signals.Held().obey("no signal")
    with pytest.raises(Interrupted, match="all is kept"):
        signals.Held(signal.SIGINT).obey("all is kept")
    with pytest.raises(SystemExit) as exited:
        signals.Held(signal.SIGTERM).obey("all is kept")
    assert exited.value.code == 143
