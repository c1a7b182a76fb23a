"""Pitch tracks: f0 by CREPE, voicing, and f0 in unvoiced frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from ttskit.dsp.crepe import Crepe

JUMP = 0.5  # octaves; larger steps between frames are not interpolated


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
    audio : (sample,) float, full scale is ±1
    sample_rate, hop_length : Hz, samples
    network : Crepe, "full" or "tiny"
        Loading one takes a second: make a `Crepe` for several recordings.
    fmin, fmax : Hz, range of the search

    Returns
    -------
    f0 : (frame,) float32
        Hz, interpolated in unvoiced frames; 0 if no frame is voiced.
    voiced : (frame,) bool
    periodicity : (frame,) float32
        Confidence of the network, 0 to 1.
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
    """Return which frames are voiced, by thresholds with hysteresis.

    A run of frames with a periodicity of at least `stay` is voiced if one of them reaches
    `enter`.  Frames quieter than `silence` are unvoiced, and end a run.

    Parameters
    ----------
    periodicity : (frame,) float
    loudness : (frame,) float, optional
        In dB; by default no frame is silent.
    enter, stay : thresholds of periodicity
    silence : threshold of loudness, dB

    Returns
    -------
    (frame,) bool
    """
    candidate = periodicity >= stay
    if loudness is not None:
        candidate &= loudness >= silence
    strong = candidate & (periodicity >= enter)
    run = np.cumsum(np.diff(candidate, prepend=False) & candidate)  # number of the run
    return candidate & np.isin(run, run[strong])


def between(f0: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return f0 between the frames of a track.

    Log f0 is linear from frame to frame; next to a frame without f0, and at a jump of half an
    octave or more, the nearer frame counts.

    Parameters
    ----------
    f0 : (frame,) float
        Hz, 0 where there is none.
    place : (place,) float
        In frames; before the first frame and after the last one f0 is constant.

    Returns
    -------
    (place,) float64
    """
    place = np.clip(place, 0, len(f0) - 1)
    left = np.floor(place).astype(int)
    right = np.minimum(left + 1, len(f0) - 1)
    part = place - left
    f0 = f0.astype(np.float64)
    a, b = np.log2(np.maximum(f0[left], 1)), np.log2(np.maximum(f0[right], 1))
    smooth = (f0[left] > 0) & (f0[right] > 0) & (np.abs(a - b) < JUMP)
    return np.where(smooth, 2 ** (a + part * (b - a)), f0[nearest(place, len(f0))])


def nearest(place: np.ndarray, frames: int) -> np.ndarray:
    """Return the frames nearest to places in frames, the later one of two, (place,) int64."""
    return np.clip(np.floor(place + 0.5), 0, frames - 1).astype(int)


def fill(f0: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Interpolate f0 in unvoiced frames.

    Between voiced frames log f0 is linear; before the first and after the last one f0 is
    constant.  Without voiced frames it is 0 everywhere.

    Parameters
    ----------
    f0 : (frame,) float
        Hz.
    voiced : (frame,) bool

    Returns
    -------
    (frame,) float32
        Unchanged in voiced frames.
    """
    places = np.flatnonzero(voiced)
    if not len(places):
        return np.zeros(len(f0), np.float32)
    between = np.interp(np.arange(len(f0)), places, np.log(f0[places]))
    return np.where(voiced, f0, np.exp(between)).astype(np.float32)
