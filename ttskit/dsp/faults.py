"""Counts of faults in a recording: clipping, pauses, octave errors."""

from __future__ import annotations

import numpy as np

from ttskit.dsp.samples import silence

FULL_SCALE = 32700  # of 32768: the level of a clipped sample
FRAME = 0.02  # seconds


def clipped(audio: np.ndarray) -> int:
    """Return the number of samples in runs of three or more at full scale of one sign."""
    count = 0
    for sign in (1, -1):
        full = np.concatenate([[False], sign * audio.astype(np.int32) >= FULL_SCALE, [False]])
        edges = np.flatnonzero(np.diff(full))
        runs = edges[1::2] - edges[::2]
        count += int(runs[runs >= 3].sum())
    return count


def pauses(audio: np.ndarray, sample_rate: int) -> tuple[float, float, float]:
    """Return the silence in seconds at the start, the longest one inside, and at the end."""
    size = max(1, round(FRAME * sample_rate))
    frames = audio[: len(audio) // size * size].astype(np.float64).reshape(-1, size)
    if not len(frames):
        return 0.0, 0.0, 0.0
    level = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-3)
    sound = np.flatnonzero(
        level > silence(level)[0]
    )  # never empty: some frames reach the loud level
    inside = int(np.diff(sound).max(initial=1)) - 1
    end = len(frames) - 1 - int(sound[-1])
    return int(sound[0]) * FRAME, inside * FRAME, end * FRAME


def octave_jumps(f0: np.ndarray, voiced: np.ndarray) -> int:
    """Return the number of jumps of f0 by more than 0.8 octaves between adjacent voiced frames."""
    both = voiced[1:] & voiced[:-1]
    steps = np.abs(np.diff(np.log2(np.maximum(f0, 1))))
    return int((steps[both] > 0.8).sum())
