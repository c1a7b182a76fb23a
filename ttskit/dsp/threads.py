"""The number of threads of torch, which parallel kernels of numba change."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """Restore the number of threads of torch after a parallel kernel of numba.

    They share one library of threads, and the first kernel sets its number to that of all cores.
    For torch that could change the rounding of sums.
    """
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        yield
    finally:
        if torch and torch.get_num_threads() != before:
            torch.set_num_threads(before)
