"""Artifacts whose contents the tests know."""

from __future__ import annotations

import hashlib
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from typer.testing import CliRunner

from ttskit import progress
from ttskit.artifacts import hdf5, sealing, signals
from ttskit.artifacts.kinds import Alignment, Corpus, Features, Tokens
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.cli import app, main
from ttskit.text.symbols import SPECIAL

PROVENANCE = {"stage": "test", "revision": 1, "options": {}, "inputs": []}


def corpus_record(number: int, samples: int | None = None) -> Corpus:
    """An utterance whose contents follow from its number."""
    rng = np.random.default_rng(number)
    count = 50 + 37 * number if samples is None else samples
    return Corpus(
        id=f"u{number:03}",
        speaker="ann" if number % 3 else "bö",
        text=f"text\tof {number}",
        audio=rng.integers(-3000, 3000, count).astype(np.int16),
    )


def write_corpus(path: Path, numbers=range(12), sample_rate: int = 16000, skipped=None) -> Path:
    records = [corpus_record(number) for number in numbers]
    attributes = {"sample_rate": sample_rate}
    with Writer(path, Corpus, provenance=PROVENANCE, attributes=attributes) as writer:
        for record in records:
            writer.append(record)
        writer.seal([record.id for record in records], skipped)
    return path


SYMBOLS = ["<pad>", "<begin>", "<end>", "#", ",", "h", "ə", "l", "ˈoʊ"]


def alignment_record(id: str = "a") -> Alignment:
    """Three words at 16 ms a frame; the first comma and the last boundary have no frames."""
    tokens = ["<begin>", *"həl", "ˈoʊ", ",", "#", "ˈoʊ", "#", "l", "ˈoʊ", "<end>"]
    return Alignment(
        id=id,
        speaker="ann",
        text="“Hello, Oh\n<lo>!”",
        language="en-us",
        tokens=np.array([SYMBOLS.index(token) for token in tokens]),
        token_word=np.array([-1, 0, 0, 0, 0, -1, -1, 1, -1, 2, 2, -1]),
        words=np.array(["hello", "oh", "lo"], dtype=object),
        spans=np.array([[1, 6], [8, 10], [12, 14]]),
        durations=np.array([10, 5, 3, 4, 12, 0, 20, 15, 0, 6, 18, 7]),
        token_score=np.linspace(-50, -40, 12),
        score=np.array(-45.0),
    )


def write_alignment(
    path: Path, *records: Alignment, hop_length: int = 256, symbols: Sequence[str] = SYMBOLS
) -> Path:
    attributes = {"sample_rate": 16000, "hop_length": hop_length}
    header: dict[str, Any] = {
        "provenance": PROVENANCE,
        "attributes": attributes,
        "tables": {"symbols": symbols},
    }
    with Writer(path, Alignment, **header) as writer:
        for record in records:
            writer.append(record)
        writer.seal([record.id for record in records])
    return path


