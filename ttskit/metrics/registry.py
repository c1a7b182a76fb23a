"""Which measures there are, in the order in which tables list them: one line each."""

from __future__ import annotations

from ttskit.metrics import (
    boundaries,
    distillmos,
    duration,
    f0,
    intelligibility,
    intonation,
    length,
    loudness,
    lsd,
    mcd,
    mel,
    mos,
    multiresolution,
    periodicity,
    rtf,
    speaker,
    stoi,
)
from ttskit.metrics.measure import Measure
from ttskit.metrics.score import Score

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        mcd.MEASURE,
        lsd.MEASURE,
        mel.MEASURE,
        multiresolution.MEASURE,
        f0.MEASURE,
        intonation.MEASURE,
        periodicity.MEASURE,
        loudness.MEASURE,
        length.MEASURE,
        duration.MEASURE,
        boundaries.MEASURE,
        stoi.MEASURE,
        intelligibility.FIRST,
        intelligibility.SECOND,
        mos.PLCMOS,
        distillmos.MEASURE,
        speaker.MEASURE,
        rtf.MEASURE,
    )
}


def scores() -> dict[str, Score]:
    """Return the scores of all measures by name, in the order of tables."""
    return {name: score for one in MEASURES.values() for name, score in one.scores.items()}
