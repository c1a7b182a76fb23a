"""What a model is made for, and what it shows of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Facts:
    """What a model is made for, beside its config; it travels with the weights."""

    symbols: tuple[str, ...] = ()  # what tokens stand for, by number
    silent: tuple[bool, ...] = ()  # by symbol: begin, end, boundary, punctuation: may last 0 frames
    speakers: tuple[str, ...] = ("",)
    sample_rate: int = 22050  # Hz
    hop_length: int = 256  # samples
    n_fft: int = 1024
    n_mels: int = 80
    fmin: float = 0.0  # Hz
    fmax: float = 8000.0
    # of the training data, by name: mel_mean and mel_deviation (n_mels,).  Only a new model
    # sees them, and keeps what it needs as buffers: a loaded one has them from its weights.
    statistics: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """What a model shows of itself while it trains: a matrix, and lines over its columns."""

    values: np.ndarray  # (rows, columns); no rows: lines alone
    x: str  # what the columns are
    y: str
    lines: Mapping[str, np.ndarray] = field(default_factory=dict)
