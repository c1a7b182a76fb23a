"""Arrays of which parts are had when they are asked for, and which are whole in memory at need."""

from __future__ import annotations

from typing import Any

import numpy as np


class Lazy(np.lib.mixins.NDArrayOperatorsMixin):
    """An array by its rows, `between`; what is more than indexing has it whole in memory."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def between(self, start: int, stop: int) -> np.ndarray:
        """Return some rows that follow each other."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, int | np.integer):
            row = range(len(self))[place]
            return self.between(row, row + 1)[0]
        if isinstance(place, slice) and place.step in (None, 1):
            start, stop, _ = place.indices(len(self))
            return self.between(start, max(start, stop))
        return np.asarray(self)[place]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.between(0, len(self)).astype(dtype or self.dtype, copy=False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        arrays = (np.asarray(one) if isinstance(one, Lazy) else one for one in inputs)
        return getattr(ufunc, method)(*arrays, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("shape", "dtype"):
            raise AttributeError(name)
        return getattr(np.asarray(self), name)
