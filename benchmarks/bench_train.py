"""A training step of each family, beside its forward and backward pass alone on the same batches.

They take turns, as the speed of a machine changes.  Prints one line a family, and a last one for
the worst of them:
    train: ratio X (ours A ms, peer B ms)
What is above 1 is data, optimizer, clipping, logging and Python: at most 1.15 is wanted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ttskit
from ttskit.artifacts.kinds import Alignment, Corpus, Features, Tokens
from ttskit.artifacts.record import Record
from ttskit.artifacts.writer import Writer
from ttskit.models import find
from ttskit.settings import to_toml
from ttskit.training import monitor
from ttskit.training.configuration import resolved
from ttskit.training.examples import Examples
from ttskit.training.goal import Goal
from ttskit.training.trainer import Trainer

COUNT, ROUNDS, STEPS, WARM = 64, 4, 10, 3
SYMBOLS = ["<pad>", "<begin>", "<end>", *map(chr, range(97, 123))]
GRID = {
    "sample_rate": 22050, "hop_length": 256, "n_fft": 1024, "n_mels": 80, "fmin": 0.0, "fmax": 8e3,
}  # fmt: skip
FAMILIES = (
    ("aligner", "attention", "base"),
    ("duration", "plain", "tiny"),
    ("duration", "film", "tiny"),
    ("decoder", "glow", "tiny"),
    ("vocoder", "istft", "tiny"),
)


def records() -> Iterator[tuple[Corpus, Features, Tokens, Alignment]]:
    """Random utterances of the length of a sentence."""
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        count, frames = int(rng.integers(60, 120)), int(rng.integers(300, 450))
        names: dict[str, Any] = {"id": f"u{number:03}", "speaker": "", "text": f"text {number}"}
        flat: dict[str, Any] = {
            n: np.full(frames, 150.0) for n in ("f0", "periodicity", "loudness", "energy")
        }
        tokens = np.concatenate([[1], rng.integers(3, 29, count - 2), [2]])
        spoken: dict[str, Any] = {
            **names,
            "language": "",
            "tokens": tokens,
            "token_word": np.full(count, -1),
            "words": np.array([], dtype=object),
            "spans": np.zeros((0, 2), int),
        }
        cuts = np.sort(rng.choice(np.arange(1, frames), count - 1, replace=False))
        durations = np.diff([0, *cuts, frames])
        yield (
            Corpus(**names, audio=rng.integers(-3000, 3000, frames * 256).astype(np.int16)),
            Features(
                **names,
                mel=rng.normal(-5, 2, (frames, 80)),
                voiced=np.ones(frames, bool),
                **{**flat, "periodicity": np.ones(frames)},
            ),
            Tokens(**spoken, guessed=np.array([], bool), dropped=""),
            Alignment(
                **spoken, durations=durations, token_score=np.zeros(count), score=np.array(0.0)
            ),
        )


def write(folder: Path) -> dict[str, Any]:
    """Write them as artifacts, and return these opened, by kind."""
    every = list(zip(*records(), strict=True))
    opened = {}
    kinds: tuple[type[Record], ...] = (Corpus, Features, Tokens, Alignment)
    for kind, group in zip(kinds, every, strict=True):
        path = folder / f"{kind.kind()}.h5"
        told = {"stage": "bench", "revision": 1, "options": {}, "inputs": []}
        attributes = {name: GRID[name] for name in kind.attributes}
        tables = {"symbols": SYMBOLS} if "symbols" in kind.tables else {}
        with Writer(path, kind, provenance=told, attributes=attributes, tables=tables) as writer:
            for record in group:
                writer.append(record)
            writer.seal([record.id for record in group])
        opened[kind.kind()] = ttskit.read(path)
    return opened


def trainer(folder: Path, role: str, family: str, preset: str, inputs: dict[str, Any]) -> Trainer:
    config = resolved(family, preset, None, ["training.validation=0.0", "training.save_every=1e9"])
    kinds = {
        "aligner": ("tokens", "features"),
        "duration": ("alignment",),
        "decoder": ("alignment", "features"),
        "vocoder": ("features", "corpus"),
    }[role]
    model = find(family)
    examples = Examples([inputs[kind] for kind in kinds], model.needs(config))
    run = Path(tempfile.mkdtemp(prefix=family, dir=folder))
    module = model(config, examples.facts())
    text = to_toml(config, comments=False)
    return Trainer(module, examples, config.training, Goal(steps=STEPS), 0, run, text, {})


def passes(run: Trainer) -> list[float]:
    """Return the seconds of forward and backward alone, on the batches of the training."""
    seconds = []
    batches = [run.batch(number) for number in range(STEPS)]
    for number, batch in enumerate(batches):
        run.model.zero_grad(set_to_none=True)
        began = time.perf_counter()
        terms = run.model.loss(batch, number / STEPS).values()
        torch.autograd.backward(torch.stack(list(terms)).sum())
        seconds.append(time.perf_counter() - began)
    return seconds[WARM:]


def steps(run: Trainer) -> tuple[list[float], float]:
    """Return the seconds of whole steps, and the share of them that waits for data."""
    run.run()
    rows = [row for row in monitor.read(run.folder / "log.jsonl") if "step_seconds" in row][WARM:]
    seconds = [row["step_seconds"] for row in rows]
    return seconds, sum(row["data_seconds"] for row in rows) / sum(seconds)


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    worst = (0.0, 0.0, 0.0)
    with tempfile.TemporaryDirectory() as name:
        inputs = write(Path(name))
        for role, family, preset in FAMILIES:
            ours, peer, waits = [], [], []
            for _ in range(ROUNDS):
                run = trainer(Path(name), role, family, preset, inputs)
                seconds, waited = steps(run)
                ours += seconds
                peer += passes(run)
                waits.append(waited)
            whole, alone = statistics.median(ours), statistics.median(peer)
            print(
                f"{family} {preset}: {whole / alone:.2f} (step {whole * 1000:.0f} ms, "
                f"passes {alone * 1000:.0f} ms, waiting for data {statistics.mean(waits):.1%})"
            )
            worst = max(worst, (whole / alone, whole * 1000, alone * 1000))
    ratio, whole, alone = worst
    print(f"train: ratio {ratio:.2f} (ours {whole:.0f} ms, peer {alone:.0f} ms)")


if __name__ == "__main__":
    main()
