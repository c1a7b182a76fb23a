"""How well an Alignment agrees with itself on several takes of one text by one speaker.

    python benchmarks/takes_align.py ALIGNMENT.h5

Of each pair of takes with the same tokens: the share that every phoneme has of the spoken time in
one and in the other.
"""

from __future__ import annotations

import sys
from itertools import combinations

import numpy as np

import ttskit


def shares(durations: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Return the share of the spoken time that each phoneme has."""
    lasting = durations[said].astype(float)
    return lasting / lasting.sum()


def main() -> None:
    reader = ttskit.read(sys.argv[1])
    takes: dict[tuple[str, bytes], list[int]] = {}
    for row in range(len(reader)):
        key = (reader.value(row, "speaker"), reader.value(row, "tokens").tobytes())
        takes.setdefault(key, []).append(row)
    one, other, pairs = [], [], 0
    for rows in takes.values():
        said = reader.value(rows[0], "token_word") >= 0
        for pair in combinations(rows, 2):
            first, second = (shares(reader.value(row, "durations"), said) for row in pair)
            one.append(first * said.sum())
            other.append(second * said.sum())
            pairs += 1
    a, b = np.concatenate(one), np.concatenate(other)
    off = np.abs(np.log(np.maximum(a, 1e-3) / np.maximum(b, 1e-3)))
    print(f"{sum(len(rows) > 1 for rows in takes.values())} texts, {pairs} pairs of takes")
    print(
        f"{len(a)} phonemes: Pearson r of their shares {np.corrcoef(a, b)[0, 1]:.3f}, "
        f"median ratio {np.exp(np.median(off)):.2f}, "
        f"{(off < np.log(1.5)).mean():.1%} within 1.5 times"
    )


if __name__ == "__main__":
    main()
