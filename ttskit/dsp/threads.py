"""How many threads compute, and how they wait for each other.

The threads of torch are those of OpenMP, which kernels of numba use too.  By default one that
waits keeps its core busy.  Where other programs want that core, it takes the time of the very
thread that it waits for, so that two threads are several times slower than one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

from ttskit.errors import TtskitError

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # with these a user tells torch how many

_lock = Lock()
_before: list[int] = []  # threads of torch outside all contexts of `lent`, once for each of them


def wait_passively() -> None:
    """Let threads sleep while they wait, unless the environment already says how they wait.

    It holds for engines that are loaded later, so it is for a command line to call at its start.
    """
    if not any(map(os.environ.get, WAITING)):
        os.environ["OMP_WAIT_POLICY"] = "passive"


def to_speak(threads: int | None) -> int | None:
    """Return how many threads speak: as many as asked for; None, for those that torch has by
    itself, where the user's environment says how many; else one.

    A sentence is too short to gain much by a second thread, and loses where a core is taken.
    """
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise TtskitError(f"threads {threads!r}: needs a whole number from 1 up")
    return threads or (None if any(map(os.environ.get, CHOSEN)) else 1)


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Compute on that many threads in this context, whatever the library; None changes nothing.

    Libraries that are loaded in the context, and processes that are started, find the number in
    the environment.
    """
    if threads is None:
        yield
        return
    from threadpoolctl import threadpool_limits

    with ExitStack() as stack:
        stack.enter_context(in_environment(threads))
        stack.enter_context(threadpool_limits(threads))
        if torch := sys.modules.get("torch"):
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        yield


@contextmanager
def in_environment(threads: int) -> Iterator[None]:
    """Limit libraries that are loaded in this context, here or in new processes."""
    before = {name: os.environ.pop(name, None) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


@contextmanager
def lent(threads: int | None) -> Iterator[None]:
    """Limit torch alone, in a program that is not ours; None changes nothing.

    Several threads of the program may be in such a context at once.  A thread that is new to
    torch begins with the limit of another one, and has to end with what was before all of them.
    """
    if threads is None:
        yield
        return
    import torch

    with _lock:
        before = _before[0] if _before else torch.get_num_threads()
        _before.append(before)
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        with _lock:
            _before.pop()
            torch.set_num_threads(before)


@contextmanager
def shared() -> Iterator[None]:
    """Run a parallel kernel of numba on no more threads than torch has, and leave torch as it is.

    The first such kernel of a process sets the number of torch to that of all cores, which can
    change the rounding of sums.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    import numba

    threads = torch.get_num_threads()
    before = numba.get_num_threads()
    numba.set_num_threads(min(before, threads))
    try:
        yield
    finally:
        numba.set_num_threads(before)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
