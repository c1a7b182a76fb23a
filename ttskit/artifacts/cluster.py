"""Workers of a Dask cluster: `each` as in `pool`; the workers must see the same files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from ttskit.artifacts import pool
from ttskit.dsp import threads
from ttskit.errors import TtskitError

T = TypeVar("T")
R = TypeVar("R")
PATIENCE = 60  # seconds to wait for the first worker
AHEAD = 4  # items under way for each thread of the cluster


def each(
    make: Callable[[T], R], items: Iterable[tuple[str, T]], address: str
) -> Iterator[tuple[str, R | pool.Bad]]:
    """Yield the result of `make` for each named item, in the order in which they are ready.

    The items of a lost worker go to another one.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError as error:
        raise TtskitError("--scheduler needs Dask: pip install 'ttskit[dask]'") from error
    try:
        client = dask.Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise TtskitError(f"--scheduler {address}: no Dask scheduler answers there") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise TtskitError(f"--scheduler {address}: has no worker; start one") from error
        shared = client.scatter(make, broadcast=True, hash=False)
        waiting, names = iter(items), dict[str, str]()

        def start(name: str, item: T) -> Any:
            future = client.submit(_attempt, shared, item, pure=False, retries=3)
            names[future.key] = name
            return future

        ahead = AHEAD * max(1, sum(client.nthreads().values()))
        futures = dask.as_completed(loop=client.loop)
        for one in islice(waiting, ahead):
            futures.add(start(*one))
        for future in futures:
            name = names.pop(future.key)
            yield name, pool.checked(name, future.result())
            for one in islice(waiting, 1):
                futures.add(start(*one))


def _attempt(make: Callable[[T], R], item: T) -> R | pool.Bad | pool.Bug:
    with threads.limited(1):
        return pool.attempt(make, item)
