"""Workers of a Dask cluster: `each` as in `pool`; the workers must see the same files.

No more items are under way than the cluster has threads, so that a worker that dies had none but
those that it was working on: an item that does so every time is told from others.
"""

from __future__ import annotations

import logging
import math
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from uuid import uuid4

from ttskit import progress
from ttskit.artifacts import pool
from ttskit.errors import KEPT, TtskitError

T = TypeVar("T")
R = TypeVar("R")
PATIENCE = 60  # seconds to wait for the first worker
DEADLY = "killed every Dask worker that had it, perhaps for want of memory"
EVERY = 1.0  # seconds between counts of the threads of the cluster
TRIES = 3  # of an item that fails otherwise, as on a worker that cannot be reached


def each(
    make: Callable[[T], R], items: Iterable[tuple[str, T]], address: str
) -> Iterator[tuple[str, R | pool.Bad]]:
    """Yield the result of `make` for each named item, in the order in which they are ready.

    The items of a lost worker go to another one, or wait for a new one.  An item whose workers die
    more often than Dask allows (its `allowed-failures`: 3) is a bad one.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError as error:
        raise TtskitError("--scheduler needs Dask: pip install 'ttskit[dask]'") from error
    with _quiet(), _client(dask, address) as client:
        cluster = _Cluster(client, address)
        cluster.wait_for_workers()
        try:
            with _held(client, make) as plugin:
                yield from _results(dask, cluster, plugin, iter(items))
        except (CancelledError, TimeoutError, OSError):
            raise TtskitError(
                f"--scheduler {address}: the scheduler is gone; {KEPT}: start it again, and run "
                "the same command"
            ) from None


@dataclass
class _Cluster:
    """The workers of a cluster, which come and go."""

    client: Any
    address: str
    counted: float = -math.inf  # when
    threads: int = 0

    def count(self) -> int:
        """Return how many threads the workers have; it is asked for once in a while."""
        if time.monotonic() - self.counted > EVERY:
            self.threads = sum(self.client.nthreads().values())
            self.counted = time.monotonic()
        return self.threads

    def refill(self) -> None:
        """Wait for a worker if none is left."""
        if not self.count():
            progress.note(f"--scheduler {self.address}: all workers are lost; waiting for another")
            self.wait_for_workers()

    def wait_for_workers(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise TtskitError(
                f"--scheduler {self.address}: had no worker for {PATIENCE} s; start one, and run "
                "the same command"
            ) from error
        self.counted = -math.inf


def _results(
    dask: Any, cluster: _Cluster, plugin: str, left: Iterator[tuple[str, T]]
) -> Iterator[tuple[str, Any]]:
    """Yield the results as they come."""
    from ttskit.artifacts.onworker import attempt

    done: SimpleQueue[Any] = SimpleQueue()
    under_way: dict[Any, str] = {}

    def start() -> None:
        """Fill the threads of the cluster."""
        for name, item in islice(left, max(0, cluster.count() - len(under_way))):
            future = cluster.client.submit(attempt, plugin, item, pure=False, retries=TRIES)
            under_way[future] = name
            future.add_done_callback(done.put)

    start()
    while under_way:
        try:
            future = done.get(timeout=EVERY)
        except Empty:
            cluster.refill()
        else:
            name = under_way.pop(future)
            try:
                result = future.result()
            except dask.KilledWorker:
                result = pool.Bad(TtskitError(DEADLY))
            yield name, pool.checked(name, result)
        start()


@contextmanager
def _held(client: Any, make: Callable[[T], R]) -> Iterator[str]:
    """Give a function to all workers, those that come later too; yield the name that it has."""
    from ttskit.artifacts.onworker import Holder

    plugin = f"ttskit-{uuid4().hex}"
    client.register_plugin(Holder(pickle.dumps(make)), name=plugin)
    try:
        yield plugin
    finally:
        with suppress(Exception):  # the scheduler may be gone
            client.unregister_worker_plugin(plugin)


@contextmanager
def _client(dask: Any, address: str) -> Iterator[Any]:
    try:
        client = dask.Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise TtskitError(f"--scheduler {address}: no Dask scheduler answers there") from error
    with client:
        yield client


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own threads from logging what is said in one line here."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)
