"""What codes and takes cost, and how much of each book codes use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader


def frequencies(reader: Reader[Any]) -> np.ndarray:
    """Return how often each code of every book is used, (book, size); damaged codes are none."""
    codes, size = reader.column("codes"), int(reader.attributes["size"])
    columns = (column[column < size] for column in codes.T)
    return np.array([np.bincount(column, minlength=size) for column in columns])


def usage(reader: Reader[Any]) -> dict[str, Any]:
    """Return bits a second, and of each book its perplexity and its share of dead codes, in %.

    `bits_per_second` is what the numbers of codes take, `entropy_per_second` what they take at
    least if frequent ones are written in fewer bits.  A code is dead that is never used.
    """
    counts = frequencies(reader)
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    entropies = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(1)  # bits a code
    attributes = {name: float(reader.attributes[name]) for name in ("sample_rate", "hop_length")}
    rate = attributes["sample_rate"] / attributes["hop_length"] / float(reader.attributes["stride"])
    return {
        "books": len(counts),
        "bits_per_second": round(rate * len(counts) * float(np.log2(counts.shape[1])), 1),
        "entropy_per_second": round(rate * float(entropies.sum()), 1),
        "perplexity": [round(float(value), 1) for value in 2**entropies],
        "dead": [round(100 * float(value), 2) for value in (counts == 0).mean(1)],
    }


def takes(reader: Reader[Any]) -> dict[str, Any]:
    """Return the choices of all takes, and their bits a second.

    `bits_per_second` is what their codes take but for a few bytes, `entropy_per_second` what the
    numbers take at least if frequent ones are written in fewer bits.
    """
    pieces = [one[1:] for one in np.split(reader.column("take"), reader.offsets("take")[1:-1])]
    numbers = np.concatenate(pieces)
    rate = float(reader.attributes["sample_rate"]) / float(reader.attributes["hop_length"])
    seconds = max(1, int(reader.offsets("frame")[-1])) / rate
    bits = sum(len(one) * max(1, int(one.max(initial=0)).bit_length()) for one in pieces)
    counts = np.bincount(numbers)
    shares = counts[counts > 0] / max(1, len(numbers))
    entropy = -len(numbers) * float((shares * np.log2(shares)).sum())
    return {
        "choices": len(numbers),
        "bits_per_second": round(bits / seconds, 1),
        "entropy_per_second": round(entropy / seconds, 1),
    }
