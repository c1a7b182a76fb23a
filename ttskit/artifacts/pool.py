"""Worker processes: one function on many items; a failed item stops none of the others.

Every worker has one thread for its arithmetic, so a result does not depend on how many workers
there are.  A worker ends with its parent, however that ends; a worker that is killed is noticed,
and the item that it had is named.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pickle import PicklingError
from typing import Any, Generic, TypeVar

from ttskit.artifacts import hdf5, mapped
from ttskit.dsp import threads
from ttskit.errors import KEPT, Changed, LeftOut, TtskitError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Bad:
    """The error of an item: the user can mend it, or has asked to leave the item out."""

    error: TtskitError

    @property
    def asked(self) -> bool:
        """Whether the user's own options leave the item out."""
        return isinstance(self.error, LeftOut)


@dataclass(frozen=True)
class Bug:
    """The traceback of a bug in ttskit."""

    trace: str


@dataclass
class _Worker(Generic[T]):
    process: BaseProcess
    pipe: Connection
    name: str = ""  # of the item it has


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(
    make: Callable[[T], R], items: Iterable[tuple[str, T]], jobs: int, *, apart: bool = False
) -> Iterator[tuple[str, R | Bad]]:
    """Yield the result of `make` for each named item, in the order in which they are ready.

    With one job, `make` runs in this process, unless it is to run `apart`.  `make` and the items
    must be picklable.
    """
    if jobs == 1 and not apart:
        with threads.limited(1):
            for name, item in items:
                yield name, checked(name, attempt(make, item))
        return
    workers = [_start(make) for _ in range(jobs)]
    finished = False
    try:
        yield from _share(workers, iter(items))
        finished = True
    finally:
        for worker in workers:
            worker.pipe.close()  # which ends a worker that has no item
            if not finished:
                worker.process.terminate()
        for worker in workers:
            worker.process.join()


def in_order(make: Callable[[T], R], items: Iterable[T], jobs: int) -> Iterator[R | Bad]:
    """Yield the result of `make` for each item, in the order of the items."""
    ready: dict[str, R | Bad] = {}
    numbered = ((str(number), item) for number, item in enumerate(items))
    following = 0
    for name, result in each(make, numbered, jobs):
        ready[name] = result
        while str(following) in ready:
            yield ready.pop(str(following))
            following += 1


def _share(workers: list[_Worker[T]], items: Iterator[tuple[str, T]]) -> Iterator[tuple[str, Any]]:
    """Send every idle worker an item until none is left, and yield the results."""
    busy = {worker.pipe: worker for worker in workers if _give(worker, items)}
    while busy:
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            name = worker.name
            try:
                result = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                for container in [*hdf5.READ]:
                    container.refuse_changed()
                raise TtskitError(
                    "the worker process that had it was killed, perhaps for want of memory; "
                    f"{KEPT}: run again, with fewer --jobs",
                    utterance=name,
                ) from None
            if not _give(worker, items):
                del busy[worker.pipe]
            yield name, checked(name, result)


def _give(worker: _Worker[T], items: Iterator[tuple[str, T]]) -> bool:
    for worker.name, item in items:
        with suppress(BrokenPipeError):  # it died: receiving from it will say so
            worker.pipe.send(item)
        return True
    return False


def _start(make: Callable[[T], Any]) -> _Worker[T]:
    """Start a worker that never sees Ctrl-C: its parent decides when it ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    pickled = bytes(ForkingPickler.dumps(make))
    process = context.Process(target=_serve, args=(theirs, pickled), daemon=True)
    with threads.in_environment(1), _no_interrupts():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C; processes started meanwhile go on ignoring it."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not in the main thread, which alone hears of it
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, pickled: bytes) -> None:
    """Process items until the pipe closes; output that libraries print goes to stderr.

    What cannot be unpickled, such as a reader whose file is another by now, answers each item.
    """
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    mapped.explain_bus_errors()
    make = attempt(pickle.loads, pickled)
    with threads.limited(1), suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            item = pipe.recv()
            result = make if isinstance(make, Bad | Bug) else attempt(make, item)
            try:
                pipe.send(result)
            except (AttributeError, TypeError, ValueError, PicklingError):
                pipe.send(Bug(traceback.format_exc()))


def _end_with_parent() -> None:
    """End this process as soon as its parent has, even in the midst of an item."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def attempt(make: Callable[[T], R], item: T) -> R | Bad | Bug:
    """Return the result of an item, or its error, or the traceback of a bug."""
    try:
        return make(item)
    except TtskitError as error:
        return Bad(error)
    except Exception:
        return Bug(traceback.format_exc())


def checked(name: str, result: R | Bad | Bug) -> R | Bad:
    """Return the result of an item; raise if it is a bug, or if no item is to blame."""
    if isinstance(result, Bad) and isinstance(result.error, Changed):
        raise result.error
    if isinstance(result, Bug):
        raise RuntimeError(f"{name}: a bug in ttskit; please report it\n{result.trace}")
    return result
