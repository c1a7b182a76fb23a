"""What becomes of a pitch track: which frames are voiced, and f0 where they are not."""

from __future__ import annotations

import numpy as np


def voicing(
    periodicity: np.ndarray,
    loudness: np.ndarray | None = None,
    *,
    enter: float = 0.5,
    stay: float = 0.25,
    silence: float = -60.0,
) -> np.ndarray:
    """Tell voiced frames from others, with hysteresis.

    A stretch of frames with a periodicity of at least `stay` is voiced if some frame of it
    reaches `enter`.  Frames below `silence` never are, and end a stretch.

    Parameters
    ----------
    periodicity : (frame,) float
    loudness : (frame,) float, optional
        In dB; without it no frame counts as silent.
    enter, stay : thresholds of periodicity
    silence : dB, a threshold of loudness

    Returns
    -------
    (frame,) bool
    """
    candidate = periodicity >= stay
    if loudness is not None:
        candidate &= loudness >= silence
    strong = candidate & (periodicity >= enter)
    # number the stretches: each rise of candidate begins one
    stretch = np.cumsum(np.diff(candidate, prepend=False) & candidate)
    return candidate & np.isin(stretch, stretch[strong])


def fill(f0: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Make f0 continuous.

    Unvoiced frames get what lies between their voiced neighbours, linearly in log f0; before
    the first and after the last voiced frame f0 is constant.  With no voiced frame at all it is
    0 everywhere.

    Parameters
    ----------
    f0 : (frame,) float
        Hz.
    voiced : (frame,) bool

    Returns
    -------
    (frame,) float32
        f0 itself on voiced frames.
    """
    places = np.flatnonzero(voiced)
    if not len(places):
        return np.zeros(len(f0), np.float32)
    between = np.interp(np.arange(len(f0)), places, np.log(f0[places]))
    return np.where(voiced, f0, np.exp(between)).astype(np.float32)
