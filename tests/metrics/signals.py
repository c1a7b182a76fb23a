"""Signals like speech, and what can be done to them."""

from __future__ import annotations

import numpy as np

from ttskit.dsp import praat, speechlike
from ttskit.metrics.sound import Frames, Pair, Sound, Timing

RATE = 22050


def speech(seed: int = 0, f0: float = 180.0, stretch: float = 1.0) -> np.ndarray:
    """Two seconds whose sounds do not depend on pitch and stretch."""
    rng = np.random.default_rng(seed)
    sounds = speechlike.sounds("moria talu, sen jofami", rng)
    slow = [speechlike.Letter(one.letter, one.seconds * stretch) for one in sounds]
    return speechlike.synthesise(slow, rng, RATE, f0)[0]


def noisy(audio: np.ndarray, snr: float) -> np.ndarray:
    level = np.sqrt(np.square(audio).mean()) * 10 ** (-snr / 20)
    return audio + np.random.default_rng(9).normal(0, level, len(audio))


def pair(reference: np.ndarray, synthesised: np.ndarray, timing: Timing = "dtw") -> Pair:
    frames = Frames.at(RATE)
    first, second = (Sound(audio, frames, praat.pitch) for audio in (reference, synthesised))
    return Pair(first, second, timing)
