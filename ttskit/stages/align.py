"""Align: find how many frames each token of an utterance lasts.

Reads Features and Tokens, writes an Alignment.  So far by one Gaussian per symbol, fitted to the
corpus itself (see `dsp/flatstart.py`); begin, end, boundaries and punctuation may last no frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import ArtifactError
from ttskit.options import DryRun, Inputs, Jobs, Json, Limit, Output, Restart, SkipBad

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifact import Reader
    from ttskit.dsp.flatstart import Gaussians, Utterance
    from ttskit.kinds import Alignment, Features, Tokens

REVISION = 1


@dataclass(frozen=True)
class Pairs:
    """The utterances that have both features and tokens; it can be walked through repeatedly."""

    features: Reader[Features]
    tokens: Reader[Tokens]
    ids: tuple[str, ...]

    def __iter__(self) -> Iterator[Utterance]:
        for id in self.ids:
            mel, tokens = self.mel(id), self.tokens.value(self.tokens.row(id), "tokens")
            if len(mel) >= len(tokens):  # others are refused one by one, later
                yield id, mel, tokens

    def mel(self, id: str) -> np.ndarray:
        return self.features.value(self.features.row(id), "mel")


def utterance(id: str, pairs: Pairs, model: Gaussians | None, silent: np.ndarray) -> Alignment:
    """Align one utterance."""
    from ttskit.dsp import flatstart
    from ttskit.kinds import Alignment

    assert model is not None  # only an artifact that is up to date needs none
    spelt = pairs.tokens[id]
    durations, scores = flatstart.align(model, pairs.mel(id), spelt.tokens, silent, id)
    return Alignment(
        id=id,
        speaker=spelt.speaker,
        text=spelt.text,
        language=spelt.language,
        tokens=spelt.tokens,
        token_word=spelt.token_word,
        words=spelt.words,
        spans=spelt.spans,
        durations=durations,
        token_score=scores,
        score=scores @ durations / durations.sum(),
    )


def match(features: Reader[Features], tokens: Reader[Tokens], limit: int | None) -> Pairs:
    """Return the utterances of both; what one lacks must be on record as skipped."""
    for one, other, verb in ((features, tokens, "features"), (tokens, features, "tokens")):
        for id in other.ids:
            if id not in one and id not in one.skipped:
                raise ArtifactError(
                    f"{one.name}: lacks {id}, which {other.name} has: make it again with "
                    f"`ttskit {verb}` from the same corpus"
                )
    return Pairs(features, tokens, tuple(id for id in tokens.ids if id in features)[:limit])


def fitted(pairs: Pairs, silent: np.ndarray, rounds: int) -> Gaussians:
    """Fit the Gaussians to the corpus, saying how it goes."""
    from ttskit import progress
    from ttskit.dsp import flatstart

    found = []
    with progress.track("fitting", rounds) as advance:
        for round in flatstart.fit(pairs, silent, rounds):
            found = [round]
            advance()
    model, likelihood = found[0]
    progress.note(f"fitted: {likelihood:.2f} log-likelihood a frame after {rounds} rounds")
    return model


def command(
    inputs: Inputs = None,
    output: Output = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of search and fit.")] = 12,
    limit: Limit = None,
    jobs: Jobs = 0,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Find how many frames each token lasts."""
    import numpy as np

    from ttskit import kinds, streams
    from ttskit.stages import info
    from ttskit.text.symbols import SPECIAL
    from ttskit.work import Recipe, Running, build, up_to_date

    tell = info.summary(output, as_json)
    features, tokens = streams.inputs(inputs, kinds.Features, kinds.Tokens)
    pairs, table = match(features, tokens, limit), tokens.table("symbols")
    recipe = Recipe(
        stage="align",
        revision=REVISION,
        kind=kinds.Alignment,
        options={"rounds": rounds, "limit": limit},
        inputs=[features.digest, tokens.digest],
        attributes={name: features.attributes[name] for name in kinds.Alignment.attributes},
        tables={"symbols": table},
        skipped={**features.skipped, **tokens.skipped},
    )
    silent = np.isin(table, SPECIAL)
    needed = restart or not (dry_run or up_to_date(output or Path("-"), recipe))
    model = fitted(pairs, silent, rounds) if needed else None
    make: Callable[[str], Any] = partial(utterance, pairs=pairs, model=model, silent=silent)
    running, ids = Running(jobs, skip_bad, restart, dry_run), {id: id for id in pairs.ids}
    tell(build(output, recipe, ids, make, running, source=features.name))
