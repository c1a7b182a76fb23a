"""Files that are memory-mapped: opened once, so that all that is read is of one file.

A file that is replaced by another of its name meanwhile is still read as it was.  One that is
written to in place is noticed by its size and the time of its last change.
"""

from __future__ import annotations

import mmap
import os
import signal
import weakref
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class Mapped:
    """An open file whose bytes can be had as arrays without being read; `name` is for errors."""

    def __init__(self, descriptor: int, name: str) -> None:
        self.descriptor, self.name = os.dup(descriptor), name
        weakref.finalize(self, os.close, self.descriptor)
        self.stamp = self.current()
        OPEN.add(self)

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""
        return self.stamp[0]

    @cached_property
    def _bytes(self) -> mmap.mmap:
        return mmap.mmap(self.descriptor, self.size, access=mmap.ACCESS_READ)

    def array(self, place: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
        """Return bytes from `place` on as a read-only array."""
        import numpy as np  # not loaded by a help page

        return np.frombuffer(self._bytes, dtype, prod(shape), place).reshape(shape)

    def current(self) -> tuple[int, int]:
        """Return its size and the time of its last change as they are now."""
        now = os.fstat(self.descriptor)
        return now.st_size, now.st_mtime_ns

    def unwritten(self, most: int) -> int:
        """Return how many of its bytes were never written, counted until there are `most`."""
        found = place = 0
        while hasattr(os, "SEEK_HOLE") and place < self.size and found <= most:
            hole = os.lseek(self.descriptor, place, os.SEEK_HOLE)
            if hole >= self.size:
                break
            try:
                place = os.lseek(self.descriptor, hole, os.SEEK_DATA)
            except OSError:  # there is nothing more
                place = self.size
            found += place - hole
        return found


OPEN: weakref.WeakSet[Mapped] = weakref.WeakSet()


def explain_bus_errors() -> None:
    """Say which file has become shorter when the system ends this process for that.

    Without it, reading mapped bytes that are gone ends a process without a word.  A handler of
    Python's own would never run: the read would be tried again first, for ever.
    """
    import ctypes

    if not _HANDLERS and hasattr(signal, "SIGBUS"):
        _HANDLERS.append(ctypes.CFUNCTYPE(None, ctypes.c_int)(_explain))
        ctypes.CDLL(None).signal(int(signal.SIGBUS), _HANDLERS[0])


_HANDLERS: list[Any] = []  # what C code calls must live as long as the process


def _explain(_number: int) -> None:
    shorter = [file.name for file in OPEN if file.current()[0] < file.size]
    what = f"{shorter[0]}: was cut short" if shorter else "an input was cut short"
    os.write(2, f"ttskit: {what} while it was read: run the command again\n".encode())
    os._exit(1)
