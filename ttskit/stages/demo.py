"""Demo: a small dataset of signals like speech, in LJSpeech's layout, to try the other verbs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ttskit import wording
from ttskit.artifacts import atomic
from ttskit.errors import TtskitError
from ttskit.options import Seed

WORDS = (
    "Anna Tom rain river stone morning yellow window never always little open quiet many summer "
    "garden follow listen seven animals under water silver moon"
).split()
SPEAKERS = {"low": 110.0, "high": 210.0}  # Hz


Folder = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", help="Folder for the dataset: wavs/ and metadata.csv."),
]
Utterances = Annotated[
    int,
    typer.Option("-n", "--utterances", min=1, metavar="N", help="Utterances to write."),
]
SampleRate = Annotated[
    int,
    typer.Option(min=8000, max=192_000, metavar="HZ", help="Sample rate of the recordings."),
]


def command(
    folder: Folder,
    utterances: Utterances = 24,
    sample_rate: SampleRate = 22050,
    seed: Seed = 0,
) -> None:
    """Write a small synthetic dataset, to try the other verbs on.

    Examples:
        ttskit demo recordings
        ttskit demo recordings --utterances 100 --sample-rate 16000 --seed 1
    """
    import numpy as np

    from ttskit import progress
    from ttskit.dsp import speechlike
    from ttskit.formats import audio

    told = folder / "metadata.csv"
    if told.exists() and not told.read_bytes().startswith(b"demo-"):
        raise TtskitError(
            "is there already, and of other recordings: name another folder", file=told
        )
    (folder / "wavs").mkdir(parents=True, exist_ok=True)
    rng, lines = np.random.default_rng(seed), []
    for number in range(utterances):
        speaker = list(SPEAKERS)[number % len(SPEAKERS)]
        words = rng.choice(WORDS, rng.integers(3, 8), replace=False)
        text = f"{' '.join(words)}.".capitalize()
        spoken = speechlike.sounds(text, rng)
        samples, _ = speechlike.synthesise(spoken, rng, sample_rate, SPEAKERS[speaker])
        id = f"demo-{number:03}"
        audio.write(folder / "wavs" / f"{id}.wav", samples, sample_rate)
        lines.append(f"{id}|{text}|{speaker}")
    atomic.write_text(told, "\n".join([*lines, ""]))
    progress.note(f"{folder}: {wording.count(utterances, 'recording')}, synthesised")
