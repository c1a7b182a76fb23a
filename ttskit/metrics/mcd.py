"""Mel-cepstral distortion: the distance of spectral envelopes.

    MCD = 10 / ln 10 · mean over frames of √(2 Σ (c(d) − ĉ(d))²),  d = 1 ... order, in dB

(Kubichek, 1993): the gain c(0) is left out.  `mcd` goes along the path of dynamic time warping;
`mcd_plain` compares frame by frame until the shorter recording ends; `mcd_trimmed` warps too, but
leaves out silence at both ends, 40 dB and more below the loudest frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ttskit.dsp import dtw, mcep
from ttskit.errors import TtskitError
from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"mcd": Score("dB"), "mcd_plain": Score("dB"), "mcd_trimmed": Score("dB")}


@dataclass(frozen=True)
class Settings:
    """Order and warping of the mel-cepstra; by default the sample rate determines the warping."""

    order: int = 24
    warping: float | None = None  # α of the all-pass filter
    audible: float = 40.0  # dB below the loudest frame


def validate(reference: np.ndarray, synthesised: np.ndarray) -> None:
    """Refuse cepstra of different orders."""
    if reference.shape != synthesised.shape:
        raise TtskitError(f"cepstra are {reference.shape} and {synthesised.shape}")


def distortion(reference: np.ndarray, synthesised: np.ndarray) -> float:
    """Return the distortion of cepstra without gain, frame by frame: (T, order) both, to dB."""
    validate(reference, synthesised)
    squares = np.square(reference - synthesised).sum(axis=1)
    return float(10 / np.log(10) * np.sqrt(2 * squares).mean())


def evaluate(pair: Pair, settings: Settings) -> dict[str, float]:
    """Return the three variants of the distortion."""
    rate = pair.reference.frames.sample_rate
    warping = mcep.mel_warping(rate) if settings.warping is None else settings.warping
    both = (pair.reference, pair.synthesised)
    a, b = (sound.cepstrum(settings.order, warping) for sound in both)
    heard_a, heard_b = (
        one[s.audible(settings.audible)] for one, s in zip((a, b), both, strict=True)
    )
    return {
        "mcd": warped(a, b),
        "mcd_plain": distortion(a[pair.plain[0]], b[pair.plain[1]]),
        "mcd_trimmed": warped(heard_a, heard_b),
    }


def warped(reference: np.ndarray, synthesised: np.ndarray) -> float:
    """Return the distortion along the path of dynamic time warping, in dB."""
    first, second = dtw.path(reference, synthesised)
    return distortion(reference[first], synthesised[second])


MEASURE = Measure("mcd", "pair", SCORES, evaluate, Settings())
