"""A training step of each family, beside its forward and backward pass alone on the same batches.

They take turns, as the speed of a machine changes.  Prints one line a family, and a last one for
the worst of them:
    train: ratio X (ours A ms, peer B ms)
What is above 1 is data, optimizer, clipping, logging and Python: at most 1.15 is wanted.

A line also says how much the passes compute, and at which share of the rate of a large matrix
product, in processor time of the same run; products, convolutions and attention are counted.

Usage: python benchmarks/bench_train.py [threads] [family ...]
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import ttskit
from ttskit.artifacts.kinds import Alignment, Codes, Corpus, Features, Tokens
from ttskit.artifacts.record import Record
from ttskit.artifacts.writer import Writer
from ttskit.models import find
from ttskit.settings import to_toml
from ttskit.training import monitor
from ttskit.training.configuration import resolved
from ttskit.training.examples import Examples, kinds_of
from ttskit.training.goal import Goal
from ttskit.training.trainer import Trainer

COUNT, ROUNDS, STEPS, WARM = 64, 4, 10, 3
STRIDE, BOOKS, SIZE = 4, 4, 2048  # of the codes
ROWS = 2048  # of the matrices that are multiplied
SYMBOLS = ["<pad>", "<begin>", "<end>", *map(chr, range(97, 123))]
GRID = {
    "sample_rate": 22050, "hop_length": 256, "n_fft": 1024, "n_mels": 80, "fmin": 0.0, "fmax": 8e3,
    "stride": STRIDE, "size": SIZE,
}  # fmt: skip
FAMILIES = (
    ("attention", "base"),
    ("plain", "tiny"),
    ("film", "tiny"),
    ("feedforward", "tiny"),
    ("glow", "tiny"),
    ("diffusion", "tiny"),
    ("ddn", "tiny"),
    ("autoregressive", "tiny"),
    ("mamba", "tiny"),
    ("clvp", "base"),
    ("rvq", "base"),
    ("fsq", "base"),
    ("vq", "base"),
    ("istft", "tiny"),
    ("ddsp", "tiny"),
    ("shaped", "tiny"),
)


def records() -> Iterator[tuple[Corpus, Features, Tokens, Alignment, Codes]]:
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
            Codes(
                **spoken,
                durations=durations,
                codes=rng.integers(0, SIZE, (-(-frames // STRIDE), BOOKS)).astype("u2"),
                frames=np.array(frames),
            ),
        )


def write(folder: Path) -> dict[str, Any]:
    """Write them as artifacts, and return these opened, by kind."""
    every = list(zip(*records(), strict=True))
    opened = {}
    kinds: tuple[type[Record], ...] = (Corpus, Features, Tokens, Alignment, Codes)
    for kind, group in zip(kinds, every, strict=True):
        path = folder / f"{kind.kind()}.h5"
        told = {"stage": "bench", "revision": 1, "options": {}, "inputs": []}
        attributes = {name: GRID[name] for name in kind.attributes}
        tables = {name: SYMBOLS if name == "symbols" else ["0" * 64] for name in kind.tables}
        with Writer(path, kind, provenance=told, attributes=attributes, tables=tables) as writer:
            for record in group:
                writer.append(record)
            writer.seal([record.id for record in group])
        opened[kind.kind()] = ttskit.read(path)
    return opened


def trainer(folder: Path, family: str, preset: str, inputs: dict[str, Any]) -> Trainer:
    model, changes = find(family), ["training.validation=0.0", "training.save_every=1e9"]
    if "adversary" in {field.name for field in dataclasses.fields(model.Config)}:
        changes.append("adversary.from_progress=1.0")  # the passes have no critics
    config = resolved(family, preset, None, changes)
    needs = model.needs(config)
    fits = [[kind.kind() for kind in kinds_of(name) if kind.kind() in inputs] for name in needs]
    kinds = {names[0] for names in fits if names}
    examples = Examples([inputs[kind] for kind in sorted(kinds)], needs)
    run = Path(tempfile.mkdtemp(prefix=family, dir=folder))
    module = model(config, examples.facts())
    text = to_toml(config, comments=False)
    return Trainer(module, examples, config.training, Goal(steps=STEPS), 0, run, text, {})


def passes(run: Trainer) -> tuple[list[float], float, float]:
    """Run forward and backward alone, on the batches of the training.

    Returns their seconds, those of the processor, and how many GFLOP they are, of one on average.
    """
    seconds, processor, work = [], 0.0, 0
    for number in range(STEPS):
        batch = run.batch(number)
        run.model.zero_grad(set_to_none=True)
        with FlopCounterMode(display=False) if number < WARM else nullcontext() as counter:
            began = time.perf_counter(), time.process_time()
            terms = run.model.loss(batch, number / STEPS).values()
            torch.autograd.backward(torch.stack(list(terms)).sum())
            seconds.append(time.perf_counter() - began[0])
        if counter:
            work += counter.get_total_flops()
        else:
            processor += time.process_time() - began[1]
    return seconds[WARM:], processor / (STEPS - WARM), work / WARM / 1e9


def product() -> float:
    """Return how many GFLOP a processor second a large matrix product has."""
    rows = torch.randn(ROWS, ROWS)
    began = time.process_time()
    for _ in range(3):
        rows @ rows
    return 3 * 2 * ROWS**3 / 1e9 / (time.process_time() - began)


def steps(run: Trainer) -> tuple[list[float], float]:
    """Return the seconds of whole steps, and the share of them that waits for data."""
    run.run()
    rows = [row for row in monitor.read(run.folder / "log.jsonl") if "step_seconds" in row][WARM:]
    seconds = [row["step_seconds"] for row in rows]
    return seconds, sum(row["data_seconds"] for row in rows) / sum(seconds)


def compared(folder: Path, family: str, preset: str, inputs: dict[str, Any]) -> tuple[float, float]:
    """Print the line of a family; return the milliseconds of a step, and of its passes alone."""
    ours, peer, waits, shares = list[float](), list[float](), list[float](), list[float]()
    for _ in range(ROUNDS):
        run = trainer(folder, family, preset, inputs)
        seconds, waited = steps(run)
        ours += seconds
        alone, processor, work = passes(run)
        peer += alone
        waits.append(waited)
        shares.append(work / processor / product())
    whole, least = statistics.median(ours) * 1000, statistics.median(peer) * 1000
    print(
        f"{family} {preset}: {whole / least:.2f} (step {whole:.0f} ms, passes {least:.0f} ms, "
        f"waiting for data {statistics.mean(waits):.1%}, {work:.1f} GFLOP at "
        f"{statistics.median(shares):.0%} of a matrix product)",
        flush=True,
    )
    return whole, least


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    named = [word for word in sys.argv[1:] if not word.isdigit()]
    torch.set_num_threads(numbers[0] if numbers else 1)
    with tempfile.TemporaryDirectory() as name:
        inputs = write(Path(name))
        pairs = [
            compared(Path(name), family, preset, inputs)
            for family, preset in FAMILIES
            if family in named or not named
        ]
    whole, alone = max(pairs, key=lambda pair: pair[0] / pair[1])
    print(f"train: ratio {whole / alone:.2f} (ours {whole:.0f} ms, peer {alone:.0f} ms)")


if __name__ == "__main__":
    main()
