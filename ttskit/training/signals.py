"""Ctrl-C and SIGTERM, which let an update end: what is kept of a training is always whole."""

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
    """The signal that came, if any."""

    number: int = 0

    def __bool__(self) -> bool:
        return bool(self.number)

    def obey(self, message: str) -> None:
        """Stop as the signal asks for."""
        if self.number == signal.SIGTERM:
            sys.exit(128 + signal.SIGTERM)
        if self.number:
            raise Interrupted(message)


@contextmanager
def held() -> Iterator[Held]:
    """Take note of a signal instead of stopping at once; a second one does not wait."""
    came = Held()
    if threading.current_thread() is not threading.main_thread():
        yield came  # signals are the main thread's
        return

    def note(number: int, _frame: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.number = number

    before = {number: signal.signal(number, note) for number in STOPS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
