"""What is done beside a training while it goes on: writing a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Beside:
    """A thread that does one thing at a time; what it raises is raised by the training."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "beside")
        self._last: Future[None] | None = None

    def begin(self, do: Callable[[], None]) -> None:
        """Do something, as soon as what was begun before is done."""
        self.finish()
        self._last = self._thread.submit(do)

    def check(self) -> None:
        """Raise the error of what was begun, if it has failed already."""
        if self._last is not None and self._last.done():
            self.finish()

    def finish(self) -> None:
        """Wait until what was begun is done; raise its error."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def close(self) -> None:
        """Wait for what was begun, whatever becomes of it."""
        self._thread.shutdown()
