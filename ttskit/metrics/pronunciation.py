"""Pronunciation: words whose phonemes the recordings contradict, and others that fit them better.

One Gaussian per phoneme is fitted to the frames that an Alignment gives to it; stress is left out.
A pronunciation of a word is as good as the likelihood, by these, of the frames of all its places.
Candidates are the other pronunciations of the lexicons, and the guess from the letters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Features
    from ttskit.artifacts.reader import Reader

Symbols = tuple[str, ...]
Candidates = Callable[[str], Sequence[Symbols]]
MARGIN = 2.0  # of log-likelihood a frame, by which a candidate must be better
EVIDENCE = 6.0  # the same times the root of the number of places
FRAMES = 50  # of a phoneme, so that it can be judged
PLACES = 12  # of a word, that are looked at
AGREE = 2 / 3  # share of the places where a candidate must be better


class Place(NamedTuple):
    """Where a word is said: utterance, frames, and the phonemes that it was aligned with."""

    id: str
    start: int
    stop: int
    symbols: Symbols
    durations: np.ndarray  # frames of each


@dataclass(frozen=True)
class Suspect:
    """A word, what it was aligned with, what fits better (perhaps nothing), and where it is said.

    `gain` is the log-likelihood a frame by which the better one fits, or the own one is worse than
    usual.
    """

    word: str
    symbols: Symbols
    better: Symbols
    gain: float
    places: Sequence[Place]

    @property
    def evidence(self) -> float:
        return float(self.gain * np.sqrt(len(self.places)))


def places(alignment: Reader[Alignment]) -> dict[tuple[str, Symbols], list[Place]]:
    """Return the places of each word, in lower case, and each way in which it was spelt."""
    table = alignment.table("symbols")
    found = defaultdict(list)
    for id, record in alignment.items():
        edges = np.concatenate([[0], np.cumsum(record.durations)])
        for number, word in enumerate(record.words):
            own = np.flatnonzero(record.token_word == number)
            if not len(own):
                continue
            symbols = tuple(table[token] for token in record.tokens[own])
            place = Place(
                id, int(edges[own[0]]), int(edges[own[-1] + 1]), symbols, record.durations[own]
            )
            found[word.lower(), symbols].append(place)
    return dict(found)


def plain(symbol: str) -> str:
    """Return a phoneme without its stress."""
    return symbol.lstrip("ˈˌ") or symbol


def only_reduced(symbols: Symbols, other: Symbols) -> bool:
    """Whether other phonemes are the same, but for stress and for vowels that became ə.

    That is how words are said in a sentence, and no fault of a lexicon.

    >>> only_reduced(("ð", "ˈæ", "t"), ("ð", "ə", "t"))
    True
    """
    pairs = [(plain(one), plain(two)) for one, two in zip(symbols, other, strict=False)]
    return len(symbols) == len(other) and all(one == two or two == "ə" for one, two in pairs)


class Likelihoods:
    """How likely the mel of a place is, given phonemes."""

    def __init__(self, alignment: Reader[Alignment], features: Reader[Features]) -> None:
        from ttskit.dsp.flatstart import Statistics

        self.features = features
        table = [plain(symbol) for symbol in alignment.table("symbols")]
        self.numbers = {symbol: number for number, symbol in enumerate(dict.fromkeys(table))}
        of_token = np.array([self.numbers[symbol] for symbol in table])
        bands = int(features.attributes["n_mels"])
        self.every = self.statistics = Statistics.empty(len(self.numbers), bands)
        for id, record in alignment.items():
            if id in features:
                mel = features.value(features.row(id), "mel")
                labels = np.repeat(of_token[record.tokens], record.durations)
                self.every.add(mel[: len(labels)], labels[: len(mel)])
        self.model = self.every.gaussians()

    def leave_out(self, said: Sequence[Place]) -> None:
        """Judge by all frames but those of these places, which else speak for themselves."""
        self.statistics = self.every.copy()
        for place in said:
            labels = np.repeat([self.numbers[plain(one)] for one in place.symbols], place.durations)
            self.statistics.add(self.mel(place), labels, -1)
        self.model = self.statistics.gaussians()

    def mel(self, place: Place) -> np.ndarray:
        return self.features.value(self.features.row(place.id), "mel")[place.start : place.stop]

    def known(self, symbols: Symbols) -> bool:
        """Whether all of these phonemes were heard."""
        numbers = [self.numbers.get(plain(symbol), -1) for symbol in symbols]
        counts = self.statistics.counts
        return bool(numbers) and all(n >= 0 and counts[n] >= FRAMES for n in numbers)

    def __call__(self, place: Place, symbols: Symbols) -> float:
        """Return the log-likelihood a frame; -infinity with more phonemes than frames."""
        return self.fit(place, symbols)[0]

    def fit(self, place: Place, symbols: Symbols) -> tuple[float, float]:
        """Return the log-likelihood a frame, and what is usual for these phonemes."""
        from ttskit.dsp import mas

        mel = self.mel(place)
        if len(mel) < len(symbols):
            return -np.inf, 0.0
        tokens = np.array([self.numbers[plain(symbol)] for symbol in symbols])
        scores = self.model.scores(mel, tokens)
        durations = mas.durations(scores, np.zeros(len(tokens), bool), place.id)
        path = np.repeat(np.arange(len(tokens)), durations)
        usual = -0.5 * (np.log(2 * np.pi * self.model.variance).sum(1) + mel.shape[1])
        return float(scores[np.arange(len(mel)), path].mean()), float(usual[tokens[path]].mean())


def suspects(
    alignment: Reader[Alignment],
    features: Reader[Features],
    candidates: Candidates,
    threshold: float,
) -> list[Suspect]:
    """Return words that another pronunciation fits better, or that none fits; the surest first.

    None fits a word whose frames are less likely than is usual for its phonemes by more than
    `threshold` robust standard deviations.
    """
    likelihood, found, rest = Likelihoods(alignment, features), list[Suspect](), list[Suspect]()
    for (word, symbols), said in places(alignment).items():
        heard = [place for place in said if place.id in features][:PLACES]
        if not heard:
            continue
        likelihood.leave_out([place for place in said if place.id in features])
        others = [
            one
            for one in candidates(word)
            if not only_reduced(symbols, one) and likelihood.known(one)
        ]
        if best := best_of(heard, symbols, others, likelihood):
            found.append(Suspect(word, symbols, *best, heard))
        else:
            fits = np.array([likelihood.fit(place, symbols) for place in heard])
            rest.append(Suspect(word, symbols, (), float((fits[:, 1] - fits[:, 0]).mean()), heard))
    order = sorted(found, key=lambda one: -one.evidence)
    return [*order, *misfits(rest, threshold)]


def misfits(words: Sequence[Suspect], threshold: float) -> list[Suspect]:
    """Return the words that are far less likely than the others, the worst first."""
    from ttskit.metrics.oddities import deviations

    if not words:
        return []
    evidence = np.array([word.evidence for word in words])
    off = deviations(np.where(np.isfinite(evidence), evidence, np.nan))
    order = np.argsort(-np.nan_to_num(off), kind="stable")
    return [words[row] for row in order if off[row] > threshold]


def best_of(
    heard: Sequence[Place],
    symbols: Symbols,
    others: Sequence[Symbols],
    likelihood: Callable[[Place, Symbols], float],
) -> tuple[Symbols, float] | None:
    """Return the candidate that fits the places best, and by how much; None if none does."""
    if not heard or not others:
        return None
    frames = np.array([place.stop - place.start for place in heard])
    own = np.array([likelihood(place, symbols) for place in heard])
    gains: Mapping[Symbols, np.ndarray] = {
        other: np.array([likelihood(place, other) for place in heard]) - own for other in others
    }
    mean = {other: float(gain @ frames / frames.sum()) for other, gain in gains.items()}
    best = max(mean, key=lambda other: mean[other])
    agree = float((gains[best] > 0).mean()) >= AGREE
    sure = mean[best] > MARGIN and mean[best] * np.sqrt(len(heard)) > EVIDENCE
    return (best, mean[best]) if sure and agree else None
