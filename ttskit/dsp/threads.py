"""numba and torch share one library of threads; each is to keep the number it was given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """Give torch its number of threads back after a parallel kernel of numba.

    The first of them sets it to all there are, for both; where that changes how a sum is cut, it
    changes how it is rounded.
    """
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        yield
    finally:
        if torch and torch.get_num_threads() != before:
            torch.set_num_threads(before)
