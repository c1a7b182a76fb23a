"""Speak phonemes, as `ttskit text --phonemes` prints them, by onnxruntime and numpy alone.

python speak.py "h ə l ˈoʊ" hello.wav [RATE [NUMBER OF THE SPEAKER]]
"""

import json
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime as ort


def sound(start: list[np.ndarray], hop: int, rounds: float, momentum: float) -> np.ndarray:
    """Return audio (S,) by rounds of Griffin-Lim, led by the mel bands."""
    bands, magnitude, real, imaginary, bank = map(np.squeeze, start)
    phase, before, size = real + 1j * imaginary, 0j * real, 2 * len(bank) - 2
    window, shares = np.hanning(size + 1)[:-1], (bank / bank.sum(1, keepdims=True).clip(1e-9)).T
    for _ in range(int(rounds) + 1):
        total, weight = np.zeros((2, (len(bands) - 1) * hop + size))
        for t, frame in enumerate(np.fft.irfft(phase * magnitude)):
            total[t * hop :][:size] += frame * window
            weight[t * hop :][:size] += window**2
        audio = (total / weight.clip(0.1))[(size - hop) // 2 :][: len(bands) * hop]
        wide = np.pad(audio, ((size - hop) // 2, (size - hop + 1) // 2), "reflect")
        reached = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(wide, size)[::hop] * window)
        magnitude = np.abs(reached) * (bands / (np.abs(reached) @ bank).clip(1e-9) @ shares)
        phase, before = reached - momentum / (1 + momentum) * before, reached
        phase /= np.abs(phase) + 1e-16
    return audio


def speak(folder: Path, phonemes: str, rate: float = 1, who: float = 0) -> tuple[np.ndarray, int]:
    """Return audio (S,) and its sample rate."""
    voice, rng = json.loads((folder / "voice.json").read_text("utf-8")), np.random.default_rng(0)
    tokens = [voice["symbols"].index(one) for one in ("<begin>", *phonemes.split(), "<end>")]
    fields = {"tokens": np.array([tokens]), "length_scale": np.array([1 / rate], "f4")}
    wide = np.float32(voice.get("pitch_range", 1))  # times as far as the pitch is predicted
    fields["speaker_mix"] = np.eye(len(voice["speakers"]), dtype="f4")[[int(who)]]
    for graph in voice["chain"]:
        session = ort.InferenceSession(folder / graph["file"])
        made = session.run(None, {name: fields[name] for name in graph["inputs"]})
        fields |= dict(zip(graph["outputs"], made, strict=True))
        if "durations" in graph["outputs"]:  # how long random numbers have to be is known now
            frames, step = int(fields["durations"].sum()), voice["step"]
            fields["frame"] = np.arange(-(-frames // step) * step)
            shape = 1, voice["n_mels"], len(fields["frame"])
            fields["noise"] = rng.normal(0, voice["noise_scale"], shape).astype("f4")
            fields["white"] = rng.standard_normal((1, frames * voice["hop_length"]), "f4")
            fields |= {"pitch": fields["pitch"] * wide} if "pitch" in fields else {}
            fields["turns"] = rng.random((1, frames, voice["bins"]), "f4")
        fields |= {"mel": fields["mel"][:, :frames]} if "mel" in fields else {}
    audio = made[0][0] if len(made) == 1 else sound(made, voice["hop_length"], **graph["knobs"])
    return audio, voice["sample_rate"]


if __name__ == "__main__":
    audio, rate = speak(Path(__file__).parent, sys.argv[1], *map(float, sys.argv[3:]))
    with wave.open(sys.argv[2], "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((32767 * audio.clip(-1, 1)).astype("<i2").tobytes())
