"""Progress and notes, on stderr: stdout is for results alone."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from ttskit import wording

VISIBLE = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160)]}
EVERY = 10.0  # seconds between lines where stderr is not a terminal

console = Console(stderr=True, highlight=False)
origins = False


def note(text: str) -> None:
    """Print one line on stderr, unless quiet."""
    if not console.quiet:
        complain(text)


def complain(text: str) -> None:
    """Print one line on stderr even if quiet; control characters are made visible."""
    line = text.translate(VISIBLE).encode("utf-8", "backslashreplace").decode()
    Console(stderr=True, highlight=False).print(line, markup=False, emoji=False, soft_wrap=True)
    if origins and sys.exc_info()[0]:
        traceback.print_exc()


def hush() -> None:
    """Print nothing but errors from now on."""
    console.quiet = True


def show_origins() -> None:
    """Print the traceback of errors, too, from now on."""
    global origins
    origins = True


@contextmanager
def hushed() -> Iterator[None]:
    """Print nothing but errors inside this context."""
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before


@contextmanager
def track(what: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each of `total` items, of which `done` were finished before.

    A terminal shows a bar with rate and time left; other outputs get a line every 10 seconds.
    """
    with (_bar if console.is_terminal else _lines)(what, total, done) as advance:
        yield advance


@contextmanager
def _lines(what: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    started = reported = time.monotonic()
    count = done

    def advance() -> None:
        nonlocal count, reported
        count += 1
        now = time.monotonic()
        if now - reported >= EVERY and count < total:
            reported = now
            rate = (count - done) / (now - started)
            left = wording.clock((total - count) / rate)
            note(f"{what}: {count} of {total}, {wording.pace(rate)}, {left} left")

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
    started = time.monotonic()
    with rich.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done, rate="")
        count = 0

        def advance() -> None:
            nonlocal count
            count += 1
            rate = count / max(1e-9, time.monotonic() - started)
            bar.update(task, advance=1, rate=wording.pace(rate))

        yield advance
