"""The desk: requests take turns, line by line, so that a long text holds up none that is short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from ttskit.serving.refusal import Busy, Refusal, TooLong
from ttskit.serving.request import SpeechRequest
from ttskit.serving.speaker import Speaker

T = TypeVar("T")
END = object()  # what an iterator that has ended yields


@dataclass(frozen=True)
class Limits:
    """What is refused, so that nobody takes the whole server."""

    characters: int = 4096  # of a text
    timeout: float = 300.0  # seconds until a request is answered as a whole
    queue: int = 100  # requests at once, the waiting ones among them


class Desk:
    """Where requests wait for their turns.

    Parameters
    ----------
    speakers : the voices, by name; the first is the usual one
    limits : Limits
    workers : int
        Lines that are spoken at the same time.
    threads : int, optional
        Of torch, for each of them; its own without it.
    """

    def __init__(
        self,
        speakers: Mapping[str, Speaker],
        limits: Limits,
        workers: int = 1,
        threads: int | None = None,
    ) -> None:
        self.speakers, self.limits, self.present = speakers, limits, 0
        for speaker in speakers.values():
            speaker.meet(speakers)
        self._turns = asyncio.Semaphore(workers)
        self._pool = ThreadPoolExecutor(workers, "speaker", partial(_limit, threads))

    def speaker(self, request: SpeechRequest) -> tuple[str, Speaker]:
        """Return the voice that a request names; refuse a text that is too long for it."""
        name = request.voice or next(iter(self.speakers))
        if name not in self.speakers:
            there = ", ".join(self.speakers)
            raise Refusal(f"no voice {name!r:.60}; there is {there}", param="voice")
        if (length := len(request.input)) > (most := self.limits.characters):
            raise Refusal(
                f"the text has {length} characters, at most {most} are spoken: send it in parts",
                param="input",
            )
        return name, self.speakers[name]

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the queue; refuse who comes when all are taken."""
        if self.present >= self.limits.queue:
            raise Busy(f"{self.present} requests are being answered: try again in a while")
        self.present += 1
        try:
            yield
        finally:
            self.present -= 1

    async def each(self, items: Iterator[T]) -> AsyncGenerator[T]:
        """Yield what an iterator makes; each step waits for its turn and runs in a thread."""
        while (item := await self._turn(partial(next, items, END))) is not END:
            yield item

    async def _turn(self, work: Callable[[], Any]) -> Any:
        async with self._turns:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """End once the line at hand is spoken."""
        self._pool.shutdown(cancel_futures=True)


def _limit(threads: int | None) -> None:
    """Set how many threads of torch compute for a thread of the pool."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


async def in_time(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Do some work that has so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise TooLong(f"it takes longer than {seconds:g} s: send the text in parts") from None


async def while_there(gone: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> bool:
    """Do some work until `gone` ends, if it ever does; return whether the work was done."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(gone)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if done := tasks[0].done():
            await tasks[0]
        return done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
