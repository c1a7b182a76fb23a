"""Pitch of signals whose truth is known: CREPE `full` and `tiny`, SwiftF0, and Praat, side by side.

Prints the table of docs/quality.md: median error in cents and the share of frames off by more than
50 cents, over frames that are voiced in truth and by the method; and voicing errors.  Its last line
says how many seconds of audio a second each method measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from ttskit.dsp import crepe, loudness, pitch, praat, speechlike, swift

RATE, HOP, SECONDS = 22_050, 256, 4.0
TIME = np.arange(int(RATE * SECONDS)) / RATE
Track = tuple[np.ndarray, np.ndarray]


def main() -> None:
    methods: dict[str, Callable[[np.ndarray], Track]] = {
        "full": by_crepe(crepe.Crepe("full")),
        "tiny": by_crepe(crepe.Crepe("tiny")),
        "swift": by_swift(swift.Swift()),
        "praat": by_praat,
    }
    print("| signal | " + " | ".join(f"{m}: cents, >50 c, voicing" for m in methods) + " |")
    print("|---" * (len(methods) + 1) + "|")
    for hear in methods.values():
        hear(np.zeros(RATE))  # kernels are compiled or loaded
    seconds, planted = dict.fromkeys(methods, 0.0), signals()
    for name, (audio, f0) in planted.items():
        frames = len(audio) // HOP
        truth = f0[np.arange(frames) * HOP + HOP // 2]
        cells = []
        for method, hear in methods.items():
            begun = time.perf_counter()
            track = hear(audio)
            seconds[method] += time.perf_counter() - begun
            cells.append(score(truth, *track))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    total = sum(len(audio) for audio, _ in planted.values()) / RATE
    speeds = (f"{total / spent:.0f}" for spent in seconds.values())
    print("| seconds of audio a second | " + " | ".join(speeds) + " |")


def score(truth: np.ndarray, f0: np.ndarray, voiced: np.ndarray) -> str:
    """Compare all but the first and last few frames, where windows reach beyond the signal."""
    inner = slice(5, -5)
    truth, f0, voiced = truth[inner], f0[inner], voiced[inner]
    wrong = (voiced != (truth > 0)).mean()
    both = voiced & (truth > 0)
    if not both.any():
        return f"–, –, {wrong:.1%}"
    cents = 1200 * np.abs(np.log2(f0[both] / truth[both]))
    return f"{np.median(cents):.1f}, {(cents > 50).mean():.1%}, {wrong:.1%}"


def by_crepe(network: crepe.Crepe) -> Callable[[np.ndarray], Track]:
    def hear(audio: np.ndarray) -> Track:
        f0, periodicity = crepe.decode(network.follow(audio, RATE, HOP))
        return f0, pitch.voicing(periodicity, loudness.loudness(audio, RATE, HOP))

    return hear


def by_swift(network: swift.Swift) -> Callable[[np.ndarray], Track]:
    def hear(audio: np.ndarray) -> Track:
        f0, confidence = network.pitch(audio, RATE, HOP)
        return f0, pitch.voicing(confidence, loudness.loudness(audio, RATE, HOP))

    return hear


def by_praat(audio: np.ndarray) -> Track:
    f0, strength = praat.pitch(audio, RATE, HOP)
    return f0, pitch.voicing(strength, loudness.loudness(audio, RATE, HOP)) & (f0 > 0)


def signals() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the samples and the truth of each signal: f0 by sample, 0 where there is none."""
    rng = np.random.default_rng(0)
    made: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for hz in (60, 110, 220, 440, 540):
        made[f"sine {hz} Hz"] = harmonics(np.full(len(TIME), float(hz)), 1)
    made["sine chirp 60 to 540 Hz"] = harmonics(60 * 9 ** (TIME / SECONDS), 1)
    for hz in (60, 110, 220, 440):
        made[f"pulses {hz} Hz, vibrato"] = harmonics(
            hz * 2 ** (0.05 * np.sin(2 * np.pi * 5.5 * TIME)), 40
        )
    made["pulse chirp 60 to 540 Hz"] = harmonics(60 * 9 ** (TIME / SECONDS), 20)
    audio, f0 = harmonics(np.full(len(TIME), 150.0), 30)
    gate = (TIME % 1.0) < 0.5
    made["pulses 150 Hz, half the time, in noise at -30 dB"] = (
        audio * gate + rng.normal(0, 0.1 * 10**-1.5, len(TIME)),
        f0 * gate,
    )
    made |= noisy(rng)
    brown = np.convolve(rng.normal(size=len(TIME)), np.ones(40), "same")
    made["low-pass noise"] = 0.1 * brown / brown.std(), np.zeros(len(TIME))
    made["white noise"] = (rng.normal(0, 0.1, len(TIME)), np.zeros(len(TIME)))
    made["silence"] = (np.zeros(len(TIME)), np.zeros(len(TIME)))
    return made


def noisy(rng: np.random.Generator) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Yield pulses and what is like speech in white noise, whose level is relative to theirs."""
    curves = {
        f"pulses {hz} Hz, vibrato": hz * 2 ** (0.05 * np.sin(2 * np.pi * 5.5 * TIME))
        for hz in (110, 220)
    }
    curves["pulse chirp 60 to 540 Hz"] = 60 * 9 ** (TIME / SECONDS)
    clean = {name: harmonics(curve, 40) for name, curve in curves.items()}
    clean |= {f"like speech, {hz} Hz": speech(hz, rng) for hz in (110, 210)}
    for name, (audio, f0) in clean.items():
        if name.startswith("like"):
            yield name, (audio, f0)
        for level in (-20, -10, 0, 10):
            noise = rng.normal(0, 0.1 * 10 ** (level / 20), len(audio))
            yield f"{name}, in noise at {level} dB", (audio + noise, f0)


def speech(hz: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return synthesised sounds of words around a pitch, at an RMS of 0.1, and their f0."""
    spoken = speechlike.sounds("seven yellow rivers, a quiet stone and many animals", rng)
    audio, truth = speechlike.synthesise(spoken, rng, RATE, hz)
    return 0.1 * audio / np.sqrt((audio**2).mean()), truth.f0 * truth.voiced


def harmonics(f0: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum harmonics below Nyquist, falling by 6 dB an octave, at an RMS of 0.1."""
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    orders = np.arange(1, min(most, int(RATE / 2 / f0.max())) + 1)
    sines = (np.sin(order * phase + order**2) / order for order in orders)
    audio = sum(sines, np.zeros(len(f0)))
    return 0.1 * audio / np.sqrt((audio**2).mean()), f0


if __name__ == "__main__":
    main()
