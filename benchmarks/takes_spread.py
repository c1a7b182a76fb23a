"""How far takes of one text are from each other: those of a person, or those of a decoder.

    python benchmarks/takes_spread.py FEATURES.h5 ALIGNMENT.h5 [FEATURES.h5 ALIGNMENT.h5 ...]

An Alignment may be Mels, which say how long their tokens last, too.  Of each pair of takes with the
same tokens, over their spoken tokens: the mean difference of f0 where both are voiced, as it is and
without what it is on average (one take may be higher as a whole); of the mean log-mel; of the
durations.
"""

from __future__ import annotations

import sys
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

import ttskit


class Take(NamedTuple):
    """What is measured of each spoken token."""

    f0: np.ndarray  # semitones, NaN where unvoiced
    mel: np.ndarray  # (token, band)
    frames: np.ndarray


def take_of(features: ttskit.Reader[Any], spoken: ttskit.Reader[Any], id: str) -> Take:
    """Return the means of a take over the frames of its tokens."""
    at, row = features.row(id), spoken.row(id)
    mel, f0, voiced = (features.value(at, name) for name in ("mel", "f0", "voiced"))
    durations = spoken.value(row, "durations")
    owner = np.repeat(np.arange(len(durations)), durations)[: len(mel)]
    semitones = np.where(voiced, 12 * np.log2(np.maximum(f0, 1)), np.nan)
    said = np.flatnonzero((spoken.value(row, "token_word") >= 0) & (durations > 0))
    rows = [np.flatnonzero(owner == token) for token in said]
    heard = [semitones[own][np.isfinite(semitones[own])] for own in rows]
    return Take(
        np.array([values.mean() if len(values) else np.nan for values in heard]),
        np.array([mel[own].mean(0) for own in rows]),
        durations[said],
    )


def apart(one: Take, other: Take) -> list[float]:
    """Return how far two takes are from each other, by each measure."""
    f0 = (one.f0 - other.f0)[np.isfinite(one.f0 - other.f0)]
    return [
        np.abs(f0).mean(),
        np.abs(f0 - f0.mean()).mean(),
        np.abs(one.mel - other.mel).mean(),
        np.exp(np.abs(np.log(one.frames / other.frames)).mean()),
    ]


def main() -> None:
    takes: dict[bytes, list[Take]] = {}
    for paths in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        features, spoken = map(ttskit.read, paths)
        for id in spoken.ids:
            if id in features:
                key = spoken.value(spoken.row(id), "tokens").tobytes()
                takes.setdefault(key, []).append(take_of(features, spoken, id))
    several = [own for own in takes.values() if len(own) > 1]
    pairs = [pair for own in several for pair in combinations(own, 2)]
    values = np.array([apart(*pair) for pair in pairs if len(pair[0].f0) == len(pair[1].f0)])
    f0, inflected, mel, ratio = np.nanmean(values, 0)
    print(f"{len(several)} texts, {len(values)} pairs of takes")
    print(
        f"f0 {f0:.2f} semitones apart, {inflected:.2f} without the mean; log-mel {mel:.3f}; "
        f"durations {ratio:.2f} times"
    )


if __name__ == "__main__":
    main()
