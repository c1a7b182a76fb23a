"""Reading Features at an address beside the same file of this machine, in turns.

python benchmarks/bench_remote.py features.h5 s3://bucket/features.h5
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ttskit import wording
from ttskit.artifacts import kinds, remote
from ttskit.artifacts.hdf5 import chunks_of
from ttskit.artifacts.reader import Reader

AT_RANDOM = 200  # utterances

requests = 0


def count_requests() -> None:
    """Count the parts of remote files that are asked for."""
    fetched = remote.Remote._fetched

    def counted(self: remote.Remote, start: int, stop: int) -> bytes:
        global requests
        requests += 1
        return fetched(self, start, stop)

    remote.Remote._fetched = counted  # type: ignore[method-assign]


def timed(work: Callable[[], Any]) -> tuple[Any, float, int]:
    """Return what some work returns, its seconds and its requests, with an empty cache."""
    remote._BLOCKS.clear()
    before, began = requests, time.perf_counter()
    result = work()
    return result, time.perf_counter() - began, requests - before


def mels(reader: Reader[Any], rows: np.ndarray) -> float:
    """Read the mels of some rows, and return their megabytes."""
    return sum(np.array(reader.value(int(row), "mel")).nbytes for row in rows) / 1e6


def whole(reader: Reader[Any]) -> float:
    """Read all mels by long pieces, and return their megabytes."""
    return sum(np.array(chunk).nbytes for chunk in chunks_of(reader.column("mel"))) / 1e6


def main(
    paths: Annotated[list[Path], typer.Argument(help="The same Features, here and elsewhere.")],
    rounds: Annotated[int, typer.Option(help="Turns of each.")] = 3,
) -> None:
    count_requests()
    print("| file | open | one at random | all in order | all in chunks | peak |")
    print("|---|---|---|---|---|---|")
    for path in paths * rounds:
        reader, opening, asked = timed(lambda path=path: kinds.read(path))  # type: ignore[misc]
        rows = np.random.default_rng(0).permutation(len(reader))
        _, random, drawn = timed(lambda: mels(reader, rows[:AT_RANDOM]))  # noqa: B023
        megabytes, order, one = timed(lambda: mels(reader, np.sort(rows)))  # noqa: B023
        _, chunks, cut = timed(lambda: whole(reader))  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(
            f"| {wording.shown(path)} | {opening:.3f} s, {asked} requests "
            f"| {1e3 * random / AT_RANDOM:.2f} ms, {drawn / AT_RANDOM:.2f} requests "
            f"| {megabytes / order:.0f} MB/s, {one} requests "
            f"| {megabytes / chunks:.0f} MB/s, {cut} requests | {peak:.0f} MB |",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)
