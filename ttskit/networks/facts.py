"""Facts that a model depends on besides its config, and pictures of its output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Facts:
    """Symbols, speakers and mel settings of a model; they are stored with its weights."""

    symbols: tuple[str, ...] = ()  # symbols by token number
    silent: tuple[
        bool, ...
    ] = ()  # by symbol: may have 0 frames, as begin, end, boundary, punctuation
    heard: tuple[int, ...] = ()  # by symbol: tokens of the training data; () is unknown
    speakers: tuple[str, ...] = ("",)
    sample_rate: int = 22050  # Hz
    hop_length: int = 256  # samples
    n_fft: int = 1024
    n_mels: int = 80
    fmin: float = 0.0  # Hz
    fmax: float = 8000.0
    # of the codes that a model makes or takes; 0 and "" for other models
    stride: int = 0  # frames of a code
    books: int = 0
    size: int = 0  # codes of a book
    codec: str = ""  # digest of the codec
    # of a decoder of latents; 0 and "" for other models
    latents: int = 0  # channels of a latent
    coder: str = ""  # digest of the coder
    # of the training data: mel_mean and mel_deviation (n_mels,).  A new model copies them into
    # buffers; a model that is read has the buffers of its file instead.
    statistics: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """A picture of a model's output in training: a matrix, and lines over its columns."""

    values: np.ndarray  # (rows, columns); without rows, only lines are drawn
    x: str  # label of the columns
    y: str
    lines: Mapping[str, np.ndarray] = field(default_factory=dict)
