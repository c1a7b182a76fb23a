"""Codecs side by side: what their codes cost, and what survives of the speech.

Prints a table, one line for each codec and number of books, of the folder that
examples/codec/Makefile has filled:
    python benchmarks/matrix_codec.py BUILD/en

bit/s   what the codes take as they are; `least` by how often each code is used
dead    the highest share of codes of a book that the folder never uses, %
L1      mean distance of the decoded log-mels from those of the recordings
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from ttskit.artifacts.kinds import Codes, Features, Mels, Scores
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.usage import usage
from ttskit.metrics import comparison

MEASURES = ("mcd", "wer", "plcmos", "distillmos")
HEAD = ("codec", "bit/s", "least", "dead", "L1", *MEASURES)


def main() -> None:
    folder = Path(sys.argv[1])
    lines = [line(folder, path) for path in folder.glob("*.scores.h5")]
    print(f"| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    for cells in sorted(lines, key=lambda cells: (-cells["bit/s"], cells["codec"])):
        print(f"| {' | '.join(shown(cells.get(name)) for name in HEAD)} |")


def line(folder: Path, scores: Path) -> dict[str, Any]:
    """Return the cells of a codec by column; the uncoded mel has an infinite rate."""
    name = scores.name.removesuffix(".scores.h5")
    rows = comparison.telling(Reader(scores, Scores))
    means = {row.name: row.summary.mean for row in rows if row.name in MEASURES}
    coded = folder / f"{name}.codes.h5"
    if not coded.exists():
        return {"codec": name, "bit/s": float("inf"), "L1": 0.0, **means}
    cost = usage(Reader(coded, Codes))
    rates = {"bit/s": cost["bits_per_second"], "least": cost["entropy_per_second"]}
    distance = l1(folder / "features.h5", folder / f"{name}.mels.h5")
    return {"codec": name, **rates, "dead": max(cost["dead"]), "L1": distance, **means}


def l1(features: Path, mels: Path) -> float:
    """Return the mean absolute difference of log-mels."""
    recorded, decoded = Reader(features, Features), Reader(mels, Mels)
    gaps = [np.abs(recorded[id].mel - record.mel) for id, record in decoded.items()]
    return float(np.concatenate(gaps).mean())


def shown(value: Any) -> str:
    """Return a cell as text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.4g}"


if __name__ == "__main__":
    main()
