"""Numbers in words: counts, durations, rates."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """Return a count with its noun: 1 utterance, 2 utterances."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clock(seconds: float) -> str:
    """Return a duration in words: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def pace(rate: float) -> str:
    """Return a rate per second, or the duration of one item if that is long."""
    return f"{rate:.1f}/s" if rate >= 0.1 else f"{clock(1 / rate)} each" if rate else ""
