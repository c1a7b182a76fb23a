"""Synthetic utterances: what models are tried on in tests."""

from functools import cache

import numpy as np

from ttskit.dsp.loudness import loudness
from ttskit.dsp.mel import mel
from ttskit.models.vocoder import mel_settings
from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts

SYMBOLS, SILENT, MELS = 12, 2, 8
STRIDE, BOOKS, CODES, LATENTS = 2, 2, 4, 6
SPEECH = Facts(
    symbols=tuple("abcdefghijkl"),
    silent=tuple(number < SILENT for number in range(SYMBOLS)),
    speakers=("one", "other"),
    sample_rate=8000,
    hop_length=64,
    n_fft=256,
    n_mels=20,
    fmax=4000.0,
    stride=STRIDE,
    books=BOOKS,
    size=CODES,
    codec="a codec",
    latents=LATENTS,
    coder="a coder",
    statistics={"mel_mean": np.full(20, -4.0), "mel_deviation": np.full(20, 2.0)},
)


def speech(count, seed):
    """Every field of an utterance of `count` tokens: a harmonic tone for each, silent ends."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(SILENT, SYMBOLS, count)
    tokens[[0, -1]] = 0, 1
    durations = 3 + rng.integers(0, 5, count)
    f0 = np.repeat(120.0 + 25 * tokens, durations)
    voiced = np.repeat(tokens >= SILENT, durations)
    hop, rate = SPEECH.hop_length, SPEECH.sample_rate
    phase = np.cumsum(np.repeat(f0, hop)) / rate
    tones = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 6))
    audio = 0.2 * tones * np.repeat(voiced, hop) + rng.normal(0, 0.01, len(phase))
    audio = audio.astype(np.float32)
    return {
        "tokens": tokens,
        "durations": durations,
        "speaker": np.int64(seed % 2),
        "pitch": rng.normal(0, 1, count),
        "loudness_token": rng.normal(0, 1, count),
        "mel": mel(audio, mel_settings(SPEECH)),
        "f0": f0,
        "contour": np.log2(f0 / 250),
        "voiced": voiced,
        "periodicity": np.where(voiced, 0.9, 0.1),
        "loudness": loudness(audio, rate, hop),
        "audio": audio,
        "clip": rng.integers(0, CODES, (7 + count, BOOKS)),
        "codes": rng.integers(0, CODES, (-(-durations.sum() // STRIDE), BOOKS)),
        "latents": rng.normal(0, 1, (-(-durations.sum() // STRIDE), LATENTS)),
    }


@cache
def short_and_long():
    """Two utterances with every field, the first of them padded."""
    return collate(["short", "long"], [speech(5, 0), speech(8, 1)])


def facts(speakers=2):
    """Facts for `batch`, with random statistics of the mel."""
    rng = np.random.default_rng(5)
    return Facts(
        symbols=SPEECH.symbols,
        silent=SPEECH.silent,
        speakers=tuple(f"speaker {i}" for i in range(speakers)),
        n_mels=MELS,
        statistics={
            "mel_mean": rng.normal(-4, 1, MELS).astype(np.float32),
            "mel_deviation": rng.uniform(0.5, 2, MELS).astype(np.float32),
        },
    )


def batch(*counts, seed=0):
    """Utterances of `counts` tokens each; a frame of mel is that of its token, and some noise."""
    rng = np.random.default_rng(seed)
    tables = np.random.default_rng(1).normal(-4, 1.5, (SYMBOLS, MELS))
    items = []
    for number, count in enumerate(counts):
        tokens = rng.integers(SILENT, SYMBOLS, count)
        tokens[0] = tokens[-1] = 0
        durations = np.where(tokens < SILENT, rng.integers(0, 2, count), 1 + tokens % 4)
        mel = np.repeat(tables[tokens], durations, axis=0)
        items.append(
            {
                "tokens": tokens,
                "durations": durations,
                "mel": mel + rng.normal(0, 0.3, mel.shape),
                "speaker": np.int64(number % 2),
                "pitch": rng.normal(0, 1, count),
                "loudness_token": rng.normal(0, 1, count),
            }
        )
    return collate([f"u{i}" for i in range(len(counts))], items)
