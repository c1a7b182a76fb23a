"""What is wrong with copies?  Copies of recordings by vocoders, beside the recordings, in numbers.

    python benchmarks/diagnose_vocoder.py recordings.h5 source=copies.h5 istft=others.h5

All are Corpora of the same utterances.  Voiced frames are those of the recordings, by CREPE; f0 is
refined for each of them in each copy.  For each band it prints:

modulation : dB by which the envelope fluctuates more at the frame rate (and at twice that) than at
    modulation frequencies nearby, in voiced frames
harmonics : dB by which harmonics are above what is halfway between them, in voiced frames
coherence : of phases between neighbouring frames, 1 where each harmonic advances as f0 predicts
envelope : dB, root mean square, between the smoothed spectra of copy and recording, where there is
    sound in the recording

T frames, F frequency bins, K harmonics, C candidates, N samples.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, hilbert, sosfiltfilt

from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.dsp import grid
from ttskit.dsp.crepe import Crepe
from ttskit.dsp.pitch import pitch

RATE, HOP, WINDOW, SIZE = 22050, 256, 1024, 4096  # Hz, samples; windows are padded to SIZE
BANDS = {"0-1 kHz": (60, 1000), "1-2": (1000, 2000), "2-4": (2000, 4000), "4-8": (4000, 8000)}
SMOOTH = 300  # Hz
QUIET = 1e-3  # of full scale; there is no sound in frames with less
NEAR = np.array([*range(-12, -2), *range(3, 13)])  # Hz from a modulation frequency


def spectrum(audio: np.ndarray) -> np.ndarray:
    """(N,) to (T, F) complex; phases are those at the centre of the frame, (j + 1/2) HOP."""
    frames = grid.windows(np.asarray(audio, np.float64), WINDOW, HOP) * grid.hann(WINDOW)
    turns = np.arange(SIZE // 2 + 1) * (WINDOW / 2 / SIZE)
    spectrum: np.ndarray = np.fft.rfft(frames / (WINDOW / 4), SIZE) * np.exp(2j * np.pi * turns)
    return spectrum


def at(spectrum: np.ndarray, hertz: np.ndarray) -> np.ndarray:
    """Return the values of (T, F) at the frequencies (T, K) or (T, C, K)."""
    bins = np.clip(np.rint(hertz * SIZE / RATE).astype(int), 0, spectrum.shape[1] - 1)
    flat = np.take_along_axis(spectrum, bins.reshape(len(bins), -1), axis=1)
    return flat.reshape(bins.shape)


def refined(spectrum: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """Return the f0 (T,) within 4 % of which the harmonics below 2 kHz are strongest."""
    candidates = f0[:, None] * np.linspace(0.96, 1.04, 65)  # (T, C)
    numbers = np.arange(1, 11)
    hertz = candidates[..., None] * numbers  # (T, C, K)
    height = np.abs(at(spectrum, hertz)) - np.abs(at(spectrum, hertz - candidates[..., None] / 2))
    best = np.where(hertz < 2000, height, 0).sum(2).argmax(1)
    return np.take_along_axis(candidates, best[:, None], axis=1)[:, 0]


def harmonics(spectrum: np.ndarray, f0: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    """Return dB by which harmonics in a band are above what is halfway between them, (T,)."""
    hertz = f0[:, None] * np.arange(1, band[1] // f0.min() + 1)  # (T, K)
    within = (hertz >= band[0]) & (hertz < band[1])
    peaks = np.where(within, np.abs(at(spectrum, hertz)) ** 2, 0).sum(1)
    between = np.where(within, np.abs(at(spectrum, hertz - f0[:, None] / 2)) ** 2, 0).sum(1)
    ratio: np.ndarray = 10 * np.log10((peaks + 1e-12) / (between + 1e-12))
    return ratio


def coherence(
    before: np.ndarray, after: np.ndarray, f0: np.ndarray, band: tuple[float, float]
) -> np.ndarray:
    """Return how well f0 explains the phases in a band of frames `after`, a hop later, (T,).

    The f0 of a pair of frames is the one, within 3 %, that explains its harmonics below 4 kHz best.
    """
    numbers = np.arange(1, max(band[1], 4000) // f0.min() + 1)
    hertz = f0[:, None] * numbers  # (T, K)
    advance = at(after, hertz) * at(before, hertz).conj()
    candidates = f0[:, None] * np.linspace(0.97, 1.03, 121)  # (T, C)
    turns = np.exp(-2j * np.pi * candidates[..., None] * numbers * HOP / RATE)  # (T, C, K)
    agreement = (turns * (np.sqrt(np.abs(advance)) * np.exp(1j * np.angle(advance)))[:, None]).real
    best = np.where((hertz < 4000)[:, None], agreement, 0).sum(2).argmax(1)
    chosen = np.take_along_axis(agreement, best[:, None, None], axis=1)[:, 0]
    within = (hertz >= band[0]) & (hertz < band[1])
    size = np.where(within, np.sqrt(np.abs(advance)), 0).sum(1)
    explained: np.ndarray = np.where(within, chosen, 0).sum(1) / (size + 1e-12)
    return explained


def modulation(
    audio: np.ndarray, voiced: np.ndarray, band: tuple[float, float], hertz: float
) -> tuple[float, float]:
    """Return the depth of the envelope's modulation at `hertz`, and its mean square nearby.

    Both are relative to the mean of the envelope of the band in voiced frames.
    """
    sections = butter(4, band, "bandpass", fs=RATE, output="sos")
    envelope = np.abs(hilbert(sosfiltfilt(sections, audio)))[: len(voiced) * HOP]
    gate = np.convolve(np.repeat(voiced, HOP), grid.hann(4 * HOP), "same")
    weighted = envelope * gate
    seconds = np.arange(len(weighted)) / RATE

    def depth(hertz: float) -> float:
        turned = weighted @ np.exp(-2j * np.pi * hertz * seconds)
        return float(2 * np.abs(turned) / weighted.sum())

    return depth(hertz), float(np.mean([depth(hertz + away) ** 2 for away in NEAR]))


def envelope(reference: np.ndarray, copy: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    """Return the mean square (T,) of dB between the smoothed spectra (T, F) in a band."""
    bins = slice(*(round(hertz * SIZE / RATE) for hertz in band))
    width = round(SMOOTH * SIZE / RATE)
    levels = [
        10 * np.log10(uniform_filter1d(np.abs(one) ** 2, width)[:, bins] + 1e-10)
        for one in (reference, copy)
    ]
    square: np.ndarray = np.square(levels[0] - levels[1]).mean(1)
    return square


def measured(
    recording: np.ndarray, copy: np.ndarray, f0: np.ndarray, voiced: np.ndarray
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield measure, band and values of an utterance, whose voiced frames are those given."""
    true, found = spectrum(recording), spectrum(copy)
    loud = np.sqrt((np.abs(true) ** 2).mean(1)) > QUIET / 10
    rows = np.flatnonzero(voiced[:-1] & voiced[1:])
    pitch = refined(found[rows], f0[rows])
    for name, band in BANDS.items():
        for times in (1, 2):
            depth, near = modulation(copy, voiced, band, times * RATE / HOP)
            yield f"modulation {times}", name, np.array([[depth**2, near]])
        yield "harmonics", name, harmonics(found[rows], pitch, band)
        yield "coherence", name, coherence(found[rows], found[rows + 1], pitch, band)
        yield "envelope", name, envelope(true, found, band)[loud]


