"""Signals: made to wait, never lost."""

import signal
import sys
import threading

import pytest

from ttskit.artifacts import signals
from ttskit.errors import Interrupted


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


def deferring(reached, deliver=False):
    """Note what is reached after two signals have come."""
    with signals.deferred() as waiting:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached.append(waiting.number)
        if deliver:
            waiting.deliver()
        reached.append("the end")


def test_signals_that_are_deferred_come_once_the_context_ends():
    reached: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        deferring(reached)
    assert reached == [signal.SIGINT, "the end"]


def test_signals_that_are_deferred_can_be_delivered_earlier():
    reached: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        deferring(reached, deliver=True)
    assert reached == [signal.SIGINT]


def test_a_training_hears_of_a_signal_that_was_deferred():
    with signals.held() as received:
        with signals.deferred():
            signal.raise_signal(signal.SIGTERM)
            assert not received
        assert received.number == signal.SIGTERM


def test_signals_that_are_ignored_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals.held() as received, signals.deferred() as waiting:
            signal.raise_signal(signal.SIGINT)
        assert not received
        assert not waiting.number
    finally:
        signal.signal(signal.SIGINT, before)


class Deleted:
    """Something during whose deletion a signal comes."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", signals.STOPS)
def test_a_signal_that_python_cannot_raise_is_sent_again(number, monkeypatch):
    arrived = []

    def handler(*_):
        arrived.append(number)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(143)

    monkeypatch.setattr(sys, "unraisablehook", signals.resend_lost)
    before = signal.signal(number, handler)
    try:
        with pytest.raises((KeyboardInterrupt, SystemExit)):  # noqa: PT012 (it may come early)
            Deleted(number)
            threading.Event().wait(60)
    finally:
        signal.signal(number, before)
    assert arrived == [number, number]
