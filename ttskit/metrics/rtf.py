"""Real-time factor: seconds of computing per second of synthesised speech.

The mean is over seconds of audio, not over utterances: all computing over all audio.  Numbers of
different machines cannot be compared, and even on one machine the same system is up to a fifth
faster or slower when it is measured again, which drawing utterances anew does not show.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score

SCORES = {
    "rtf": Score("ratio", "lower", weight="audio_seconds", swing=0.2),
    "audio_seconds": Score("s", ""),
}


@dataclass(frozen=True)
class Settings:
    """The number of threads that computed."""

    threads: int = 1


def evaluate(synthesis_seconds: float, audio_seconds: float, _: Settings) -> dict[str, float]:
    """Return the factor, and the seconds of audio that weigh it in means."""
    return {"rtf": synthesis_seconds / audio_seconds, "audio_seconds": audio_seconds}


MEASURE = Measure("rtf", "timed", SCORES, evaluate, Settings())
