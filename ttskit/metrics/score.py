"""What a number says: its unit, its bounds, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Score:
    """One number of a measure.

    `weight` names the score by which utterances count in a mean; `swing` is the share of the mean
    by which the same system differs when it is measured again.  `least` and `most` are the bounds
    that `verify` checks.
    """

    unit: str
    better: Literal["lower", "higher", ""] = "lower"
    weight: str = ""
    swing: float = 0.0
    least: float | None = 0.0
    most: float | None = None
