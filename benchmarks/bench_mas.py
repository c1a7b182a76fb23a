"""Monotonic alignment search: ours, the package `monotonic-alignment-search`, a copy of the tensor.

    python benchmarks/bench_mas.py [--rounds 15]

The three take turns in one process and the best of the rounds counts.  Every one gets scores in
the layout that it wants, and gives its own result: ours durations, the peer a 0/1 path.  The last
line is for batch 32, 200 tokens, 1000 frames with all threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numba
import numpy as np
import torch
from monotonic_alignment_search import maximum_path

from ttskit.dsp import mas

SIZES = [(tokens, frames) for tokens, frames in ((50, 250), (200, 1000), (400, 4000))]
HEAD = (32, 200, 1000)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    start = time.perf_counter()
    mas.search(np.zeros((2, 3, 2), np.float32))
    print(f"first call (compiled or read from numba's cache): {time.perf_counter() - start:.2f} s")
    most = numba.get_num_threads()
    print("threads batch tokens frames      ours   with skips      peer      copy  peer/ours")
    for threads in sorted({1, most}):
        numba.set_num_threads(threads)
        torch.set_num_threads(threads)
        for tokens, frames in SIZES:
            for batch in (1, 8, 32):
                ours, skips, peer, copy = measure(batch, tokens, frames, rounds)
                print(
                    f"{threads:7} {batch:5} {tokens:6} {frames:6} {ours:7.2f} ms {skips:9.2f} ms "
                    f"{peer:6.1f} ms {copy:6.2f} ms {peer / ours:9.1f}x"
                )
                if (batch, tokens, frames) == HEAD:
                    head = peer, ours, copy
    peer, ours, copy = head
    print(f"copy of the tensor: {copy:.2f} ms, ours takes {ours / copy:.2f} times that")
    print(f"mas: ratio {peer / ours:.1f} (ours {ours:.2f} ms, peer {peer:.2f} ms)")


def measure(batch: int, tokens: int, frames: int, rounds: int) -> list[float]:
    """Milliseconds of: ours, ours with every fifth token skippable, the peer, a copy."""
    scores = np.random.default_rng(0).normal(size=(batch, frames, tokens)).astype(np.float32)
    skippable = np.zeros((batch, tokens), bool)
    skippable[:, ::5] = True
    theirs = torch.from_numpy(np.ascontiguousarray(scores.transpose(0, 2, 1)))
    mask = torch.ones_like(theirs)
    same = maximum_path(theirs, mask).sum(2).numpy() == mas.search(scores)
    assert same.all(), "the two disagree"
    return best_of(
        rounds,
        lambda: mas.search(scores),
        lambda: mas.search(scores, skippable=skippable),
        lambda: maximum_path(theirs, mask),
        lambda: theirs.clone(),
    )


def best_of(rounds: int, *tasks: Callable[[], object]) -> list[float]:
    best = [float("inf")] * len(tasks)
    for _ in range(rounds):
        for k, task in enumerate(tasks):
            start = time.perf_counter()
            task()
            best[k] = min(best[k], (time.perf_counter() - start) * 1e3)
    return best


if __name__ == "__main__":
    main()
