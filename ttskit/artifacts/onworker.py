"""What a Dask worker holds of a run: the function that makes records, loaded once.

Only where Dask is installed can this be imported.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from distributed import WorkerPlugin, get_worker

from ttskit.artifacts import pool
from ttskit.dsp import threads

T = TypeVar("T")


class Holder(WorkerPlugin):
    """A function, unpickled by each worker when it is first needed, and kept with its models.

    A function that cannot be unpickled, such as one whose file is another by now, is answered by
    its error.
    """

    def __init__(self, pickled: bytes) -> None:
        self.pickled = pickled

    def setup(self, worker: Any) -> None:  # noqa: ARG002 (Dask gives it by name)
        """Begin on a worker."""
        self.lock = threading.Lock()
        self.function: Callable[[Any], Any] | pool.Bad | pool.Bug | None = None

    def held(self) -> Callable[[Any], Any] | pool.Bad | pool.Bug:
        """Return the function, or why there is none."""
        with self.lock:
            if self.function is None:
                self.function = pool.attempt(_unpickled, self.pickled)
            return self.function


def _unpickled(pickled: bytes) -> Callable[[Any], Any]:
    function: Callable[[Any], Any] = pickle.loads(pickled)
    return function


def attempt(plugin: str, item: T) -> Any:
    """Return what the function that this worker holds under a name makes of an item."""
    holder = get_worker().plugins[plugin]
    assert isinstance(holder, Holder)
    function = holder.held()
    if isinstance(function, pool.Bad | pool.Bug):
        return function
    with threads.limited(1):
        return pool.attempt(function, item)
