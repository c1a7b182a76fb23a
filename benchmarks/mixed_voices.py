"""How alike mixed voices are to the speakers that they are mixed of.

    ttskit decode features.h5 alignment.h5 --model coder.h5 --codec codec.h5 \\
        --reference ann.wav:0.75,bob.wav:0.25 -o 0.25.h5
    ttskit vocode 0.25.h5 --vocoder source -o spoken-0.25.h5
    python benchmarks/mixed_voices.py RECORDINGS.h5 ann,bob spoken-0.h5 spoken-0.25.h5 ...

RECORDINGS is a Corpus of speakers, each of whom is the mean embedding of what they say; the others
are the same sentences, in the order of the weights.  For each of them the table has the cosine of a
sentence to each speaker, and its median f0, as means with 95 % intervals; at the end, the rank
correlation of each figure with the order, within sentences.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import spearmanr

import ttskit
from ttskit.dsp import praat
from ttskit.dsp.samples import resample
from ttskit.metrics.speaker import SAMPLE_RATE, Encoder, Settings

ROUNDS = 10_000  # of the bootstrap
HOP = 160  # samples


def sounds(path: str) -> list[tuple[str, np.ndarray]]:
    """Return speaker and samples, (sample,) float at the rate of the embedding, of a Corpus."""
    corpus = ttskit.read(path)
    rate = int(corpus.attributes["sample_rate"])
    rows = (corpus[id] for id in corpus.ids)
    return [
        (row.speaker, resample(row.audio.astype(np.float32) / 32768, rate, SAMPLE_RATE))
        for row in rows
    ]


def height(audio: np.ndarray) -> float:
    """Return the median f0 of a sentence, in Hz."""
    f0, _ = praat.pitch(audio, SAMPLE_RATE, HOP)
    return float(np.median(f0[f0 > 0]))


def interval(values: np.ndarray) -> str:
    """Return the mean of some values and its interval, as text."""
    drawn = np.random.default_rng(0).integers(0, len(values), (ROUNDS, len(values)))
    low, high = np.percentile(values[drawn].mean(1), [2.5, 97.5])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def figures(
    recordings: str, names: Sequence[str], encoder: Encoder
) -> dict[str, Callable[[np.ndarray], float]]:
    """Return what is measured of a sentence, by name."""
    said = sounds(recordings)

    def nearness(name: str) -> Callable[[np.ndarray], float]:
        own = np.mean([encoder.embedding(audio) for who, audio in said if who == name], axis=0)
        own /= np.linalg.norm(own)
        return lambda audio: float(encoder.embedding(audio) @ own)

    return {**{name: nearness(name) for name in names}, "f0": height}


def main(recordings: str, names: Sequence[str], spoken: Sequence[str]) -> None:
    """Print the table."""
    measured = figures(recordings, names, Encoder(Settings()))
    rows = [[audio for _, audio in sounds(path)] for path in spoken]
    values = {  # (weight, sentence) each
        name: np.array([[measure(audio) for audio in row] for row in rows])
        for name, measure in measured.items()
    }
    for place, path in enumerate(spoken):
        print(path, *(f"{name} {interval(each[place])}" for name, each in values.items()), sep="  ")
    for name, each in values.items():
        ranks = np.array([spearmanr(range(len(each)), sentence)[0] for sentence in each.T])
        print(f"rank correlation of {name} with the order  {interval(ranks)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].split(","), sys.argv[3:])
