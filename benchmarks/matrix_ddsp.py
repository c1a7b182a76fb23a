"""Trainings of `ddsp` side by side: what each reaches, whether it collapses, what a step costs.

Prints a table, one line a training, of the folders that `ttskit train` left; or all as JSON:
    python benchmarks/matrix_ddsp.py [--json] BUILD/*.h5.run

distance    lowest sum of the L1 distances of magnitudes and of log-magnitudes at a validation
slope       of that distance over the second half of the training, a hundred updates
entropy     of the harmonics after a fifth of the training, at its end, of the recording
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

HEAD = "training", "distance", "slope", "entropy", "top", "flux", "step", "backward"


def main() -> None:
    folders = [Path(word) for word in sys.argv[1:] if word != "--json"]
    found = {folder.name.removesuffix(".h5.run"): measured(folder) for folder in folders}
    if "--json" in sys.argv:
        print(json.dumps(found, indent=2))
        return
    print(f"| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    for name, told in found.items():
        print(f"| {' | '.join([name, *cells(told)])} |")


def measured(folder: Path) -> dict[str, Any]:
    """Return what a training came to."""
    rows = monitor.read(folder / "log.jsonl")
    updates = [row for row in rows if "step_seconds" in row]
    seen = [row for row in rows if "watch/log" in row]
    steps = np.array([row["step"] for row in seen])
    distances = np.array([row["watch/linear"] + row["watch/log"] for row in seen])
    late, best = steps >= steps[-1] / 2, seen[int(distances.argmin())]
    early = seen[int(np.argmax(steps >= steps[-1] / 5))]
    return {
        "updates": len(updates),
        "best_update": best["step"],
        "distance": distances.min(),
        "linear": best["watch/linear"],
        "log": best["watch/log"],
        "slope": np.polyfit(steps[late] / 100, distances[late], 1)[0] if late.sum() > 1 else 0.0,
        "entropy_early": early["watch/entropy"],
        **{
            name.removeprefix("watch/"): value
            for name, value in seen[-1].items()
            if name.startswith(
                ("watch/entropy", "watch/top", "watch/flux", "watch/amplitude", "watch/noise")
            )
        },
        "step_seconds": statistics.median(row["step_seconds"] for row in updates),
        "backward_seconds": statistics.median(row["backward_seconds"] for row in updates),
    }


def cells(told: dict[str, Any]) -> list[str]:
    beside = {n: f"{told[n]:.2f}, {told[f'{n}_recording']:.2f}" for n in
              ("entropy", "top_share", "flux")}  # fmt: skip
    return [
        f"{told['distance']:.3f} ({told['linear']:.3f} + {told['log']:.3f})",
        f"{told['slope']:+.4f}",
        f"{told['entropy_early']:.2f}, {beside['entropy']}",
        beside["top_share"],
        beside["flux"],
        f"{told['step_seconds'] * 1e3:.0f} ms",
        f"{told['backward_seconds'] * 1e3:.0f} ms",
    ]


if __name__ == "__main__":
    main()
