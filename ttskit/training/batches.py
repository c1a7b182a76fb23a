"""The order of utterances in batches, batches loaded in advance, and validation utterances."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np

T = TypeVar("T")
POOL = 20  # batches whose utterances are sorted by length together
AHEAD = 4  # batches that are loaded in advance


class Order:
    """The endless sequence of batches, of utterances alike in length, shuffled in every epoch.

    A batch depends on its number and the seed alone, so training can resume at any batch.
    """

    def __init__(self, lengths: np.ndarray, batch: int, seed: int, processes: int = 1) -> None:
        self.lengths, self.batch, self.seed, self.processes = lengths, batch, seed, processes
        whole, rest = divmod(len(lengths), batch)
        self.per_epoch = whole + (rest >= processes)
        self._epoch: tuple[int, list[np.ndarray]] = (-1, [])

    def rows(self, number: int) -> np.ndarray:
        """Return the rows of the utterances of a batch, over all processes."""
        epoch, place = divmod(number, self.per_epoch)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._shuffled(epoch))
        return self._epoch[1][place]

    def _shuffled(self, epoch: int) -> list[np.ndarray]:
        rng = np.random.default_rng((self.seed, epoch))
        shuffled = rng.permutation(len(self.lengths))
        batches = []
        for start in range(0, len(shuffled), POOL * self.batch):
            pool = shuffled[start : start + POOL * self.batch]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            batches += [pool[at : at + self.batch] for at in range(0, len(pool), self.batch)]
        enough = [batch for batch in batches if len(batch) >= self.processes]
        return [enough[place] for place in rng.permutation(len(enough))]


def ahead(make: Callable[[int], T], numbers: Iterable[int]) -> Generator[T]:
    """Yield `make` of each number, computed in a thread a few steps ahead."""
    numbers = iter(numbers)
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as threads:
        waiting: deque[Future[T]] = deque(
            threads.submit(make, number) for number in islice(numbers, AHEAD)
        )
        try:
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(threads.submit(make, number) for number in islice(numbers, 1))
                yield batch
        finally:
            for future in waiting:
                future.cancel()


def held_out(texts: Iterable[str], share: float, most: int, seed: int) -> np.ndarray:
    """Return which utterances are held out for validation, (utterance,) bool.

    All recordings of one text are on the same side, so no validation text is trained on.
    """
    names: dict[str, int] = {}
    groups = np.array([names.setdefault(text.strip().lower(), len(names)) for text in texts])
    by_group, sizes = np.argsort(groups, kind="stable"), np.bincount(groups)
    ends, wanted, count = np.cumsum(sizes), min(most, round(share * len(groups))), 0
    chosen = np.zeros(len(groups), bool)
    for group in np.random.default_rng(seed).permutation(len(names)):
        if count >= wanted:
            break
        together = count + int(sizes[group])
        if together <= max(most, 1) and together < len(groups):
            chosen[by_group[ends[group] - sizes[group] : ends[group]]] = True
            count = together
    return chosen
