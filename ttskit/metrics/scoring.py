"""Scores of artifacts: what measures say of every utterance, written as one artifact."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ttskit.artifacts.build import Running
    from ttskit.metrics.judge import Compared
    from ttskit.metrics.sound import Timing


def score(
    compared: Compared,
    names: Sequence[str],
    output: Path | None,
    running: Running,
    timing: str = "dtw",
    f0: str = "crepe-tiny",
    limit: int | None = None,
    among: Collection[str] | None = None,
) -> Path:
    """Write the Scores of the artifacts that are compared, and return where they lie.

    `among` are the ids to be scored; without it all must be in every artifact.
    """
    from ttskit import progress
    from ttskit.artifacts import kinds, streams
    from ttskit.artifacts.build import Recipe, build
    from ttskit.metrics import judge

    measures = judge.chosen(names, compared.allows, f0)
    evaluate = judge.Judge(compared, measures, cast("Timing", timing))
    settings = judge.settings(measures, compared, evaluate.timing)
    ids, bad = compared.joined(among, limit)
    for reader in compared.corpora:
        rate, common = reader.attributes["sample_rate"], compared.frames.sample_rate
        if rate != common:
            progress.note(f"{reader.name}: resampled from {rate} to {common} Hz")
    recipe = Recipe(
        stage="evaluate",
        revision=judge.REVISION,
        kind=kinds.Scores,
        options={"measures": settings, "limit": limit},
        inputs=[reader.digest for reader in compared.readers],
        tables={
            "measures": list(measures),
            "hashes": [judge.hash_of(name, own) for name, own in settings.items()],
            "settings": [json.dumps(own, sort_keys=True) for own in settings.values()],
            "libraries": judge.libraries(measures.values()),
        },
        numbers=judge.columns(measures),
        skipped={id: why for reader in compared.readers for id, why in reader.skipped.items()},
    )
    items = {id: id for id in ids}
    path = output or streams.scratch() / "scores.h5"
    source = " and ".join(reader.name for reader in compared.readers)
    return build(path, recipe, items, evaluate, running, source=source, bad=bad)


def listed(measures: str | None) -> list[str]:
    """Return the names between commas."""
    return [name.strip() for name in (measures or "").split(",") if name.strip()]
