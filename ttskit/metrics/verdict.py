"""Verdicts: what a score means for a corpus, in words.

The ceiling is what the recordings themselves score once they went through the vocoder: no better
speech can be made with it.  The floor is what another sentence of the recordings scores in place of
the right one, or, for measures without a reference, the worst end of the scale.
"""

from __future__ import annotations

from typing import NamedTuple

from ttskit.metrics.score import Score

CEILING, FLOOR = "_ceiling", "_floor"  # columns of Scores: the name of the score, and this
NEAR = 0.05  # share of the way that is no difference


class Bounds(NamedTuple):
    """What the recordings through the vocoder score, and what is as bad as can be."""

    ceiling: float
    floor: float


def in_words(value: float, bounds: Bounds, score: Score) -> str:
    """Return what a score means between its bounds; "" where one of them is unknown.

    >>> in_words(4.0, Bounds(3.0, 13.0), Score("dB"))
    '90 % of the way from another sentence (13) to the recordings through the vocoder (3)'
    """
    ceiling, floor = bounds
    if not abs(value) + abs(ceiling) + abs(floor) < float("inf"):
        return ""
    bottom = "another sentence" if score.worst is None else "the worst there is"
    better = ceiling > floor if score.better == "higher" else ceiling < floor
    if not better:
        return f"the recordings through the vocoder are no better than {bottom}"
    share = (value - floor) / (ceiling - floor)
    if share >= 1 - NEAR:
        return f"as good as the recordings through the vocoder ({ceiling:.3g})"
    if share <= NEAR:
        return f"no better than {bottom} ({floor:.3g}): it has not learnt to speak"
    return (
        f"{share:.0%} of the way".replace("%", " %")
        + f" from {bottom} ({floor:.3g}) to the recordings through the vocoder ({ceiling:.3g})"
    )
