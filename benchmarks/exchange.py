"""The share of a training step that the exchange of gradients takes, by processes of torchrun.

    torchrun --nproc-per-node 2 benchmarks/exchange.py glow:tiny istft:tiny

Each family takes steps with the exchange during the backward pass, after it, and without it, in
turns; one process has none.  Seconds of the first process: by the clock, of its processor.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from unittest import mock

import torch
from bench_train import trainer, write

from ttskit.training import exchange, processes
from ttskit.training.trainer import Trainer

ROUNDS, WARM = 5, 1
SUMMED = exchange.summed
ROLES = {"glow": "decoder", "istft": "vocoder", "plain": "duration", "attention": "aligner"}


@contextmanager
def afterwards(parameters: object) -> Iterator[None]:
    """Exchange all gradients when the backward pass is done."""
    yield
    with SUMMED(parameters):  # type: ignore[arg-type]
        pass


@contextmanager
def never(_parameters: object) -> Iterator[None]:
    yield


WAYS = {"during": SUMMED, "after": afterwards, "none": never}


def steps(run: Trainer) -> dict[str, list[tuple[float, float]]]:
    """Return seconds by the clock and of the processor of steps, by the way of the exchange."""
    numbers, spent = count(), dict[str, list[tuple[float, float]]]()
    for number in range(ROUNDS + WARM):
        batch = run.batch(next(numbers))
        for way, summed in WAYS.items():
            with mock.patch.object(exchange, "summed", summed):
                clock, processor = time.perf_counter(), time.process_time()
                run.players.update([batch], number, 0.0)
                now = time.perf_counter() - clock, time.process_time() - processor
            if number >= WARM:
                spent.setdefault(way, []).append(now)
    return spent


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        inputs = write(Path(name))
        for what in sys.argv[1:]:
            family, preset = what.split(":")
            run = trainer(Path(name), ROLES[family], family, preset, inputs)
            run.fabric = processes.launched("cpu", run.training.precision)
            run._prepare()
            spent = steps(run)
            size = sum(p.nbytes for p in run.model.parameters()) / 1e6
            for way, seconds in spent.items():
                clock, processor = (statistics.median(one) for one in zip(*seconds, strict=True))
                row = f"{what}, {size:.0f} MB, {run.fabric.world_size} processes, {way}:"
                if run.fabric.is_global_zero:
                    print(row, f"{clock:.3f} s, {processor:.3f} s of the processor", flush=True)


if __name__ == "__main__":
    main()
