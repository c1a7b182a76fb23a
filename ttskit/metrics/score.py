"""Scores: the unit, the bounds and the better direction of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Score:
    """One number of a measure.

    `better` is the better direction, "" if there is none; `weight` the score that weighs utterances
    in means; `swing` the share of the mean by which repeated measurements of one system differ;
    `least` and `most` are the bounds that `verify` checks; `worst` is what the worst speech
    gets where no recording can show it.
    """

    unit: str
    better: Literal["lower", "higher", ""] = "lower"
    weight: str = ""
    swing: float = 0.0
    least: float | None = 0.0
    most: float | None = None
    worst: float | None = None
