"""Mel-cepstra by the unbiased estimator of log spectra: Fukada, Tokuda, Kobayashi, Imai, 1992.

The spectrum is modelled by log|H(ω)|² = 2 Σ c(m) cos(m·ω̃), m from 0 to the order, where ω̃ is
the frequency as an all-pass filter warps it.  The coefficients minimise the mean over ω of
exp R − R with R = log I − log|H|², where I is the periodogram.  The function is convex and is
minimised by Newton's method, with steps that change R by at most 1.  SPTK's `mcep` finds the same
minimum by recursions between cepstra.

T frames, F frequency bins from 0 to half the rate, M order.
"""

from __future__ import annotations

import numpy as np

ITERATIONS = 50  # at most; speech needs about ten
ENOUGH = 1e-6  # change of R in the last step; convergence is quadratic
_BLOCK = 256  # frames at a time


def mel_cepstrum(power: np.ndarray, order: int, warping: float) -> np.ndarray:
    """Return the mel-cepstra of power spectra.

    Parameters
    ----------
    power : (T, F) float
        Positive.
    order, warping : M, coefficient α of the all-pass filter

    Returns
    -------
    (T, M + 1) float64
        Natural logarithms of magnitude; the first one is the gain.
    """
    bins = power.shape[1]
    frequency = warped(np.linspace(0, np.pi, bins), warping)
    basis = np.cos(np.arange(2 * order + 1)[:, None] * frequency)  # (2M + 1, F)
    weight = np.ones(bins)
    weight[[0, -1]] = 0.5
    weight /= weight.sum()
    blocks = [power[start : start + _BLOCK] for start in range(0, len(power), _BLOCK)]
    cepstra = [_minimum(np.log(block), basis, weight, order) for block in blocks]
    return np.concatenate([*cepstra, np.empty((0, order + 1))])


def warped(frequency: np.ndarray, warping: float) -> np.ndarray:
    """Return the phase of the all-pass filter (z⁻¹ − α) / (1 − α z⁻¹) at frequencies 0 to π."""
    turn = warping * np.sin(frequency) / (1 - warping * np.cos(frequency))
    return frequency + 2 * np.arctan(turn)


def mel_warping(sample_rate: int) -> float:
    """Return the α, to three digits, that best approximates the mel scale up to half the rate.

    The mel scale is that of Fant, log(1 + f / 1000 Hz), as in SPTK.
    """
    frequency = np.linspace(0, np.pi, 512)
    mel = np.log1p(frequency / np.pi * sample_rate / 2000)
    target = np.pi * mel / mel[-1]

    def nearest(thousandths: np.ndarray) -> int:
        errors = [np.square(warped(frequency, one / 1000) - target).sum() for one in thousandths]
        return int(thousandths[np.argmin(errors)])

    about = nearest(np.arange(0, 1000, 20))
    return nearest(np.arange(max(0, about - 20), min(1000, about + 20))) / 1000


def _minimum(
    log_power: np.ndarray, basis: np.ndarray, weight: np.ndarray, order: int
) -> np.ndarray:
    """Return the cepstra (T, M + 1) of log spectra (T, F) by Newton's method.

    It starts from the least-squares fit to the log spectra.
    """
    own = basis[: order + 1]
    far, near = np.add.outer(range(order + 1), range(order + 1)), np.arange(order + 1)
    near = np.abs(near[:, None] - near)
    cepstra = np.linalg.lstsq(own.T * 2, log_power.T, rcond=None)[0].T
    left = np.arange(len(cepstra))  # frames that have not converged
    for _ in range(ITERATIONS):
        excess = log_power[left] - 2 * cepstra[left] @ own
        top = excess.max(axis=1, keepdims=True)
        excess = np.exp(excess - top)
        mean = (excess @ weight)[:, None]
        cepstra[left, :1] += (
            top + np.log(mean)
        ) / 2  # the best gain for this shape, where the mean of exp R is 1
        excess *= weight / mean  # (T, F)
        moments = excess @ basis.T  # (T, 2M + 1)
        curvature = (moments[:, near] + moments[:, far]) / 2  # (T, M + 1, M + 1)
        slope = moments[:, : order + 1] - weight @ own.T
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        change = np.abs(step @ own).max(axis=1, keepdims=True)
        cepstra[left] += step / 2 / np.maximum(change, 1)
        left = left[change[:, 0] >= ENOUGH]
        if not len(left):
            break
    return cepstra
