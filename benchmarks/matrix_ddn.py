"""Decoders of the family ddn side by side: what their choices keep, and what sampling makes.

Prints a table, one line for each decoder, of the folder that examples/ddn/Makefile has filled:
    python benchmarks/matrix_ddn.py BUILD/questions

The columns but for the last three are mean absolute distances of log-mels from the recordings, of
the takes that come nearest to them (guided), of the likeliest ones, of random ones and of any:
guided  what the candidates can say at all
best    of eight random takes, the nearest in each utterance
between two random takes from each other
bit/s   what the codes of takes take
dead    the share of candidates that training hardly ever chose, %
ms      a step of the training
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ttskit.artifacts.kinds import Features, Mels
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.usage import takes
from ttskit.training import monitor

TAKES = 8
HEAD = ("decoder", "guided", "greedy", "prior", "uniform", "best", "between", "bit/s", "dead", "ms")


def main() -> None:
    folder = Path(sys.argv[1])
    lines = [line(folder, path.name.split(".")[0]) for path in sorted(folder.glob("*.guided.h5"))]
    print(f"| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    for cells in lines:
        print(f"| {' | '.join(shown(cells[name]) for name in HEAD)} |")


def line(folder: Path, name: str) -> dict[str, Any]:
    """Return the cells of a decoder by column."""
    recorded = Reader(folder / "features.h5", Features)
    made = {how: mels(folder, name, how) for how in ("guided", "greedy", "uniform")}
    cells: dict[str, Any] = {how: distance(recorded, one) for how, one in made.items()}
    drawn = [mels(folder, name, f"take-{number}") for number in range(1, TAKES + 1)]
    away = np.array([distances(recorded, one) for one in drawn])
    cells |= {"prior": float(away.mean()), "best": float(away.min(0).mean())}
    rows = monitor.read(folder / f"{name}.h5.run" / "log.jsonl")
    steps = [row["step_seconds"] for row in rows if "step_seconds" in row]
    watched = [row["watch/dead"] for row in rows if "watch/dead" in row]
    return {
        "decoder": name,
        **cells,
        "between": distance(drawn[0], drawn[1]),
        "bit/s": takes(drawn[0])["bits_per_second"],
        "dead": 100 * watched[-1],
        "ms": 1000 * float(np.median(steps)),
    }


def mels(folder: Path, name: str, how: str) -> Reader[Mels]:
    return Reader(folder / f"{name}.{how}.h5", Mels)


def distances(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[float]:
    """Return the mean absolute difference of the log-mels of each utterance."""
    return [float(np.abs(one[id].mel - record.mel).mean()) for id, record in other.items()]


def distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the mean over utterances."""
    return float(np.mean(distances(one, other)))


def shown(value: Any) -> str:
    """Return a cell as text."""
    return value if isinstance(value, str) else f"{value:.3g}" if value < 100 else f"{value:.0f}"


if __name__ == "__main__":
    main()
