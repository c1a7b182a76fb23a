"""Whether a style moves tempo, level and pitch the right way, and whether confidence is calibrated.

    python benchmarks/style_mamba.py corpus.h5 tokens.h5 CODEC CODER DURATION [--limit 20]
    python benchmarks/style_mamba.py --confidence features.h5 alignment.h5 DURATION

References are the recordings of the corpus, which no model may have been trained on, as they are
and changed by Praat: fast and slow, high and low, and loud and soft by a factor.  With each, the
first three texts of the tokens are decoded; their seconds, mean level and median pitch are compared
with those of the reference: correlations over all references, with 95 % intervals from resampled
recordings.  With --confidence, durations of recordings are predicted instead: errors by decile of
the confidence, and how often they are within the deviation that it stands for.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import parselmouth
from parselmouth.praat import call

import ttskit
from ttskit.dsp import mel, melpitch
from ttskit.models.vocoder import mel_settings
from ttskit.speaking.acoustics import Cascade, Manner
from ttskit.voices.model import read_model

# name -> factor of the duration, semitones, dB
CHANGES = {"own": (1.0, 0, 0), "fast": (0.8, 0, 0), "slow": (1.25, 0, 0), "high": (1.0, 3, 0),
           "low": (1.0, -3, 0), "loud": (1.0, 0, 6), "soft": (1.0, 0, -6)}  # fmt: skip
MEASURES = ("seconds", "level", "pitch")
TEXTS, RESAMPLES = 3, 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--confidence", action="store_true")
    args = parser.parse_args()
    if args.confidence:
        calibration(*args.files)
        return
    corpus, tokens = (ttskit.read(path) for path in args.files[:2])
    models = [read_model(path) for path in args.files[2:]]
    cascade = Cascade(models, "mel", ["tokens"])
    settings = mel_settings(cascade.facts)
    texts = [tokens[id].tokens for id in tokens.ids[:TEXTS]]
    rows = []
    for id in corpus.ids[: args.limit]:
        audio = corpus[id].audio.astype(np.float64) / 32768
        for name, change in CHANGES.items():
            reference = mel.mel(changed(audio, settings.sample_rate, *change), settings)
            outputs = [decoded(cascade, text, reference) for text in texts]
            given = np.array([len(reference) / len(tokens[id].tokens), *heard(reference, settings)])
            made = np.array([
                np.mean([len(out) / len(text) for out, text in zip(outputs, texts, strict=True)]),
                *np.mean([heard(out, settings) for out in outputs], 0),
            ])  # fmt: skip
            rows.append((id, name, given, made))
    told(rows)


def changed(
    audio: np.ndarray, rate: int, duration: float, semitones: float, decibels: float
) -> np.ndarray:
    """Return a recording that is slower, higher and louder."""
    sound = parselmouth.Sound(audio, rate)
    if duration != 1 or semitones:
        median = call(call(sound, "To Pitch", 0, 75, 500), "Get quantile", 0, 0, 0.5, "Hertz")
        new = median * 2 ** (semitones / 12)
        sound = call(sound, "Change gender", 75, 500, 1.0, new, 1.0, duration)
    values = sound.values[0] * 10 ** (decibels / 20)
    return values.astype(np.float32)


def decoded(cascade: Cascade, text: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the mel of a text in the style of a reference."""
    manner = Manner(style=reference, knobs={"iterations": 4})
    mels: np.ndarray = cascade.run("text", {"tokens": text}, manner, 0)["mel"]
    return mels


def heard(log_mel: np.ndarray, settings: mel.MelSettings) -> tuple[float, float]:
    """Return the level of the louder half of the frames in dB, and the median pitch in octaves."""
    level = 20 / np.log(10) * np.log(np.exp(log_mel).mean(1))
    f0, voiced = melpitch.pitch(log_mel, settings)
    return float(np.sort(level)[len(level) // 2 :].mean()), float(np.log2(np.median(f0[voiced])))


def told(rows: list[tuple[str, str, np.ndarray, np.ndarray]]) -> None:
    """Print correlations, and the mean effect of each change beside the recording as it is."""
    ids = sorted({id for id, *_ in rows})
    rng = np.random.default_rng(0)
    samples = [ids, *(list(rng.choice(ids, len(ids))) for _ in range(RESAMPLES))]
    by_id: dict[str, list[Any]] = {id: [row for row in rows if row[0] == id] for id in ids}
    for number, name in enumerate(MEASURES):
        values = []
        for sample in samples:
            pairs = [(row[2][number], row[3][number]) for id in sample for row in by_id[id]]
            values.append(float(np.corrcoef(np.array(pairs).T)[0, 1]))
        low, high = np.percentile(values[1:], (2.5, 97.5))
        print(f"{name}: correlation {values[0]:.2f} ({low:.2f} to {high:.2f})")
    for change in CHANGES:
        effects = []
        for id in ids:
            own, other = (next(row for row in by_id[id] if row[1] == n) for n in ("own", change))
            effects.append(np.concatenate([other[2] - own[2], other[3] - own[3]]))
        mean = np.mean(effects, 0)
        cells = ", ".join(
            f"{name} {mean[i]:+.2f} -> {mean[3 + i]:+.3f}" for i, name in enumerate(MEASURES)
        )
        print(f"{change}: {cells}")


def calibration(features: Path, alignment: Path, duration: Path) -> None:
    """Print the errors of durations by decile of their confidence."""
    cascade = Cascade([read_model(duration)], "durations")
    recorded, aligned = ttskit.read(features), ttskit.read(alignment)
    pairs = []
    for id in aligned.ids:
        record = aligned[id]
        manner = Manner(style=recorded[id].mel)
        fields = cascade.run(id, {"tokens": record.tokens}, manner, 0)
        error = np.log1p(fields["durations"]) - np.log1p(record.durations)
        pairs += [*zip(fields["confidence"], np.abs(error), strict=True)]
    confidence, error = np.array(sorted(pairs)).T
    # confidence is exp(-variance) of the logarithm
    deviation = np.sqrt(-np.log(np.clip(confidence, 1e-9, 1 - 1e-9)))
    for part in np.array_split(np.arange(len(error)), 10):
        within = (error[part] < deviation[part]).mean()
        print(
            f"confidence {confidence[part].mean():.3f}: predicted deviation "
            f"{deviation[part].mean():.3f}, root of the mean squared error "
            f"{np.sqrt((error[part] ** 2).mean()):.3f}, within it {within:.0%}"
        )


if __name__ == "__main__":
    main()
