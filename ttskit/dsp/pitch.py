"""Pitch tracks: f0 by CREPE, which frames are voiced, and f0 where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from ttskit.dsp.crepe import Crepe


def pitch(
    audio: np.ndarray,
    sample_rate: int,
    hop_length: int = 256,
    *,
    network: Crepe | Literal["full", "tiny"] = "full",
    fmin: float = 50.0,
    fmax: float = 550.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure f0 by CREPE, as `ttskit features` does by default.

    Frame j is centred at (j + 1/2) * hop_length; there are samples // hop_length frames.

    Parameters
    ----------
    audio : (sample,) float
        Full scale is ±1.
    sample_rate : int
        Hz.
    hop_length : int
        Samples from one frame to the next.
    network : Crepe, "full" or "tiny"
        Loading one takes a second: make a `Crepe` for several recordings.
    fmin, fmax : float
        Hz, between which pitch is searched for.

    Returns
    -------
    f0 : (frame,) float32
        Hz, interpolated where unvoiced; 0 where no frame is voiced.
    voiced : (frame,) bool
    periodicity : (frame,) float32
        How sure the network is, 0 to 1.
    """
    from ttskit.dsp import crepe
    from ttskit.dsp.loudness import loudness

    crepe.bin_range(fmin, fmax)
    network = crepe.Crepe(network) if isinstance(network, str) else network
    activations = network.follow(audio, sample_rate, hop_length)
    f0, periodicity = crepe.decode(activations, fmin=fmin, fmax=fmax)
    voiced = voicing(periodicity, loudness(audio, sample_rate, hop_length))
    return fill(f0, voiced), voiced, periodicity


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
