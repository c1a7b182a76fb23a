"""Artifacts whose contents the tests know."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ttskit.artifact import Writer
from ttskit.kinds import Corpus

PROVENANCE = {"stage": "test", "revision": 1, "options": {}, "inputs": []}


def corpus_record(number: int, samples: int | None = None) -> Corpus:
    """An utterance whose contents follow from its number."""
    rng = np.random.default_rng(number)
    count = 50 + 37 * number if samples is None else samples
    return Corpus(
        id=f"u{number:03}",
        speaker="ann" if number % 3 else "bö",
        text=f"text\tof {number}",
        audio=rng.integers(-3000, 3000, count).astype(np.int16),
    )


def write_corpus(path: Path, numbers=range(12), sample_rate: int = 16000, skipped=None) -> Path:
    records = [corpus_record(number) for number in numbers]
    attributes = {"sample_rate": sample_rate}
    with Writer(path, Corpus, provenance=PROVENANCE, attributes=attributes) as writer:
        for record in records:
            writer.append(record)
        writer.seal([record.id for record in records], skipped)
    return path


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
