"""Workers of a Dask cluster: `each` as in `pool`; the workers must see the same files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib import import_module
from itertools import chain, islice
from typing import Any, TypeVar

from ttskit import progress
from ttskit.artifacts import pool
from ttskit.dsp import threads
from ttskit.errors import KEPT, TtskitError

T = TypeVar("T")
R = TypeVar("R")
PATIENCE = 60  # seconds to wait for the first worker
AHEAD = 4  # items under way for each thread of the cluster


def each(
    make: Callable[[T], R], items: Iterable[tuple[str, T]], address: str
) -> Iterator[tuple[str, R | pool.Bad]]:
    """Yield the result of `make` for each named item, in the order in which they are ready.

    The items of a lost worker go to another one, or wait for a new one.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError as error:
        raise TtskitError("--scheduler needs Dask: pip install 'ttskit[dask]'") from error
    with _quiet(), _client(dask, address) as client:
        left, under_way = iter(items), dict[str, tuple[str, T]]()
        while True:
            _wait_for_worker(client, address)
            try:
                yield from _results(dask, client, make, left, under_way)
                return
            except (CancelledError, TimeoutError, OSError):  # no worker is left, or no scheduler
                if client.status != "running":
                    raise TtskitError(
                        f"--scheduler {address}: the scheduler is gone; {KEPT}: "
                        "start it again, and run the same command"
                    ) from None
            progress.note(f"--scheduler {address}: all workers are lost; waiting for another")
            left, under_way = chain([*under_way.values()], left), {}


def _results(
    dask: Any,
    client: Any,
    make: Callable[[T], R],
    left: Iterator[tuple[str, T]],
    under_way: dict[str, tuple[str, T]],
) -> Iterator[tuple[str, R | pool.Bad]]:
    """Yield results as they come; `under_way` holds the items whose results have not come yet."""
    shared = client.scatter(make, broadcast=True, hash=False)

    def start(count: int) -> Iterator[Any]:
        for name, item in islice(left, count):
            future = client.submit(_attempt, shared, item, pure=False, retries=3)
            under_way[future.key] = name, item
            yield future

    futures = dask.as_completed(loop=client.loop)
    futures.update([*start(AHEAD * max(1, sum(client.nthreads().values())))])
    for future in futures:
        name, _ = under_way[future.key]
        try:
            result = future.result()
        except dask.KilledWorker as error:
            raise TtskitError(
                "the Dask workers that had it were killed, perhaps for want of memory; "
                f"{KEPT}: run again, with more memory for each",
                utterance=name,
            ) from error
        del under_way[future.key]
        yield name, pool.checked(name, result)
        futures.update([*start(1)])


@contextmanager
def _client(dask: Any, address: str) -> Iterator[Any]:
    try:
        client = dask.Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise TtskitError(f"--scheduler {address}: no Dask scheduler answers there") from error
    with client:
        yield client


def _wait_for_worker(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise TtskitError(
            f"--scheduler {address}: had no worker for {PATIENCE} s; start one, and run the same "
            "command"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own threads from logging what is said in one line here."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def _attempt(make: Callable[[T], R], item: T) -> R | pool.Bad | pool.Bug:
    with threads.limited(1):
        return pool.attempt(make, item)
