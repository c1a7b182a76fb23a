"""Ctrl-C and SIGTERM, made to wait where an exception would do harm.

Python raises at the next line of Python, wherever that is.  Within a function that C code calls
back, the exception is lost, or taken for a failed write; between two updates of a training, it
would cost the second one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from ttskit.errors import Interrupted

STOPS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.01  # seconds until a lost signal is sent again


@dataclass
class Held:
    """The signal that has arrived, if any."""

    number: int = 0

    def __bool__(self) -> bool:
        return bool(self.number)

    def obey(self, message: str) -> None:
        """Exit for SIGTERM, raise `Interrupted` for Ctrl-C, or do nothing."""
        if self.number == signal.SIGTERM:
            sys.exit(128 + signal.SIGTERM)
        if self.number:
            raise Interrupted(message)


@dataclass
class Deferred:
    """The last signal that waits, if any, and the handlers that wait for it."""

    number: int = 0
    handlers: dict[int, Any] = field(default_factory=dict)

    def deliver(self) -> None:
        """Let the signal that waits do what it would have done."""
        number, handler = self.number, self.handlers.get(self.number)
        if callable(handler):
            self.number = 0
            handler(number, None)


@contextmanager
def held() -> Iterator[Held]:
    """Record a first signal instead of stopping at once; a second one stops."""
    received = Held()

    def note(number: int, _frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.number = number

    with _handled_by(note):
        yield received


@contextmanager
def deferred() -> Iterator[Deferred]:
    """Let all signals wait until the end of this context, or until `deliver` is called."""
    waiting = Deferred()

    def note(number: int, _frame: FrameType | None) -> None:
        waiting.number = number

    try:
        with _handled_by(note) as waiting.handlers:
            yield waiting
    finally:
        if waiting.number:
            signal.raise_signal(waiting.number)


@contextmanager
def _handled_by(note: Callable[[int, FrameType | None], None]) -> Iterator[dict[int, Any]]:
    """Handle signals by a function; yield the handlers from before, which return at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield {}  # only the main thread receives signals
        return
    heeded = [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]
    before: dict[int, Any] = {number: signal.signal(number, note) for number in heeded}
    try:
        yield before
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def resend_lost(error: Any) -> None:
    """Send a signal again whose exception Python cannot raise: a hook for `sys.unraisablehook`.

    It arrived while an object was deleted, say, where no exception gets out.
    """
    lost = {KeyboardInterrupt: signal.SIGINT, SystemExit: signal.SIGTERM}.get(error.exc_type)
    if lost is None:
        sys.__unraisablehook__(error)
    else:
        threading.Timer(AGAIN, os.kill, (os.getpid(), lost)).start()
