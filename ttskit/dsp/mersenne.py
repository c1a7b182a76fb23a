"""The random numbers of torch on a CPU, for programs that do without it.

Both draw 32 bits at a time from the Mersenne Twister MT19937, seeded alike.
"""

from __future__ import annotations

import numpy as np

BLOCK = 16  # numbers that torch draws together: 8 pairs


class Random:
    """The same numbers as those of `torch.Generator().manual_seed(seed)`."""

    def __init__(self, seed: int) -> None:
        self._twister = np.random.RandomState(seed & 0xFFFFFFFF)

    def integer(self) -> int:
        """Return a number from 0 to 2**31 - 1, as `torch.randint(2**31, ())` does."""
        return int(self._words(2)[1] % 2**31)  # of 64 bits, the lower half

    def uniform(self, count: int) -> np.ndarray:
        """Return numbers from 0 to 1, (count,) float32, as `torch.rand` does."""
        return (self._words(count) & 0xFFFFFF).astype(np.float32) * np.float32(2**-24)

    def normal(self, count: int) -> np.ndarray:
        """Return Gaussian numbers, (count,) float32, as `torch.randn` does for 16 and more."""
        numbers = self.uniform(count)
        whole = count // BLOCK * BLOCK
        numbers[:whole] = _gaussian(numbers[:whole])
        if count % BLOCK:  # torch draws the last block anew
            numbers[-BLOCK:] = _gaussian(self.uniform(BLOCK))
        return numbers

    def _words(self, count: int) -> np.ndarray:
        return self._twister.randint(0, 2**32, count, np.uint32)


def _gaussian(uniform: np.ndarray) -> np.ndarray:
    """Return pairs of Gaussian numbers by Box and Muller, halves of each block (n,) apart."""
    first, second = uniform.reshape(-1, 2, BLOCK // 2).transpose(1, 0, 2)
    radius = np.sqrt(-2 * np.log1p(-first))
    angle = np.float32(2 * np.pi) * second
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
