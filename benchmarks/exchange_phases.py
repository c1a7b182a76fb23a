"""Which part of a copy is wrong?  The magnitudes of one Corpus, the phases of another.

    python benchmarks/exchange_phases.py magnitudes.h5 phases.h5 mixed.h5

Writes a Corpus of the utterances of the first, as long as the shorter of both; windows of 1,024
samples, 256 apart.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.dsp import stft
from ttskit.dsp.samples import to_int16

SIZES = 1024, 256


def mixed(magnitudes: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Return audio (N,) with magnitudes of one and phases of another, (N,) int16 each."""
    samples = min(len(magnitudes), len(phases)) // SIZES[1] * SIZES[1]
    both = np.stack([magnitudes[:samples], phases[:samples]]).astype(np.float32) / 32768
    magnitude, phase = stft.spectrum(torch.from_numpy(both), *SIZES)
    spectrum = torch.polar(magnitude.abs(), phase.angle())
    return to_int16(stft.audio(spectrum[None], *SIZES)[0].numpy())[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("magnitudes", "phases", "output"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    first, second = (Reader(path, Corpus) for path in (options.magnitudes, options.phases))
    inputs = [first.digest, second.digest]
    provenance = {"stage": "exchange_phases", "revision": 1, "options": {}, "inputs": inputs}
    attributes = {"sample_rate": first.attributes["sample_rate"]}
    with Writer(options.output, Corpus, provenance=provenance, attributes=attributes) as writer:
        for id, record in first.items():
            writer.append(replace(record, audio=mixed(record.audio, second[id].audio)))
        writer.seal(first.ids)


if __name__ == "__main__":
    main()
