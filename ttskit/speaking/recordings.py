"""Recordings that a text plays, on the grid of the voice that speaks beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ttskit.dsp.samples import resample
from ttskit.errors import AudioError, at
from ttskit.formats import audio

LONGEST = 600  # seconds


def find(source: str, folder: Path) -> Path:
    """Return the file of a source, named from a folder; AudioError where it cannot be played."""
    if not source or "://" in source:
        raise AudioError(f"src is {source!r:.60}, needs the name of a file")
    path = folder / source
    if not path.is_file():
        raise AudioError(f"{path}: no such file")
    header = audio.info(path)
    if header.frames > LONGEST * header.rate:
        raise AudioError(f"{path}: lasts longer than {LONGEST} s: cut it up")
    return path


def played(path: Path, rate: int) -> np.ndarray:
    """Return the samples of a recording, (sample,) float32, at a rate in Hz."""
    samples, own = audio.read(path)
    with at(path):
        return resample(samples, own, rate).astype(np.float32)


def whole_frames(samples: np.ndarray, hop_length: int) -> np.ndarray:
    """Return samples, (sample,), with silence behind them up to the end of their last frame."""
    return np.pad(samples, (0, -len(samples) % hop_length))