@dataclass
class Contents:
    """What a container holds, to be changed and written anew with a right digest."""

    kind: str
    attributes: dict[str, Any]
    provenance: Any
    columns: dict[str, np.ndarray]
    notes: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Contents:
        """Read all of a file."""
        container = hdf5.open_container(path)
        columns = {name: container.map(name).copy() for name in container.columns}
        notes = {name: dict(column.notes) for name, column in container.columns.items()}
        kind, provenance = container.kind, container.provenance
        return cls(kind, dict(container.attributes), provenance, columns, notes)

    def write(self, path: Path) -> Path:
        """Seal a file of what is here now."""
        sources = [
            sealing.Source.of(
                name,
                values,
                self.notes.get(name, {}).get("axes", ""),
                self.notes.get(name, {}).get("unit", ""),
            )
            for name, values in self.columns.items()
        ]
        sealing.seal(path, self.kind, self.attributes, self.provenance, sources)
        return path


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def alive(pid: str | int) -> bool:
    """Whether a process runs on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


RATE, HOP = 22050, 256
LETTERS = "aeioulmnrsftk"
TABLE = ["<pad>", "<begin>", "<end>", "#", *LETTERS]
SPOKEN = [*SPECIAL, *LETTERS]  # the table of texts of these letters
GRID = {
    "sample_rate": RATE, "hop_length": HOP, "n_fft": 1024, "n_mels": 80, "fmin": 0.0, "fmax": 8e3,
}  # fmt: skip


def write_speech(
    folder: Path, count: int = 30, letters: int = 7, table: Sequence[str] = TABLE
) -> dict[str, np.ndarray]:
    """features.h5 and tokens.h5 of synthesised words; returns their boundaries, in frames."""
    from ttskit.dsp import mel, speechlike
    from ttskit.dsp.mel import MelSettings

    rng, boundaries = np.random.default_rng(0), {}
    header: dict[str, Any] = {"provenance": PROVENANCE}
    with (
        Writer(folder / "features.h5", Features, attributes=GRID, **header) as features,
        Writer(folder / "tokens.h5", Tokens, tables={"symbols": table}, **header) as spelt,
    ):
        ids = [f"u{number}" for number in range(count)]
        for id in ids:
            word = "".join(rng.choice(list(LETTERS), letters, replace=False))
            audio, known = speechlike.synthesise(speechlike.sounds(word, rng), rng, RATE)
            boundaries[id] = known.starts[1:-1] / HOP
            bands = mel.mel(audio, MelSettings())
            flat = dict.fromkeys(("f0", "periodicity", "loudness", "energy"), np.zeros(len(bands)))
            columns = {"mel": bands, "voiced": np.zeros(len(bands), bool), **flat}
            features.append(Features(id=id, speaker="", text=word, **columns))
            numbers = [table.index(letter) for letter in word]
            spelt.append(
                Tokens(
                    id=id,
                    speaker="",
                    text=word,
                    language="characters",
                    tokens=np.array([1, *numbers, 2]),
                    token_word=np.array([-1, *[0] * len(numbers), -1]),
                    words=np.array([word], dtype=object),
                    spans=np.array([[0, len(word)]]),
                    guessed=np.array([False]),
                    dropped="",
                )
            )
        features.seal(ids)
        spelt.seal(ids)
    return boundaries


SMALL = {"hidden": 16, "filter": 24, "layers": 1, "dropout": 0.0, "prenet_dropout": 0.0}
FLOW = {"blocks": 2, "hidden": 12, "layers": 1, "dropout": 0.0}


def attentive(module) -> None:
    """Let what is heard in a clip decide what a new coder says."""
    module.ear.output.weight *= 1000


def write_model(path: Path, name: str, settings: dict, change=None, **facts) -> Path:
    """A model that has learnt nothing, of the grid and the symbols above; `change` alters it."""
    import torch

    from ttskit.models import find
    from ttskit.networks.facts import Facts
    from ttskit.settings import changed, to_toml
    from ttskit.voices.model import write_model as write

    torch.manual_seed(0)
    kind = find(name)
    silent = tuple(symbol in SPECIAL for symbol in SPOKEN)
    known = {"symbols": tuple(SPOKEN), "silent": silent, **GRID, **facts}
    module = kind(changed(kind.Config(), settings, "test"), Facts(**known))
    if change:
        with torch.no_grad():
            change(module)
    config = to_toml(module.config, comments=False)
    write(path, module, module.kept(), config, PROVENANCE)
    return path


def write_speakers(folder: Path, decoder: dict | None = None, duration: dict | None = None) -> None:
    """duration.h5, by which a token lasts about five frames, and decoder.h5."""
    sizes = {"encoder": SMALL, "predictor": {"hidden": 8}, "speaker_channels": 4}

    def five(module):
        module.values.weight.mul_(0.1)
        module.values.bias[0] = np.log1p(5)

    write_model(folder / "duration.h5", "plain", {**sizes, **(duration or {})}, five)
    glow = {"encoder": SMALL, "flow": FLOW, "speaker_channels": 4, **(decoder or {})}
    write_model(folder / "decoder.h5", "glow", glow)


def write_alignment_of(folder: Path) -> None:
    """alignment.h5 of features.h5 and tokens.h5: all tokens last about as long."""
    features = Reader(folder / "features.h5", Features)
    spelt = Reader(folder / "tokens.h5", Tokens)
    header: dict[str, Any] = {
        "provenance": PROVENANCE,
        "tables": {"symbols": spelt.table("symbols")},
    }
    attributes = {name: GRID[name] for name in Alignment.attributes}
    with Writer(folder / "alignment.h5", Alignment, attributes=attributes, **header) as writer:
        for id, record in spelt.items():
            count, frames = len(record.tokens), len(features[id].mel)
            kept: dict[str, Any] = {
                spec.name: getattr(record, spec.name) for spec in fields(Tokens)
            }
            del kept["guessed"], kept["dropped"]
            edges = np.arange(count + 1) * frames // count
            scores: dict[str, Any] = {"token_score": np.zeros(count), "score": np.array(0.0)}
            writer.append(Alignment(**kept, durations=np.diff(edges), **scores))
        writer.seal(spelt.ids)


def run(*words, **settings):
    """Run the command line in this process; what the user can mend is raised."""
    result = CliRunner().invoke(app, [str(word) for word in words], **settings)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def answer(*words, stdin: bytes | None = None) -> SimpleNamespace:
    """Run the whole program in this process; return what one of its own would answer."""
    argv = mock.patch.object(sys, "argv", ["ttskit", *map(str, words)])
    loud = mock.patch.object(progress.console, "quiet", False)  # whatever -q does to it
    brief = mock.patch.object(progress, "origins", False)  # and -v
    lost = mock.patch.object(sys, "unraisablehook", sys.unraisablehook)
    with argv, loud, brief, lost, CliRunner().isolation(stdin) as (out, err, _):
        handlers = {number: signal.getsignal(number) for number in signals.STOPS}
        try:
            main()
        except SystemExit as end:
            status = end.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        sys.stdout.flush()
        sys.stderr.flush()
        return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())
