"""Ctrl-C and SIGTERM, delayed to the end of an update, so that its results can be saved."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from ttskit.errors import Interrupted

STOPS = (signal.SIGINT, signal.SIGTERM)


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


@contextmanager
def held() -> Iterator[Held]:
    """Record a first signal instead of stopping at once; a second one stops."""
    received = Held()
    if threading.current_thread() is not threading.main_thread():
        yield received  # only the main thread receives signals
        return

    def note(number: int, _frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.number = number

    before = {number: signal.signal(number, note) for number in STOPS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
