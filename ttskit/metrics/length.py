"""Length: how many times as long as the reference the synthesised speech lasts."""

from __future__ import annotations

from ttskit.metrics.measure import Measure, NoSettings
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"length_ratio": Score("ratio", "")}


def evaluate(pair: Pair, _: NoSettings) -> dict[str, float]:
    """Return the ratio of the lengths."""
    return {"length_ratio": pair.synthesised.seconds / pair.reference.seconds}


MEASURE = Measure("length", "pair", SCORES, evaluate)
