"""CREPE: ttskit and torchcrepe.predict in turns on the same clips, in seconds of audio a second.

    python benchmarks/bench_crepe.py [--seconds S] [--repeat N] [--capacity full] [--threads 1]

Clips are real recordings if TTSKIT_CORPORA names a folder with them, else synthesised.  Both
sides get f0 and periodicity by Viterbi between 50 and 550 Hz; torchcrepe in batches of 512.
Each figure is the best of N runs, the two sides alternating.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from ttskit.dsp import crepe, engines

GRIDS = {"10 ms": (16_000, 160), "mel": (22_050, 256)}  # sample rate, hop


def clip(seconds: float, rate: int) -> tuple[np.ndarray, str]:
    """So much speech, or what resembles it."""
    folder = os.environ.get("TTSKIT_CORPORA")
    paths = sorted(Path(folder).rglob("kathleen/**/*.flac"))[:60] if folder else []
    if not paths:
        moments = np.arange(int(seconds * rate)) / rate
        f0 = 120 * 2 ** (0.4 * np.sin(2 * np.pi * 0.7 * moments))
        phase = 2 * np.pi * np.cumsum(f0) / rate
        voice = sum(np.cos(k * phase) / k for k in range(1, 30))
        gate = np.sin(2 * np.pi * 1.5 * moments) > -0.5
        noise = np.random.default_rng(0).normal(size=len(moments))
        return (0.1 * voice * gate + 0.005 * noise).astype(np.float32), "synthesised"
    import soxr

    parts, total = [], 0.0
    for path in paths:
        wav, own = soundfile.read(path, dtype="float32")
        parts.append(soxr.resample(wav, own, rate))
        total += len(wav) / own
        if total >= seconds:
            break
    return np.concatenate(parts)[: int(seconds * rate)], "kathleen"


def race(contestants: dict[str, Any], repeat: int) -> dict[str, float]:
    """Best time of each, in turns."""
    best = dict.fromkeys(contestants, float("inf"))
    for run in contestants.values():
        run()
    for _ in range(repeat):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def measure(capacity: str, threads: int, grid: str, seconds: float, repeat: int) -> dict[str, Any]:
    torchcrepe = engines.torchcrepe()
    torch.set_num_threads(threads)
    rate, hop = GRIDS[grid]
    wav, source = clip(seconds, rate)
    network = crepe.Crepe(capacity, threads=threads)

    def ours() -> None:
        crepe.decode(network.follow(wav, rate, hop), "viterbi", 50, 550)

    def peer() -> None:
        torchcrepe.predict(
            torch.from_numpy(wav)[None],
            rate,
            hop,
            50,
            550,
            capacity,
            torchcrepe.decode.viterbi,
            return_periodicity=True,
            batch_size=512,
        )

    best = race({"ours": ours, "peer": peer}, repeat)
    length = len(wav) / rate
    return {
        "row": f"| {capacity} | {grid} | {threads} |",
        "ours": length / best["ours"],
        "peer": length / best["peer"],
        "source": f"{length:.0f} s, {source}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of audio; tiny gets 4 times")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--capacity", nargs="+", default=["tiny", "full"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    options = parser.parse_args()
    print("| network | hop | threads | ttskit s/s | torchcrepe s/s | ratio | audio |")
    print("|---|---|---|---|---|---|---|")
    result: dict[str, Any] = {}
    for capacity in options.capacity:
        for threads in options.threads:
            for grid in ("mel", "10 ms"):
                seconds = options.seconds * (4 if capacity == "tiny" else 1)
                found = measure(capacity, threads, grid, seconds, options.repeat)
                ratio = found["ours"] / found["peer"]
                print(
                    f"{found['row']} {found['ours']:.2f} | {found['peer']:.3f} | {ratio:.1f} |"
                    f" {found['source']} |",
                    flush=True,
                )
                if not result or (grid == "10 ms" and threads == options.threads[0]):
                    result = found
    ratio = result["ours"] / result["peer"]
    print(
        f"crepe: ratio {ratio:.1f} (ours {result['ours']:.2f} s/s, peer {result['peer']:.2f} s/s)"
    )


if __name__ == "__main__":
    main()
