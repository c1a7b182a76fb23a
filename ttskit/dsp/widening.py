"""Undo over-smoothing of predicted mels: let their cepstrum vary as much as that of recordings.

A decoder that predicts what is likely predicts too much of the mean: its mels vary too little, and
the less the finer the detail over frequency.  So each cepstral coefficient (discrete cosine
transform of a log-mel frame) is moved away from its mean by a fixed factor, as in the variance
scaling of Silén et al. (2012) after Toda and Tokuda (2007).

T frames, M mel bands and as many coefficients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Widening:
    """What is subtracted from each band, and by what each coefficient of the rest is multiplied."""

    mean: np.ndarray  # (M,) float32
    factor: np.ndarray  # (M,) float32

    def __call__(self, log_mel: np.ndarray) -> np.ndarray:
        """(T, M) to the same."""
        return (self.mean + (log_mel - self.mean) @ self.change).astype(np.float32)

    @property
    def change(self) -> np.ndarray:
        """(M, M): what a frame without its mean is multiplied by."""
        basis = cosines(len(self.mean))
        return (basis * self.factor) @ basis.T


def widening(
    recorded: Iterable[np.ndarray], predicted: Iterable[np.ndarray], share: float = 1.0
) -> Widening:
    """Measure how much more recordings vary than predictions.

    Parameters
    ----------
    recorded, predicted : log-mels (frame, mel)
        Of much the same texts; frames need not correspond.
    share : float
        How much of the difference to make up for: 0 nothing, 1 all of it.
    """
    _, true = _moments(recorded)
    mean, flat = _moments(predicted)
    factor = 1 + share * (true / np.maximum(flat, 1e-6) - 1)
    return Widening(mean.astype(np.float32), factor.astype(np.float32))


def cosines(bands: int) -> np.ndarray:
    """(M, M): orthonormal basis of the discrete cosine transform, a column a coefficient."""
    place = (np.arange(bands)[:, None] + 0.5) / bands
    basis = np.cos(np.pi * place * np.arange(bands)) * np.sqrt(2 / bands)
    basis[:, 0] = np.sqrt(1 / bands)
    return basis


def _moments(log_mels: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each band and deviation of each coefficient, over all frames."""
    frames, total, square = 0, np.zeros(1), np.zeros(1)
    for log_mel in log_mels:
        values = np.asarray(log_mel, np.float64)
        frames += len(values)
        total = total + values.sum(axis=0)
        square = square + values.T @ values
    mean = total / frames
    basis = cosines(len(mean))
    variance = ((square / frames - np.outer(mean, mean)) @ basis * basis).sum(axis=0)
    return mean, np.sqrt(np.maximum(variance, 0))
