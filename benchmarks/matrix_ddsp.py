"""Trainings of `ddsp` side by side: what each reaches, whether it collapses, what a step costs.

Prints a table, one line a training, of the folders that `ttskit train` left:
    python benchmarks/matrix_ddsp.py BUILD/*.h5.run

distance    lowest sum of the L1 distances of magnitudes and log-magnitudes, at a validation
slope       of that distance over the second half of the training, a hundred updates
entropy     of the harmonics: after a fifth of the training, at its end, of the recording
top         share of the strongest harmonic at the end, of the recording
flux        how much of a spectrum is new in a frame at the end, of the recording
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ttskit.training import monitor

HEAD = "training", "parameters", "distance", "slope", "entropy", "top", "flux", "step", "backward"


def main() -> None:
    print(f"| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    for folder in map(Path, sys.argv[1:]):
        print(f"| {' | '.join(line(folder))} |")


def line(folder: Path) -> tuple[str, ...]:
    """Return the cells of a training."""
    rows = monitor.read(folder / "log.jsonl")
    updates = [row for row in rows if "step_seconds" in row]
    seen = [row for row in rows if "watch/log" in row]
    steps = np.array([row["step"] for row in seen])
    distances = np.array([row["watch/linear"] + row["watch/log"] for row in seen])
    late = steps >= steps[-1] / 2
    slope = np.polyfit(steps[late] / 100, distances[late], 1)[0] if late.sum() > 1 else np.nan
    early = seen[int(np.argmax(steps >= steps[-1] / 5))]
    parameters = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["parameters"]
    return (
        folder.name.removesuffix(".h5.run"),
        f"{parameters:,}",
        f"{distances.min():.3f}",
        f"{slope:+.4f}",
        f"{early['watch/entropy']:.2f}, {beside(seen[-1], 'entropy')}",
        beside(seen[-1], "top_share"),
        beside(seen[-1], "flux"),
        *(f"{typical(updates, name) * 1e3:.0f} ms" for name in ("step", "backward")),
    )


def beside(row: dict[str, Any], name: str) -> str:
    return f"{row[f'watch/{name}']:.2f}, {row[f'watch/{name}_recording']:.2f}"


def typical(updates: list[dict[str, Any]], name: str) -> float:
    return statistics.median(row[f"{name}_seconds"] for row in updates)


if __name__ == "__main__":
    main()
