"""Align: how many frames each token of an utterance lasts.

Reads Features and Tokens, writes an Alignment.  An aligner scores how well every token explains
every frame, and monotonic alignment search finds the best path; begin, end, boundaries and
punctuation may last no frame.  Without a trained aligner, one is trained on the corpus itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from ttskit.errors import ArtifactError, UsageError
from ttskit.options import (
    Device,
    DryRun,
    Jobs,
    Json,
    Limit,
    Output,
    Restart,
    Scheduler,
    Seed,
    ShardOption,
    SkipBad,
    Threads,
)
from ttskit.voices.aligner import Neural, Spelt, read_aligner

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Recipe
    from ttskit.artifacts.kinds import Alignment, Features, Tokens
    from ttskit.artifacts.reader import Reader
    from ttskit.dsp.flatstart import Gaussians, Utterance
    from ttskit.voices.model import Model


REVISION = 2
FLAT = "flat"  # the aligner without a network
STEPS = 1000  # updates of an aligner that is trained on the corpus
ROUNDS = 12  # of search and fit, for one without a network


class Aligner(Protocol):
    """From the mel and the tokens of an utterance to durations (token,) and scores (token,)."""

    def __call__(self, mel: np.ndarray, spelt: Spelt) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class Flat:
    """An aligner of one Gaussian per symbol, without a network."""

    model: Gaussians
    silent: np.ndarray  # (symbol,) bool, which may last no frame

    def __call__(self, mel: np.ndarray, spelt: Spelt) -> tuple[np.ndarray, np.ndarray]:
        from ttskit.dsp import flatstart

        return flatstart.align(self.model, mel, spelt.tokens, self.silent, spelt.id)


@dataclass(frozen=True)
class Pairs:
    """The utterances that have both features and tokens; it can be walked through repeatedly."""

    features: Reader[Features]
    tokens: Reader[Tokens]
    silent: np.ndarray  # (symbol,) bool, which may last no frame
    ids: tuple[str, ...]
    unfit: Mapping[str, str] = field(default_factory=dict)  # left out of ids: id -> reason

    def __iter__(self) -> Iterator[Utterance]:
        for id in self.ids:
            yield id, self.mel(id), self.tokens.value(self.tokens.row(id), "tokens")

    def mel(self, id: str) -> np.ndarray:
        return self.features.value(self.features.row(id), "mel")

    def fit(self, output: Path | None, skip_bad: bool) -> Pairs:
        """Return the pairs that have an alignment; raise unless the others may be skipped."""
        from ttskit.artifacts import build, streams
        from ttskit.training.examples import too_short

        unfit = too_short(self.features, self.tokens, self.ids)
        if not skip_bad:  # those that are skipped are listed with all others that are bad
            name = streams.STDOUT if output is None or str(output) == "-" else str(output)
            build.refuse_bad(unfit, len(self.ids), self.features.name, name, skip_bad)
        return replace(self, ids=tuple(id for id in self.ids if id not in unfit), unfit=unfit)


def utterance(id: str, pairs: Pairs, aligner: Aligner | None) -> Alignment:
    """Align one utterance."""
    from ttskit.artifacts.kinds import Alignment

    assert aligner is not None  # there is none only where the artifact is up to date
    spelt = pairs.tokens[id]
    durations, scores = aligner(pairs.mel(id), spelt)
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


class Plan(Protocol):
    """Where the aligner of a corpus comes from: one class for each kind of --aligner."""

    def options(self) -> dict[str, Any]:
        """Return the options that the alignment depends on."""

    def aligner(self, pairs: Pairs, /) -> Aligner:
        """Return the aligner, fitted to the corpus unless it is trained already."""


@dataclass(frozen=True)
class TrainedModel:
    """Align with a trained model."""

    path: Path
    device: str

    @cached_property
    def model(self) -> Model:
        return read_aligner(self.path)

    def check(self, features: Reader[Features], symbols: Sequence[str]) -> None:
        """Refuse a model that was trained on other features or symbols."""
        from ttskit.text.symbols import language_of

        self.model.check_grid(features.name, features.attributes)
        if tuple(symbols) != self.model.facts.symbols:
            own, other = self.model.language or "other", language_of(symbols) or "other"
            raise ArtifactError(
                f"has other symbols ({own}) than the tokens ({other}): make tokens in its language",
                file=self.path,
            )

    def options(self) -> dict[str, Any]:
        return {"aligner": self.model.container.digest}

    def aligner(self, _: Pairs) -> Aligner:
        return Neural(self.model, self.device)


@dataclass(frozen=True)
class GaussianFit:
    """Align with one Gaussian per symbol, fitted to the corpus."""

    rounds: int

    def options(self) -> dict[str, Any]:
        return {"aligner": FLAT, "rounds": self.rounds}

    def aligner(self, pairs: Pairs) -> Aligner:
        from ttskit import progress
        from ttskit.dsp import flatstart

        fits = flatstart.fit(pairs, pairs.silent, self.rounds)
        with progress.track("fitting", self.rounds) as advance:
            for _ in range(self.rounds):
                model, likelihood = next(fits)
                advance()
        rounds = self.rounds
        progress.note(f"fitted: {likelihood:.2f} log-likelihood a frame after {rounds} rounds")
        return Flat(model, pairs.silent)


@dataclass(frozen=True)
class NewModel:
    """Align with a model that is trained on the corpus and kept beside the alignment."""

    family: str
    output: Path | None  # of the alignment
    steps: int | None
    minutes: float | None
    seed: int
    device: str
    limit: int | None
    restart: bool

    def options(self) -> dict[str, Any]:
        from ttskit.training import run

        length = {"steps": self.steps, "minutes": self.minutes}
        return {"aligner": self.family, **length, "seed": self.seed, "train": run.REVISION}

    def aligner(self, pairs: Pairs) -> Aligner:
        from ttskit.artifacts import kinds, streams
        from ttskit.training import run
        from ttskit.training.goal import Goal
        from ttskit.voices.model import read_model

        path = beside(self.output)
        if self.output is not None and str(self.output) != "-":
            streams.replaceable(streams.writable(self.output), kinds.Alignment.kind())
        request = run.request_of("aligner", self.family, None, None, [])
        run.train(
            [pairs.features, pairs.tokens],
            path,
            replace(request, seed=self.seed, limit=self.limit),
            Goal(self.steps, self.minutes),
            device=self.device,
            restart=self.restart,
            without=pairs.unfit.keys(),
        )
        return Neural(read_model(path), self.device)


def beside(output: Path | None) -> Path:
    """Return the path at which the aligner trained for an alignment is kept."""
    from ttskit.artifacts import streams

    if output is None or str(output) == "-":
        return streams.scratch() / "aligner.h5"
    return output.with_name(f"{output.stem}.aligner.h5")


def note_other_texts(pairs: Pairs) -> None:
    """Note which utterances have tokens of another text than the one of their recording."""
    from ttskit import progress, wording

    features, tokens = pairs.features, pairs.tokens
    texts = {id: features.value(features.row(id), "text") for id in pairs.ids}
    others = {id: tokens.value(tokens.row(id), "text") for id in pairs.ids}
    if changed := [id for id in pairs.ids if texts[id] != others[id]]:
        first = changed[0]
        progress.note(
            f"{wording.count(len(changed), 'utterance')} with another text in {tokens.name} than "
            f"in {features.name}, which is aligned, first {first}: {others[first]!r}, not "
            f"{texts[first]!r}"
        )


def pairs_of(features: Reader[Features], tokens: Reader[Tokens], limit: int | None) -> Pairs:
    """Return the utterances that both have, the first `limit` of them."""
    import numpy as np

    from ttskit.text.symbols import SPECIAL
    from ttskit.training.examples import joined

    silent = np.isin(tokens.table("symbols"), SPECIAL)
    return Pairs(features, tokens, silent, tuple(joined([tokens, features])[:limit]))


def planned(
    aligner: str,
    output: Path | None,
    steps: int | None,
    minutes: float | None,
    rounds: int | None,
    seed: int,
    device: str,
    limit: int | None,
    restart: bool,
) -> Plan:
    """Return the plan for --aligner; refuse options that it does not use."""
    from ttskit.models import FAMILIES
    from ttskit.voices.model import check_device

    trained_here = aligner in FAMILIES["aligner"]
    if (steps is not None or minutes is not None) and not trained_here:
        raise typer.BadParameter("--steps and --minutes: this aligner is not trained here")
    if rounds is not None and aligner != FLAT:
        raise typer.BadParameter("--rounds: only the aligner flat has them")
    if aligner == FLAT and device != "cpu":
        raise typer.BadParameter("--device: the aligner flat needs none")
    check_device(device)
    if aligner == FLAT:
        return GaussianFit(rounds or ROUNDS)
    if not trained_here:
        return TrainedModel(Path(aligner), device)
    steps = STEPS if steps is None and minutes is None else steps
    return NewModel(aligner, output, steps, minutes, seed, device, limit, restart)


def recipe(pairs: Pairs, options: Mapping[str, Any]) -> Recipe:
    """Return what the artifact is made of and how."""
    from ttskit.artifacts import kinds
    from ttskit.artifacts.build import Recipe

    features, tokens = pairs.features, pairs.tokens
    return Recipe(
        stage="align",
        revision=REVISION,
        kind=kinds.Alignment,
        options=options,
        inputs=[*features.digests, *tokens.digests],
        attributes={name: features.attributes[name] for name in kinds.Alignment.attributes},
        tables={"symbols": tokens.table("symbols")},
        skipped={**features.skipped, **tokens.skipped},
    )


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Features and Tokens of one corpus, in any order; - reads standard input.",
        show_default="standard input",
    ),
]
AlignerOption = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="Aligner to train on this corpus: attention (a network) or flat (one Gaussian "
        "per symbol, without a network); or the file of a trained aligner or glow decoder.",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Updates to train the aligner for.",
        show_default=f"{STEPS}, unless --minutes is given",
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="MINUTES",
        help="Minutes to train the aligner for; with --steps, whichever is reached first.",
    ),
]
Rounds = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="With --aligner flat: how often to align and fit the Gaussians.",
        show_default=str(ROUNDS),
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    aligner: AlignerOption = "attention",
    steps: Steps = None,
    minutes: Minutes = None,
    rounds: Rounds = None,
    seed: Seed = 0,
    device: Device = "cpu",
    limit: Limit = None,
    threads: Threads = None,
    jobs: Jobs = 0,
    scheduler: Scheduler = None,
    shard: ShardOption = None,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Find how many frames each token lasts in a recording.

    Examples:
        ttskit align features.h5 tokens.h5 -o alignment.h5
        ttskit align features.h5 tokens.h5 --aligner flat -o quick.h5
    """
    from ttskit.artifacts import describe, kinds, streams
    from ttskit.artifacts.build import Running, build, needed
    from ttskit.dsp.threads import limited

    plan = planned(aligner, output, steps, minutes, rounds, seed, device, limit, restart)
    if shard and isinstance(plan, NewModel):
        raise UsageError(
            f"--shard {shard}: would train the aligner {aligner} in every shard: make it by "
            "`ttskit train aligner` first, and give its file to --aligner"
        )
    tell = describe.summary(output, as_json)
    features, tokens = streams.inputs(inputs, kinds.Features, kinds.Tokens)
    pairs = pairs_of(features, tokens, limit)
    if isinstance(plan, TrainedModel):
        plan.check(features, tokens.table("symbols"))
    how = recipe(pairs, {**plan.options(), "limit": limit})
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run, scheduler, shard)
    fitted = needed(output, how, running) and (restart or not dry_run)
    if fitted:
        note_other_texts(pairs)
        pairs = pairs.fit(output, skip_bad)
    with limited(threads):
        trained = plan.aligner(pairs) if fitted else None
    align = partial(utterance, pairs=pairs, aligner=trained)
    items, source = {id: id for id in pairs.ids}, features.name
    tell(build(output, how, items, align, running, source=source, bad=pairs.unfit))
