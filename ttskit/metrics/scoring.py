"""Scores of artifacts: what measures compute of every utterance, written as one artifact."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttskit.artifacts.build import Recipe, Running
    from ttskit.metrics.judge import Judge


def score(
    judge: Judge,
    output: Path | None,
    running: Running,
    limit: int | None = None,
    among: Collection[str] | None = None,
) -> Path:
    """Write the Scores that a judge gives, and return where they lie.

    `among` are the ids to be scored; without it all must be in every artifact.
    """
    from ttskit import progress
    from ttskit.artifacts import streams
    from ttskit.artifacts.build import build
    from ttskit.metrics.judge import no_recogniser

    if judge.unheard:
        progress.note(no_recogniser(judge.unheard, judge.language))
    compared = judge.compared
    ids, bad = compared.joined(among, limit)
    for reader in compared.corpora:
        rate, common = reader.attributes["sample_rate"], compared.frames.sample_rate
        if rate != common:
            progress.note(f"{reader.name}: resampled from {rate} to {common} Hz")
    path, title = (output, "") if output else (streams.scratch() / "scores.h5", "scores")
    source = " and ".join(reader.name for reader in compared.readers)
    items, recipe = {id: id for id in ids}, _recipe(judge, limit)
    return build(path, recipe, items, judge, running, source=source, bad=bad, title=title)


def _recipe(judge: Judge, limit: int | None) -> Recipe:
    """Return what the Scores of a judge are made of."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe
    from ttskit.metrics.judge import REVISION, columns, hash_of, libraries

    readers, settings, ceiling = judge.compared.readers, judge.settings, judge.compared.ceiling
    return Recipe(
        stage="evaluate",
        revision=REVISION,
        kind=kinds.Scores,
        options={"measures": settings, "limit": limit}
        | ({"ceiling": ceiling.digest} if ceiling else {}),
        inputs=[digest for one in readers if one is not ceiling for digest in one.digests],
        tables={
            "measures": list(judge.measures),
            "hashes": [hash_of(name, own) for name, own in settings.items()],
            "settings": [json.dumps(own, sort_keys=True) for own in settings.values()],
            "libraries": libraries(judge.measures.values()),
        },
        numbers=columns(judge.measures, ceiling is not None),
        skipped={id: why for reader in readers for id, why in reader.skipped.items()},
    )


def names_in(measures: str | None) -> list[str]:
    """Return the names between the commas of an option."""
    return [name.strip() for name in (measures or "").split(",") if name.strip()]