def summary(measure: str, values: np.ndarray) -> float:
    """Return what the values of all utterances come to."""
    if measure.startswith("modulation"):
        depth, near = values.mean(0)
        return float(10 * np.log10(depth / near))
    return float(np.sqrt(values.mean()) if measure == "envelope" else values.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("copies", nargs="+", metavar="NAME=FILE")
    options = parser.parse_args()
    recordings, crepe = Reader(options.reference, Corpus), Crepe("tiny")
    pairs = [one.split("=", 1) for one in options.copies]
    systems = {"recording": recordings} | {name: Reader(Path(p), Corpus) for name, p in pairs}
    values: dict[tuple[str, str], dict[str, list[np.ndarray]]] = {}
    for id, record in recordings.items():
        audio = record.audio / 32768
        f0, voiced, _ = pitch(audio.astype(np.float32), RATE, HOP, network=crepe)
        for name, reader in systems.items():
            copy = np.zeros(len(audio))
            heard = reader[id].audio[: len(audio)] / 32768
            copy[: len(heard)] = heard
            for measure, band, found in measured(audio, copy, f0, voiced):
                values.setdefault((measure, band), {}).setdefault(name, []).append(found)
    print(f"| | {' | '.join(systems)} |\n|---|{'---|' * len(systems)}")
    for (measure, band), row in sorted(values.items(), key=lambda item: item[0][0]):
        shown = [f"{summary(measure, np.concatenate(row[name])):.2f}" for name in systems]
        print(f"| {measure}, {band} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
