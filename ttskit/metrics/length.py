"""Length: how many times as long as the reference the synthesised speech lasts."""

from __future__ import annotations

from dataclasses import dataclass

from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"length_ratio": Score("ratio", "")}


@dataclass(frozen=True)
class Settings:
    """There is nothing to set."""


def evaluate(pair: Pair, _: Settings) -> dict[str, float]:
    """Return the ratio of the lengths."""
    return {"length_ratio": pair.synthesised.seconds / pair.reference.seconds}
