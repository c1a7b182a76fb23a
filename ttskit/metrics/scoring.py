"""Scores of artifacts: what measures say of every utterance, written as one artifact."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ttskit.artifacts.build import Running
    from ttskit.metrics.judge import Given
    from ttskit.metrics.sound import Timing


def score(
    given: Given,
    names: Sequence[str],
    output: Path | None,
    running: Running,
    timing: str = "dtw",
    f0: str = "crepe-tiny",
    limit: int | None = None,
    among: Collection[str] | None = None,
) -> Path:
    """Write the Scores of what is given, and return where they lie.

    `among` are the ids to be scored; without it all must be in every artifact.
    """
    from ttskit import progress
    from ttskit.artifacts import kinds, streams
    from ttskit.artifacts.build import Recipe, build
    from ttskit.metrics import judge as scoring

    measures = scoring.chosen(names, given.allows, f0)
    judge = scoring.Judge(given, measures, cast("Timing", timing))
    settings = scoring.settings(measures, given, judge.timing)
    ids, bad = given.joined(among, limit)
    for reader in given.readers:
        rate = reader.attributes["sample_rate"]
        if reader.kind is kinds.Corpus and rate != given.frames.sample_rate:
            progress.note(f"{reader.name}: resampled from {rate} to {given.frames.sample_rate} Hz")
    recipe = Recipe(
        stage="evaluate",
        revision=scoring.REVISION,
        kind=kinds.Scores,
        options={"measures": settings, "limit": limit},
        inputs=[reader.digest for reader in given.readers],
        tables={
            "measures": list(measures),
            "hashes": [scoring.hash_of(name, own) for name, own in settings.items()],
            "settings": [json.dumps(own, sort_keys=True) for own in settings.values()],
            "libraries": scoring.libraries(measures.values()),
        },
        skipped={id: why for reader in given.readers for id, why in reader.skipped.items()},
    )
    items = {id: id for id in ids}
    path = output or streams.scratch() / "scores.h5"
    source = " and ".join(reader.name for reader in given.readers)
    return build(path, recipe, items, judge, running, source=source, bad=bad)


def listed(measures: str | None) -> list[str]:
    """Return the names between commas."""
    return [name.strip() for name in (measures or "").split(",") if name.strip()]
