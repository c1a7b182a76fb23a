"""What a round of Griffin-Lim by the vocoder `source` costs: processor time on one thread.

    python benchmarks/rounds_cost.py corpus.h5 [--rounds 0 2 4 8 16 32]

Mels are computed before.  Of three passes over all utterances, in turns, the fastest counts.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.models.source import Source
from ttskit.networks.facts import Facts
from ttskit.speaking.coding import mel_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rounds", type=int, nargs="+", default=[0, 2, 4, 8, 16, 32])
    options = parser.parse_args()
    torch.set_num_threads(1)
    corpus, facts = Reader(options.corpus, Corpus), Facts()
    vocoder = Source(Source.Config(), facts)
    mels = [torch.from_numpy(mel_of(corpus, row, facts)) for row in range(len(corpus))]
    seconds = sum(map(len, mels)) * facts.hop_length / facts.sample_rate
    took: dict[int, list[float]] = {rounds: [] for rounds in options.rounds}
    for _ in range(3):
        for rounds in options.rounds:
            start = time.process_time()
            for mel in mels:
                torch.cat([*vocoder.stream({"mel": mel}, torch.Generator(), rounds=rounds)])
            took[rounds].append((time.process_time() - start) / seconds)
    for rounds, times in took.items():
        print(f"{rounds:3} rounds: {min(times):.4f} of real time")


if __name__ == "__main__":
    main()
