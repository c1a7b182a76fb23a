"""Length: the duration of the synthesised speech over that of the reference."""

from __future__ import annotations

from ttskit.metrics.measure import Measure, NoSettings
from ttskit.metrics.score import Score
from ttskit.metrics.sound import Pair

SCORES = {"length_ratio": Score("ratio", "")}


def evaluate(pair: Pair, _: NoSettings) -> dict[str, float]:
    """Return the ratio of the durations."""
    return {"length_ratio": pair.synthesised.seconds / pair.reference.seconds}


MEASURE = Measure("length", "pair", SCORES, evaluate)
