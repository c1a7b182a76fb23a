"""Align: find how many frames each token of an utterance lasts.

Reads Features and Tokens, writes an Alignment.  An aligner says how well every token explains
every frame, and monotonic alignment search finds the best walk; begin, end, boundaries and
punctuation may last no frame.  Without a model, one is trained on the corpus itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from ttskit.errors import ArtifactError
from ttskit.options import Device, DryRun, Jobs, Json, Limit, Output, Restart, Seed, SkipBad
from ttskit.voices.aligner import Neural, Spelt, able

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.kinds import Alignment, Features, Tokens
    from ttskit.artifacts.reader import Reader
    from ttskit.dsp.flatstart import Gaussians, Utterance
    from ttskit.voices.model import Model


REVISION = 2
STEPS = 1000  # updates of an aligner that is trained along the way
ROUNDS = 12  # of search and fit, without a network


class Aligner(Protocol):
    """How an utterance is aligned: durations (token,) and scores (token,) of mel and tokens."""

    def __call__(self, mel: np.ndarray, spelt: Spelt) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class Flat:
    """One Gaussian per symbol, without a network."""

    model: Gaussians
    silent: np.ndarray

    def __call__(self, mel: np.ndarray, spelt: Spelt) -> tuple[np.ndarray, np.ndarray]:
        from ttskit.dsp import flatstart

        return flatstart.align(self.model, mel, spelt.tokens, self.silent, spelt.id)


@dataclass(frozen=True)
class Pairs:
    """The utterances that have both features and tokens; it can be walked through repeatedly."""

    features: Reader[Features]
    tokens: Reader[Tokens]
    silent: np.ndarray  # which symbols may last no frame
    ids: tuple[str, ...]

    def __iter__(self) -> Iterator[Utterance]:
        for id in self.ids:
            mel, tokens = self.mel(id), self.tokens.value(self.tokens.row(id), "tokens")
            if len(mel) >= (~self.silent[tokens]).sum():  # others are refused one by one, later
                yield id, mel, tokens

    def mel(self, id: str) -> np.ndarray:
        return self.features.value(self.features.row(id), "mel")


def utterance(id: str, pairs: Pairs, aligner: Aligner | None) -> Alignment:
    """Align one utterance."""
    from ttskit.artifacts.kinds import Alignment

    assert aligner is not None  # only an artifact that is up to date needs none
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


def fitted(pairs: Pairs, rounds: int) -> Flat:
    """Fit one Gaussian per symbol to the corpus, saying how it goes."""
    from ttskit import progress
    from ttskit.dsp import flatstart

    found = []
    with progress.track("fitting", rounds) as advance:
        for round in flatstart.fit(pairs, pairs.silent, rounds):
            found = [round]
            advance()
    model, likelihood = found[0]
    progress.note(f"fitted: {likelihood:.2f} log-likelihood a frame after {rounds} rounds")
    return Flat(model, pairs.silent)


def opened(path: Path, features: Reader[Features], symbols: Sequence[str]) -> Model:
    """Open a model that can align, and check that it is for such features and tokens."""
    found = able(path)
    found.check_grid(features.name, features.attributes)
    if tuple(symbols) != found.facts.symbols:
        raise ArtifactError(
            f"{path}: knows other symbols than the tokens: make tokens in its language"
        )
    return found


def beside(output: Path | None) -> Path:
    """Return where the aligner that is trained for an alignment is kept."""
    from ttskit.artifacts import streams

    if output is None or str(output) == "-":
        return streams.scratch() / "aligner.h5"
    return output.with_name(f"{output.stem}.aligner.h5")


@dataclass(frozen=True)
class Plan:
    """Which aligner there is to be, and how it is made where it is not there."""

    aligner: str  # a family, or the path of a model
    steps: int | None
    minutes: float | None
    rounds: int | None
    seed: int
    device: str
    limit: int | None
    restart: bool

    def check(self) -> None:
        """Refuse what would be of no use."""
        from ttskit.voices.model import check_device

        flat, ready = self.aligner == "flat", self.path is not None
        if (self.steps is not None or self.minutes is not None) and (flat or ready):
            raise typer.BadParameter("--steps and --minutes: this aligner is not trained here")
        if self.rounds is not None and not flat:
            raise typer.BadParameter("--rounds: only the aligner flat has them")
        if flat and self.device != "cpu":
            raise typer.BadParameter("--device: the aligner flat needs none")
        check_device(self.device)

    @property
    def goal(self) -> tuple[int | None, float | None]:
        """Updates and minutes of the training."""
        return (STEPS if self.minutes is None and self.steps is None else self.steps), self.minutes

    @property
    def path(self) -> Path | None:
        from ttskit.models import FAMILIES

        return None if self.aligner in (*FAMILIES["aligner"], "flat") else Path(self.aligner)

    def options(self, model: Model | None) -> dict[str, Any]:
        """Return all that changes the result."""
        from ttskit.training import run

        if model:
            told: dict[str, Any] = {"aligner": model.container.digest}
        elif self.aligner == "flat":
            told = {"aligner": "flat", "rounds": self.rounds or ROUNDS}
        else:
            told = {"aligner": self.aligner, "steps": self.goal[0], "minutes": self.minutes}
            told |= {"seed": self.seed, "train": run.REVISION}
        return {**told, "limit": self.limit}

    def made(self, pairs: Pairs, output: Path | None) -> Aligner:
        """Fit or train the aligner on the corpus itself."""
        if self.aligner == "flat":
            return fitted(pairs, self.rounds or ROUNDS)
        from ttskit.artifacts import kinds, streams
        from ttskit.training import run
        from ttskit.training.goal import Goal
        from ttskit.voices.model import read_model

        path = beside(output)
        if output is not None and str(output) != "-":
            streams.replaceable(streams.writable(output), kinds.Alignment.kind())
        wish = run.request_of("aligner", self.aligner, None, None, [])
        run.train(
            [pairs.features, pairs.tokens],
            path,
            replace(wish, seed=self.seed, limit=self.limit),
            Goal(*self.goal),
            device=self.device,
            restart=self.restart,
        )
        return Neural(read_model(path), self.device)


def command(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Features and Tokens of one corpus, in any order; - reads standard input.",
            show_default="standard input",
        ),
    ] = None,
    output: Output = None,
    aligner: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="Aligner to train on this corpus: attention (a network) or flat (one Gaussian "
            "per symbol, without a network); or the file of a trained aligner or glow decoder.",
        ),
    ] = "attention",
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Updates to train the aligner for.",
            show_default=f"{STEPS}, unless --minutes is given",
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="MINUTES",
            help="Minutes to train the aligner for; with --steps, whichever is reached first.",
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="With --aligner flat: how often to align and fit the Gaussians.",
            show_default=str(ROUNDS),
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    limit: Limit = None,
    jobs: Jobs = 0,
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
    import numpy as np

    from ttskit.artifacts import describe, kinds, streams
    from ttskit.artifacts.build import Recipe, Running, build, up_to_date
    from ttskit.text.symbols import SPECIAL
    from ttskit.training.examples import joined

    plan = Plan(aligner, steps, minutes, rounds, seed, device, limit, restart)
    plan.check()
    tell = describe.summary(output, as_json)
    features, tokens = streams.inputs(inputs, kinds.Features, kinds.Tokens)
    table = tokens.table("symbols")
    ids = tuple(joined([tokens, features])[:limit])
    pairs = Pairs(features, tokens, np.isin(table, SPECIAL), ids)
    model = opened(plan.path, features, table) if plan.path else None
    recipe = Recipe(
        stage="align",
        revision=REVISION,
        kind=kinds.Alignment,
        options=plan.options(model),
        inputs=[features.digest, tokens.digest],
        attributes={name: features.attributes[name] for name in kinds.Alignment.attributes},
        tables={"symbols": table},
        skipped={**features.skipped, **tokens.skipped},
    )
    needed = restart or not (dry_run or up_to_date(output or Path("-"), recipe))
    using: Aligner | None = Neural(model, device) if model else None
    if needed and not using:
        using = plan.made(pairs, output)
    make = partial(utterance, pairs=pairs, aligner=using)
    running = Running(jobs if device == "cpu" else 1, skip_bad, restart, dry_run)
    items = dict(zip(ids, ids, strict=True))
    tell(build(output, recipe, items, make, running, source=features.name))
