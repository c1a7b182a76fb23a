"""Speak phonemes by onnxruntime and numpy alone: python speak.py "h ɛ l ˈoʊ" hello.wav [RATE]

Phonemes are as `ttskit text --phonemes` prints them.
"""

import json
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime


def pitch(height: np.ndarray, octaves: np.ndarray) -> dict[str, np.ndarray]:
    """Return f0 by the best path through candidates (T, C), of which the last is unvoiced."""
    score, steps, change = height[0], [], 0.14 * (np.arange(height.shape[1]) < height.shape[1] - 1)
    for before, after, heights in zip(octaves, octaves[1:], height[1:], strict=False):
        cost = np.abs(before[:, None] - after)
        cost[-1], cost[:, -1] = change, change
        steps.append((score[:, None] - cost).argmax(0))
        score = (score[:, None] - cost).max(0) + heights
    best = [score.argmax()]
    for step in reversed(steps):
        best.append(step[best[-1]])
    place, chosen = np.arange(len(best)), np.array(best[::-1])
    voiced, f0 = chosen < len(score) - 1, 2.0 ** octaves[place, chosen]
    line = np.interp(place, place[voiced], f0[voiced]) if voiced.any() else 100 + 0.0 * place
    return {"f0": line.astype("f4")[None], "voiced": voiced[None]}


def sound(fields: dict, voice: dict, bank: np.ndarray, rounds: int, momentum: float) -> np.ndarray:
    """Return audio of magnitudes and phases by rounds of Griffin-Lim."""
    size, hop, bands = voice["n_fft"], voice["hop_length"], fields["bands"][0]
    magnitude, phase = fields["magnitude"][0], fields["real"][0] + 1j * fields["imaginary"][0]
    window, shares = np.hanning(size + 1)[:-1], (bank / bank.sum(1, keepdims=True).clip(1e-9)).T
    margin, weight, before = (size - hop) // 2, 0.0, np.zeros_like(phase)
    for left in range(rounds, -1, -1):
        total, weight = np.zeros((2, (len(bands) - 1) * hop + size))
        for t, frame in enumerate(np.fft.irfft(phase * magnitude, size)):
            total[t * hop : t * hop + size] += frame * window
            weight[t * hop : t * hop + size] += window**2
        audio = (total / weight.clip(0.1))[margin:][: len(bands) * hop]
        padded = np.pad(audio, (margin, size - hop - margin), "reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop] * window
        reached = np.fft.rfft(windows) if left else before
        magnitude = np.abs(reached) * ((bands / (np.abs(reached) @ bank).clip(1e-9)) @ shares)
        phase, before = reached - momentum / (1 + momentum) * before, reached
        phase = phase / (np.abs(phase) + 1e-16)
    return audio


def speak(folder: Path, phonemes: str, rate: float = 1.0, speaker: int = 0) -> tuple:
    """Return audio (S,) and its rate; the knobs of the models are those of the voice."""
    voice, rng = json.loads((folder / "voice.json").read_text("utf-8")), np.random.default_rng(0)
    tables, symbols = np.load(folder / "tables.npz"), voice["symbols"]
