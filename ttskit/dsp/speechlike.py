"""Speech-like signals with known pitch, voicing and timing, for tests and demonstrations.

Every letter is one sound: harmonics of f0 with three formants if voiced, else noise with a spectral
envelope; a plosive begins with a closure.

Shapes: N samples, K harmonics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FADE = 0.005  # seconds of the fade from one sound to the next
LEVEL = 0.1  # RMS of a voiced sound

VOWELS = {
    "a": (750, 1200, 2500),
    "e": (500, 1900, 2600),
    "i": (300, 2300, 3000),
    "o": (450, 850, 2500),
    "u": (320, 800, 2300),
    "y": (300, 1800, 2300),
}
SONORANTS = {
    "l": (350, 1100, 2700),
    "m": (250, 1000, 2200),
    "n": (250, 1500, 2500),
    "r": (400, 1250, 1700),
    "w": (300, 650, 2200),
    "v": (250, 1400, 2400),
    "z": (250, 1700, 2600),
    "j": (280, 2100, 2900),
    "b": (220, 900, 2200),
    "d": (220, 1700, 2600),
    "g": (220, 1300, 2400),
}
NOISES = {
    "f": (1500, 7000, 9000),
    "h": (800, 1800, 2800),
    "s": (5500, 7500, 9000),
    "c": (3000, 4500, 7000),
    "x": (1200, 2500, 5000),
    "k": (1800, 2600, 4500),
    "p": (700, 1400, 2500),
    "q": (1500, 2200, 4000),
    "t": (4000, 6000, 8000),
}
PLOSIVES = "kpqtbdg"


@dataclass(frozen=True)
class Letter:
    """The sound of one letter, or silence for other characters."""

    letter: str
    seconds: float

    @property
    def voiced(self) -> bool:
        return self.letter in VOWELS or self.letter in SONORANTS

    @property
    def formants(self) -> tuple[int, ...]:
        return (VOWELS | SONORANTS | NOISES).get(self.letter, ())


@dataclass(frozen=True)
class Truth:
    """The truth about a signal: starts (sound + 1,), f0 (N,) in Hz, voiced (N,) bool."""

    starts: np.ndarray
    f0: np.ndarray
    voiced: np.ndarray


def sounds(text: str, rng: np.random.Generator, rate: float = 1.0) -> list[Letter]:
    """Return the sounds of a text with random lengths, and silence at both ends and pauses."""
    spoken = [Letter("", 0.2)]
    for letter in text.lower():
        if letter in VOWELS:
            spoken.append(Letter(letter, rng.uniform(0.08, 0.16) / rate))
        elif letter in SONORANTS or letter in NOISES:
            spoken.append(Letter(letter, rng.uniform(0.05, 0.1) / rate))
        elif letter in ",.;:!?" and spoken[-1].letter:
            spoken.append(Letter("", rng.uniform(0.15, 0.3) / rate))
    return [*spoken, Letter("", 0.2)]


def synthesise(
    spoken: Sequence[Letter], rng: np.random.Generator, sample_rate: int, f0: float = 180.0
) -> tuple[np.ndarray, Truth]:
    """Return the signal (N,) float32 and the truth about it.

    Parameters
    ----------
    f0 : Hz
        Middle of a falling pitch with a slow vibrato.
    """
    ends = np.cumsum([round(sound.seconds * sample_rate) for sound in spoken])
    starts = np.concatenate([[0], ends])
    time = np.arange(starts[-1]) / sample_rate
    fall = np.linspace(0.15, -0.15, len(time))
    pitch = f0 * 2 ** (fall + 0.03 * np.sin(2 * np.pi * 5 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    audio, voiced = np.zeros(len(time)), np.zeros(len(time), bool)
    for sound, start, stop in zip(spoken, starts, ends, strict=False):
        if not sound.formants:
            continue
        part = slice(start, stop)
        if sound.voiced:
            tone = _voiced(phase[part], pitch[part], sound.formants, sample_rate)
            voiced[part] = True
        else:
            tone = _noise(stop - start, sound.formants, sample_rate, rng)
        audio[part] = tone * _gain(sound, stop - start, sample_rate)
    audio += rng.normal(0, 1e-4, len(audio))
    return audio.astype(np.float32), Truth(starts, pitch, voiced)


def _voiced(
    phase: np.ndarray, pitch: np.ndarray, formants: Sequence[int], sample_rate: int
) -> np.ndarray:
    """Return the sum of harmonics below half the sample rate, with gains of the envelope."""
    orders = np.arange(1, int(0.5 * sample_rate / pitch.max()) + 1)  # (K,)
    gains = envelope(orders * pitch.mean(), formants) / np.sqrt(orders)
    shift = (
        np.pi * orders * (orders - 1) / len(orders)
    )  # phases of Schroeder, for a low crest factor
    audio = np.cos(phase[:, None] * orders + shift) @ gains
    return LEVEL * audio / np.sqrt((gains**2).sum() / 2)


def _noise(
    count: int, formants: Sequence[int], sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    spectrum = np.fft.rfft(rng.normal(size=count))
    shaped = spectrum * envelope(np.fft.rfftfreq(count, 1 / sample_rate), formants, 4.0)
    audio = np.fft.irfft(shaped, count)
    return 0.35 * LEVEL * audio / max(1e-9, float(np.sqrt((audio**2).mean())))


def envelope(frequency: np.ndarray, formants: Sequence[int], width: float = 1.0) -> np.ndarray:
    """Return the spectral envelope of formants at frequencies in Hz, as gains."""
    weights = (1.0, 0.6, 0.35)
    return sum(
        (
            weight / (1 + ((frequency - peak) / (width * (60 + 0.06 * peak))) ** 2)
            for weight, peak in zip(weights, formants, strict=True)
        ),
        start=np.full(frequency.shape, 1e-3),
    )


def _gain(sound: Letter, count: int, sample_rate: int) -> np.ndarray:
    """Return gains that fade in and out; a plosive is nearly silent in its first half."""
    fade = min(round(FADE * sample_rate), count // 2)
    gain = np.ones(count)
    gain[:fade] = np.linspace(0, 1, fade, endpoint=False)
    gain[count - fade :] = np.linspace(1, 0, fade, endpoint=False)
    if sound.letter in PLOSIVES:
        gain[: count // 2] *= 0.02
    return gain
