"""What the files in `0.1.0.zip` hold: written once, by ttskit 0.1.0, to be read for ever.

A new version of the format gets files of its own, written by the release that introduces it:

    python -m tests.golden.write tests/golden/VERSION.zip
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from ttskit.artifacts.kinds import Alignment, Controls, Corpus, Features, Mels, Scores, Tokens
from ttskit.artifacts.record import Number, Record
from ttskit.artifacts.writer import Writer

PROVENANCE = {"stage": "golden", "revision": 1, "options": {"tall": True}, "inputs": ["0" * 64]}
SKIPPED = {"c": "is too short — 0.1 s"}
SPECIAL = ["<pad>", "<begin>", "<end>", "#", *'.,!?;:…—()"', "¿", "¡"]
SYMBOLS = [*SPECIAL, "a", "b", "ö"]
A, B, OE = (SYMBOLS.index(letter) for letter in "abö")
GRID: dict[str, Any] = {
    "sample_rate": 16000, "hop_length": 256, "n_fft": 1024, "n_mels": 3, "fmin": 0.0, "fmax": 8000.0
}  # fmt: skip
CLOCK = {"sample_rate": 16000, "hop_length": 256}
MEASURES = {"measures": ["mcd"], "hashes": ["f00"], "settings": ["{}"], "libraries": ["numpy 2.4"]}
NUMBERS = {"mcd": Number("dB", 0), "wer": Number("ratio", 0, 2.0)}
CARD = "# Golden\n\nSays nothing; made to be read.\n"
SMALL = {"hidden": 2, "filter": 2, "heads": 1, "layers": 1, "prenet_layers": 0, "window": 0}
MODELS: dict[str, dict[str, Any]] = {
    "plain": {"encoder": SMALL, "predictor": {"hidden": 2, "layers": 1}, "speaker_channels": 2},
    "glow": {
        "encoder": SMALL,
        "flow": {"blocks": 1, "groups": 2, "hidden": 2, "layers": 1, "kernel": 1},
        "speaker_channels": 2,
    },
}


def ramp(*shape: int, step: float = 1.0, first: float = 0.0) -> np.ndarray:
    """Return numbers that rise evenly, in the order of memory."""
    return first + step * np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def spelled(words: list[str], tokens: list[int], word: list[int]) -> dict[str, Any]:
    """Return the fields of a text that is spelt; its words are three characters apart."""
    starts = 3 * np.arange(len(words))
    return {
        "language": "characters",
        "tokens": np.array(tokens),
        "token_word": np.array(word),
        "words": np.array(words, dtype=object),
        "spans": np.stack([starts, starts + 2], 1),
    }


def records() -> dict[type[Record], list[Record]]:
    """Return two utterances of each kind."""
    names: tuple[dict[str, Any], ...] = (
        {"id": "a", "speaker": "ann", "text": "ab ba\twith a tab"},
        {"id": "bö", "speaker": "", "text": "“ö”"},
    )
    spelling = (
        spelled(["ab", "ba"], [1, A, B, 3, B, A, 2], [-1, 0, 0, -1, 1, 1, -1]),
        spelled(["ö"], [1, OE, 2], [-1, 0, -1]),
    )
    guessed = (np.array([False, True]), np.array([True]))
    durations = (np.array([1, 0, 2, 0, 1, 1, 0]), np.array([0, 3, 1]))
    kinds: dict[type[Record], list[Record]] = {kind: [] for kind in BY_NAME.values()}
    for number, name in enumerate(names):
        spelt, lasts = spelling[number], durations[number]
        frames, tokens = int(lasts.sum()), len(lasts)
        tracks: dict[str, Any] = {
            "f0": ramp(frames, first=100),
            "voiced": np.arange(frames) % 2 == 0,
        }
        loud: dict[str, Any] = {"loudness": ramp(frames, first=-60)}
        mel: dict[str, Any] = {"mel": ramp(frames, 3, step=-0.25)}
        audio = np.arange(-3 * number, 256 * frames + number).astype(np.int16)
        kinds[Corpus].append(Corpus(**name, audio=audio))
        kinds[Tokens].append(Tokens(**name, **spelt, guessed=guessed[number], dropped="x at 3"))
        kinds[Features].append(
            Features(
                **name,
                **mel,
                **tracks,
                **loud,
                periodicity=ramp(frames, step=0.1),
                energy=ramp(frames),
                formants=ramp(frames, 2, step=500.0),
                jitter=np.array(0.5),
                shimmer=np.array(0.25),
            )
        )
        scores: dict[str, Any] = {"token_score": ramp(tokens, step=-1.0), "score": np.array(np.nan)}
        kinds[Alignment].append(Alignment(**name, **spelt, durations=lasts, **scores))
        kinds[Mels].append(Mels(**name, **mel, **spelt, durations=lasts, **tracks, **loud))
        harmonics: dict[str, Any] = {
            "distribution": ramp(frames, 2, step=0.01),
            "noise": ramp(frames, 4),
        }
        kinds[Controls].append(Controls(**name, **tracks, amplitude=ramp(frames), **harmonics))
        numbers = {"mcd": 5.5 + number, "wer": float("nan")}
        kinds[Scores].append(Scores(**name, heard="ab", numbers=numbers))
    return kinds


BY_NAME: dict[str, type[Record]] = {
    "corpus": Corpus,
    "tokens": Tokens,
    "features": Features,
    "alignment": Alignment,
    "mels": Mels,
    "controls": Controls,
    "scores": Scores,
}


def write(folder: Path) -> None:
    """Write an artifact of each kind, a model and a voice."""
    everything = {"corpus": {"sample_rate": 16000}, "features": GRID, "mels": GRID,
                  "alignment": CLOCK, "controls": CLOCK}  # fmt: skip
    for name, kind in BY_NAME.items():
        header: dict[str, Any] = {"provenance": PROVENANCE, "attributes": everything.get(name, {})}
        if "symbols" in kind.tables:
            header["tables"] = {"symbols": SYMBOLS}
        if kind is Scores:
            header |= {"tables": MEASURES, "numbers": NUMBERS}
        with Writer(folder / f"{name}.h5", kind, **header) as writer:
            for record in records()[kind]:
                writer.append(record)
            writer.seal(["a", "bö"], SKIPPED)
    models(folder)


def models(folder: Path) -> None:
    """Write a model, and a voice of it; their weights are ramps."""
    import torch

    from ttskit.models import find
    from ttskit.networks.facts import Facts
    from ttskit.settings import changed, to_toml
    from ttskit.voices import voice
    from ttskit.voices.model import read_model, write_model

    known: dict[str, Any] = {
        "symbols": tuple(SYMBOLS),
        "silent": tuple(one in SPECIAL for one in SYMBOLS),
    }
    facts = Facts(**known, **GRID, speakers=("ann", "bö"))
    for name, settings in MODELS.items():
        kind = find(name)
        module = kind(changed(kind.Config(), settings, name), facts)
        weights = {
            key: torch.from_numpy(weight_of(key, value.numpy()))
            for key, value in module.kept().items()
        }
        config = to_toml(module.config, comments=False)
        write_model(folder / f"{name}.h5", module, weights, config, PROVENANCE, validation=["a"])
    parts = [read_model(folder / f"{name}.h5") for name in MODELS]
    chain = {part.role: part for part in parts}
    chain["vocoder"] = voice.weightless("griffinlim", parts[-1].facts)
    of_voice = voice.VoiceSettings("characters", False, ("ab\ta b",), CARD, 0.5)
    voice.write(folder / "voice.h5", chain, PROVENANCE, of_voice)


def weight_of(name: str, value: np.ndarray) -> np.ndarray:
    """Return the weights of a name, like `value`: small numbers that float16 holds exactly."""
    numbers = ramp(*value.shape, step=1 / 256, first=len(name) / 64) % 1
    return np.asarray(numbers, value.dtype)


if __name__ == "__main__":
    with TemporaryDirectory() as name, ZipFile(sys.argv[1], "x", ZIP_DEFLATED) as archive:
        write(Path(name))
        for path in sorted(Path(name).iterdir()):
            archive.write(path, path.name)
