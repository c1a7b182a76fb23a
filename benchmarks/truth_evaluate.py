"""Do measures move by what was done to a signal?  Speech-like signals, distorted by known amounts.

    python benchmarks/truth_evaluate.py

Prints the table in docs/quality.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfiltfilt

from ttskit.dsp import speechlike
from ttskit.dsp.crepe import Crepe, decode
from ttskit.metrics import f0, length, loudness, lsd, mcd, mel, multiresolution, periodicity
from ttskit.metrics.sound import Frames, Pair, Sound

RATE, TEXT, CLIPS = 22050, "moria talu, sen jofami kelu, radino", 10
MEASURES = (mcd, lsd, mel, multiresolution, f0, periodicity, loudness, length)


def clip(seed: int, pitch: float = 180.0, stretch: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sounds = speechlike.sounds(TEXT, rng)
    slow = [speechlike.Letter(one.letter, one.seconds * stretch) for one in sounds]
    return speechlike.synthesise(slow, rng, RATE, pitch)[0]


def noisy(audio: np.ndarray, snr: float) -> np.ndarray:
    level = np.sqrt(np.square(audio).mean()) * 10 ** (-snr / 20)
    return audio + np.random.default_rng(9).normal(0, level, len(audio)).astype(np.float32)


def dull(audio: np.ndarray) -> np.ndarray:
    return sosfiltfilt(butter(8, 3000, fs=RATE, output="sos"), audio).astype(np.float32)


DISTORTIONS: dict[str, Callable[[int], np.ndarray]] = {
    "none": clip,
    "6.02 dB louder": lambda seed: 2 * clip(seed),
    "noise, SNR 30 dB": lambda seed: noisy(clip(seed), 30),
    "noise, SNR 20 dB": lambda seed: noisy(clip(seed), 20),
    "noise, SNR 10 dB": lambda seed: noisy(clip(seed), 10),
    "100 cents higher": lambda seed: clip(seed, 180 * 2 ** (1 / 12)),
    "1.25 times as long": lambda seed: clip(seed, stretch=1.25),
    "low-pass at 3 kHz": lambda seed: dull(clip(seed)),
}


def main() -> None:
    crepe, frames = Crepe("tiny"), Frames.at(RATE)

    def follow(audio: np.ndarray, rate: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
        return decode(crepe.follow(audio, rate, hop))

    columns: dict[str, list[dict[str, float]]] = {name: [] for name in DISTORTIONS}
    for seed in range(CLIPS):
        reference = Sound(clip(seed), frames, follow)
        for name, distorted in DISTORTIONS.items():
            pair = Pair(reference, Sound(distorted(seed), frames, follow))
            found: dict[str, float] = {}
            for measure in MEASURES:
                found |= measure.evaluate(pair, measure.MEASURE.settings)
            columns[name].append(found)
    print(f"| | {' | '.join(DISTORTIONS)} |\n|---|{'---|' * len(DISTORTIONS)}")
    for score in columns["none"][0]:
        means = [np.mean([found[score] for found in column]) for column in columns.values()]
        print(f"| {score} | {' | '.join(f'{mean:.3g}' for mean in means)} |")


if __name__ == "__main__":
    main()
