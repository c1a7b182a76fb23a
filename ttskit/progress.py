"""Progress and notes, on stderr: stdout is for results alone."""

from __future__ import annotations

import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ttskit import wording

if TYPE_CHECKING:
    from rich.console import Console

    console: Console  # of all that is printed; made when it is first used

VISIBLE = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160)]}
EVERY = 10.0  # seconds between lines where stderr is not a terminal
WINDOW = 60.0  # seconds over which speed is measured

origins = False

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name != "console":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return the_console()


@cache
def the_console() -> Console:
    """Return the console of all that is printed; rich takes a tenth of a second to import."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def note(text: str) -> None:
    """Print one line on stderr, unless quiet."""
    if not the_console().quiet:
        complain(text)


def complain(text: str) -> None:
    """Print one line on stderr even if quiet; control characters are made visible."""
    from rich.console import Console

    line = text.translate(VISIBLE).encode("utf-8", "backslashreplace").decode()
    Console(stderr=True, highlight=False).print(line, markup=False, emoji=False, soft_wrap=True)
    if origins and sys.exc_info()[0]:
        traceback.print_exc()


def hush() -> None:
    """Print nothing but errors from now on."""
    the_console().quiet = True


def show_origins() -> None:
    """Print the traceback of errors, too, from now on."""
    global origins
    origins = True


@contextmanager
def hushed() -> Iterator[None]:
    """Print nothing but errors inside this context."""
    console = the_console()
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before


class Pace:
    """How fast an amount grows, over the last minute; what came before it began is left out."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque()  # time, amount

    def mark(self, amount: float) -> None:
        """Note how much there is now."""
        now = time.monotonic()
        while len(self._marks) > 2 and now - self._marks[1][0] > WINDOW:
            self._marks.popleft()
        if len(self._marks) > 1 and now - self._marks[-2][0] < WINDOW / 20:
            self._marks.pop()  # the last one is only the latest
        self._marks.append((now, amount))

    @property
    def rate(self) -> float:
        """The growth in a second; 0 while it is unknown."""
        if not self._marks:
            return 0.0
        (began, first), (now, last) = self._marks[0], self._marks[-1]
        return (last - first) / (now - began) if now > began else 0.0

    def left(self, amount: float) -> str:
        """Return the time until it has grown by an amount, in words; "" while it is unknown."""
        return f", {wording.clock(amount / self.rate)} left" if self.rate > 0 else ""


@contextmanager
def track(what: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each of `total` items, of which `done` were finished before.

    A terminal shows a bar with rate and time left; other outputs get a line every 10 seconds.
    """
    with (_bar if the_console().is_terminal else _lines)(what, total, done) as advance:
        yield advance


@contextmanager
def _lines(what: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    reported = time.monotonic()
    count, pace = done, Pace()

    def advance() -> None:
        nonlocal count, reported
        count += 1
        pace.mark(count)
        now = time.monotonic()
        if now - reported >= EVERY and count < total:
            reported = now
            speed = f", {wording.pace(pace.rate)}" if pace.rate else ""
            note(f"{what}: {count} of {total}{speed}{pace.left(total - count)}")

    yield advance


@contextmanager
def _bar(what: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeRemainingColumn(),
    )
    pace = Pace()
    with rich.Progress(*columns, console=the_console(), transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done, rate="")
        count = 0

        def advance() -> None:
            nonlocal count
            count += 1
            pace.mark(count)
            bar.update(task, advance=1, rate=wording.pace(pace.rate))

        yield advance
