"""Alignment without a network: one Gaussian per symbol, by rounds of search and fit.

Every symbol has one diagonal Gaussian over mel frames, shared by the whole corpus; all symbols
that are not phonemes (begin, end, boundary, punctuation) share one, which stands for silence.
The search finds the most likely durations for fixed Gaussians; the fit finds the most likely
Gaussians for fixed durations.  Hence the likelihood never falls.

Shapes: T frames, N tokens, K symbols, M mel bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ttskit.errors import AlignmentError

LEAST_VARIANCE = 0.05  # share of the variance of the corpus
QUIET = 0.1  # share of frames that are silence in the first round


@dataclass(frozen=True)
class Gaussians:
    """Mean and variance of each symbol, (K, M) float64."""

    mean: np.ndarray
    variance: np.ndarray

    def scores(self, mel: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """mel (T, M), tokens (N,) -> log-likelihood of each frame under each token, (T, N)."""
        weight = 1 / self.variance[tokens]  # (N, M)
        mean = self.mean[tokens]
        norm = (np.log(2 * np.pi * self.variance[tokens]) + mean**2 * weight).sum(1)
        mel = mel.astype(np.float64)
        return -0.5 * (mel**2 @ weight.T - 2 * mel @ (mean * weight).T + norm)


@dataclass(frozen=True)
class Statistics:
    """Number (K,), sum and sum of squares (K, M) of the frames of each symbol, so far."""

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray

    @classmethod
    def empty(cls, symbols: int, bands: int) -> Statistics:
        """No frame yet."""
        return cls(np.zeros(symbols), np.zeros((symbols, bands)), np.zeros((symbols, bands)))

    def copy(self) -> Statistics:
        return Statistics(self.counts.copy(), self.sums.copy(), self.squares.copy())

    def add(self, mel: np.ndarray, labels: np.ndarray, sign: int = 1) -> None:
        """Add frames (T, M) of the symbols (T,); with sign -1 take them away."""
        mel = mel.astype(np.float64)
        self.counts[:] += sign * np.bincount(labels, minlength=len(self.counts))
        np.add.at(self.sums, labels, sign * mel)
        np.add.at(self.squares, labels, sign * mel**2)

    def gaussians(self, silent: np.ndarray | None = None) -> Gaussians:
        """Return the most likely Gaussians; a symbol without frames gets that of all frames.

        The `silent` symbols, (K,) bool, share one.
        """
        own = self.copy()
        counts, sums, squares = own.counts, own.sums, own.squares
        total = sums.sum(0) / counts.sum()
        spread = squares.sum(0) / counts.sum() - total**2
        if silent is not None:
            for values in (counts, sums, squares):
                values[silent] = values[silent].sum(0)
        present = counts > 0
        mean = np.where(present[:, None], sums / np.maximum(counts, 1)[:, None], total)
        variance = squares / np.maximum(counts, 1)[:, None] - mean**2
        variance = np.where(present[:, None], variance, spread)
        return Gaussians(mean, np.maximum(variance, LEAST_VARIANCE * spread))


Utterance = tuple[str, np.ndarray, np.ndarray]  # id, mel (T, M), tokens (N,)


def align(
    model: Gaussians, mel: np.ndarray, tokens: np.ndarray, silent: np.ndarray, id: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return durations (N,) int32 and the mean log-likelihood of each token's frames, (N,).

    Parameters
    ----------
    silent : (K,) bool
        Symbols that are not phonemes and may have 0 frames.
    """
    from ttskit.dsp import mas

    scores = model.scores(mel, tokens)
    durations = mas.durations(scores, silent[tokens], id)
    owners = np.repeat(np.arange(len(tokens)), durations)
    sums = np.bincount(owners, scores[np.arange(len(mel)), owners], len(tokens))
    return durations, sums / np.maximum(durations, 1)


def fit(
    utterances: Sequence[Utterance] | Iterable[Utterance],
    silent: np.ndarray,
    rounds: int,
) -> Iterator[tuple[Gaussians, float]]:
    """Yield the Gaussians after each round, and the mean log-likelihood of a frame before it.

    Parameters
    ----------
    utterances : iterated over once in every round
    silent : (K,) bool
    """
    model = _first(utterances, silent)
    for _ in range(rounds):
        statistics, total = Statistics.empty(*model.mean.shape), 0.0
        for id, mel, tokens in utterances:
            durations, scores = align(model, mel, tokens, silent, id)
            total += float(scores @ durations)
            statistics.add(mel, np.repeat(tokens, durations))
        yield (model := statistics.gaussians(silent)), total / statistics.counts.sum()


def _first(utterances: Iterable[Utterance], silent: np.ndarray) -> Gaussians:
    """Return Gaussians that take quiet frames as silence and spread phonemes over the others."""
    levels = [mel.mean(axis=1) for _, mel, _ in utterances]
    if not levels:
        raise AlignmentError("no utterance has a frame for each of its tokens: take a smaller hop")
    quiet = np.quantile(np.concatenate(levels), QUIET)
    bands = next(mel.shape[1] for _, mel, _ in utterances)
    statistics = Statistics.empty(len(silent), bands)
    for _, mel, tokens in utterances:
        loud = mel.mean(axis=1) > quiet
        spoken = tokens[~silent[tokens]]
        if len(spoken) and loud.any():
            sounding = mel[loud]
            labels = spoken[np.arange(len(sounding)) * len(spoken) // len(sounding)]
            statistics.add(sounding, labels)
        silence = mel[~loud]
        statistics.add(silence, np.full(len(silence), np.argmax(silent)))
    return statistics.gaussians(silent)
