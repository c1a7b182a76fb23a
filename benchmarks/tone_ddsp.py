"""An instrument that is no recording: tones with vibrato, whose timbre moves with their loudness.

Writes FOLDER/tone-corpus.h5 and FOLDER/tone-features.h5, in which f0 is the truth, and says how far
a tone is from itself with another noise: no copy can be expected to come nearer.
    python benchmarks/tone_ddsp.py FOLDER [RMS of the noise]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ttskit.artifacts.kinds import Corpus, Features
from ttskit.artifacts.writer import Writer
from ttskit.dsp.loudness import energy, loudness
from ttskit.dsp.mel import MelSettings, mel
from ttskit.dsp.samples import to_int16
from ttskit.models.ddsp import Distances
from ttskit.networks.spectral import differences

RATE, HOP, SECONDS, COUNT, HARMONICS = 22050, 256, 2.0, 24, 40
NOISE = 0.001  # of full scale
GRID = {
    "sample_rate": RATE, "hop_length": HOP, "n_fft": 1024, "n_mels": 80, "fmin": 0.0, "fmax": 8e3,
}  # fmt: skip


def main() -> None:
    folder, level = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else NOISE
    folder.mkdir(parents=True, exist_ok=True)
    made = {"stage": "tone", "revision": 1, "options": {"noise": level}, "inputs": []}
    told, apart = Distances(), list[list[float]]()
    paths = folder / "tone-corpus.h5", folder / "tone-features.h5"
    with (
        Writer(paths[0], Corpus, provenance=made, attributes={"sample_rate": RATE}) as sounds,
        Writer(paths[1], Features, provenance=made, attributes=GRID) as heard,
    ):
        ids = [f"tone{number:02}" for number in range(COUNT)]
        for number, id in enumerate(ids):
            audio, f0 = tone(np.random.default_rng(number))
            copies = audio + level * np.random.default_rng([1, number]).normal(size=(2, len(audio)))
            audio = copies[0]
            one, other = torch.from_numpy(copies)[:, None]
            apart.append([float(x) for x in differences(one, other, told.n_fft, told.floor)])
            names: dict[str, Any] = {"id": id, "speaker": "", "text": id}
            sounds.append(Corpus(**names, audio=to_int16(audio)[0]))
            heard.append(Features(**names, **measured(audio, f0)))
        sounds.seal(ids)
        heard.seal(ids)
    linear, log = apart[0]
    print(f"tone00, with another noise: distance {linear + log:.3f} ({linear:.3f} + {log:.3f})")


def tone(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return audio (sample,) and its f0 (frame,): two notes, each swelling and fading."""
    frames = int(SECONDS * RATE / HOP)
    time = (np.arange(frames * HOP) + 0.5) / RATE
    notes = 220 * 2 ** (rng.integers(-5, 12, 2) / 12)
    glide = 1 / (1 + np.exp(-(time - SECONDS / 2) / 0.02))
    vibrato = 2 ** (0.4 / 12 * np.sin(2 * np.pi * 5.5 * time + rng.uniform(0, 6)))
    f0 = notes[0] ** (1 - glide) * notes[1] ** glide * vibrato
    swell = 0.05 + np.sin(2 * np.pi * time / SECONDS) ** 2 * rng.uniform(0.5, 1)
    dull = 3.0 - 2.0 * swell  # a loud tone is a bright one
    turns, audio = np.cumsum(f0) / RATE, np.zeros(len(time))
    for number in range(1, HARMONICS + 1):
        body = 1 + 0.8 * np.cos(np.log(number * f0 / 700) * 3)  # two or three resonances
        gain = np.where(number * f0 < RATE / 2, number**-dull * body, 0)
        audio += gain * np.sin(2 * np.pi * number * turns)
    audio *= 0.25 * swell
    return audio, f0[HOP // 2 :: HOP]


def measured(audio: np.ndarray, f0: np.ndarray) -> dict[str, Any]:
    return {
        "mel": mel(audio.astype(np.float32), MelSettings()),
        "f0": f0,
        "voiced": np.ones(len(f0), bool),
        "periodicity": np.ones(len(f0)),
        "loudness": loudness(audio, RATE, HOP),
        "energy": energy(audio, HOP),
    }


if __name__ == "__main__":
    main()
