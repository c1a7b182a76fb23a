"""Whether variants of `ddsp` differ, or only their seeds: trainings of each with several seeds.

Prints a table, one line a variant, of the folders NAME-SEED.h5.run that `ttskit train` left:
    python benchmarks/seeds_ddsp.py FIRST-0.h5.run FIRST-1.h5.run OTHER-0.h5.run OTHER-1.h5.run ...

updates     of each seed
distance    L1 distances of magnitudes and log-magnitudes at the best validation: mean over the
            seeds, interval of 95 % (t distribution); then those of each seed
beside      that of the first variant, in per cent, paired by seed, with its interval
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from ttskit.training import monitor

TERMS = "held_out/loss/stft", "held_out/loss/log_stft"


def main() -> None:
    variants: dict[str, dict[str, tuple[int, float]]] = {}
    for folder in map(Path, sys.argv[1:]):
        name, seed = folder.name.removesuffix(".h5.run").rsplit("-", 1)
        variants.setdefault(name, {})[seed] = measured(folder)
    print("\n".join(table(variants)))


def measured(folder: Path) -> tuple[int, float]:
    """Return how many updates a training had, and its distance at the best validation."""
    rows = [row for row in monitor.read(folder / "log.jsonl") if "held_out/loss" in row]
    best = min(rows, key=lambda row: row["held_out/loss"])
    return rows[-1]["step"], sum(best[term] for term in TERMS)


def table(variants: dict[str, dict[str, tuple[int, float]]]) -> list[str]:
    """Return a table of updates and distances by variant and seed."""
    lines = ["| variant | updates | distance | of each seed | beside |", "|---|---|---|---|---|"]
    first = next(iter(variants.values()))
    for name, trained in variants.items():
        seeds = sorted(trained.keys() & first.keys())
        distances, beside = ([one[seed][1] for seed in seeds] for one in (trained, first))
        gains = [100 * (a / b - 1) for a, b in zip(distances, beside, strict=True)]
        cells = [
            name,
            ", ".join(str(trained[seed][0]) for seed in seeds),
            interval(distances, ".3f"),
            ", ".join(f"{distance:.3f}" for distance in distances),
            "" if trained is first else interval(gains, "+.1f") + " %",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def interval(values: Sequence[float], shape: str) -> str:
    """Return the mean of values, and in brackets its interval of 95 %."""
    told = f"{np.mean(values):{shape}}"
    if len(values) > 1:
        low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        told += f" ({low:{shape}} to {high:{shape}})"
    return told


if __name__ == "__main__":
    main()
