"""Align: find how many frames each token of an utterance lasts.

Reads Features and Tokens, writes an Alignment.  An aligner says how well every token explains
every frame, and monotonic alignment search finds the best walk; begin, end, boundaries and
punctuation may last no frame.  Without a model, one is trained on the corpus itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeAlias

import typer

from ttskit.errors import ArtifactError
from ttskit.options import (
    Device,
    DryRun,
    Inputs,
    Jobs,
    Json,
    Limit,
    Output,
    Restart,
    Seed,
    SkipBad,
)

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ttskit.artifact import Reader
    from ttskit.dsp.flatstart import Gaussians, Utterance
    from ttskit.kinds import Alignment, Features, Tokens
    from ttskit.models.family import Family
    from ttskit.trained import Trained

Spelt: TypeAlias = "Tokens | Alignment"

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
class Neural:
    """A trained model that can tell tokens from mel; every process loads it for itself."""

    model: Trained

    device: str = "cpu"

    @cached_property
    def module(self) -> Family:
        return self.model.module(self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "device": self.device}

    def scores(self, mel: np.ndarray, spelt: Spelt) -> Tensor:
        """Return how likely each token makes each frame, (frame, token)."""
        import numpy as np
        import torch

        from ttskit.models.batch import collate

        told = {"mel": mel, "tokens": spelt.tokens}
        if "speaker" in self.module.needs(self.module.config):
            known = self.model.facts.speakers
            told["speaker"] = np.array(known.index(self.model.speaker(spelt.speaker)))
        with torch.inference_mode():
            return self.module.scores(collate([spelt.id], [told]).to(self.device))[0].cpu()

    def __call__(self, mel: np.ndarray, spelt: Spelt) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        from ttskit.dsp import mas

        found = self.scores(mel, spelt)
        sure, score = found.log_softmax(1).numpy(), found.numpy()
        silent = np.array(self.model.facts.silent)[spelt.tokens]
        durations = mas.durations(score, silent, spelt.id)
        on_path = np.where(mas.path(durations, len(score)), sure, 0).sum(axis=0)
        return durations, (on_path / np.maximum(durations, 1)).astype(np.float32)


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
    from ttskit.kinds import Alignment

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


def able(path: Path) -> Trained:
    """Open a model that can align."""
    from ttskit import trained

    found = trained.read(path)
    family, config = found.shape()
    if not family.aligns(config):
        raise ArtifactError(
            f"{path}: is a {found.role} that cannot align; needs an aligner, or a decoder whose "
            "config says neither coarse_layers nor pitch"
        )
    return found


def opened(path: Path, features: Reader[Features], symbols: Sequence[str]) -> Trained:
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
    from ttskit import streams

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
        from ttskit.trained import usable

        flat, ready = self.aligner == "flat", self.path is not None
        if (self.steps is not None or self.minutes is not None) and (flat or ready):
            raise typer.BadParameter("--steps and --minutes: this aligner is not trained here")
        if self.rounds is not None and not flat:
            raise typer.BadParameter("--rounds: only the aligner flat has them")
        if flat and self.device != "cpu":
            raise typer.BadParameter("--device: the aligner flat needs none")
        usable(self.device)

    @property
    def goal(self) -> tuple[int | None, float | None]:
        """Updates and minutes of the training."""
        return (STEPS if self.minutes is None and self.steps is None else self.steps), self.minutes

    @property
    def path(self) -> Path | None:
        from ttskit.models import FAMILIES

        return None if self.aligner in (*FAMILIES["aligner"], "flat") else Path(self.aligner)

    def options(self, model: Trained | None) -> dict[str, Any]:
        """Return all that changes the result."""
        from ttskit.stages import train

        if model:
            told: dict[str, Any] = {"aligner": model.container.digest}
        elif self.aligner == "flat":
            told = {"aligner": "flat", "rounds": self.rounds or ROUNDS}
        else:
            told = {"aligner": self.aligner, "steps": self.goal[0], "minutes": self.minutes}
            told |= {"seed": self.seed, "train": train.REVISION}
        return {**told, "limit": self.limit}

    def made(self, pairs: Pairs, output: Path | None) -> Aligner:
        """Fit or train the aligner on the corpus itself."""
        if self.aligner == "flat":
            return fitted(pairs, self.rounds or ROUNDS)
        from ttskit import kinds, streams, trained
        from ttskit.stages import train
        from ttskit.training.goal import Goal

        path = beside(output)
        if output is not None and str(output) != "-":
            streams.replaceable(streams.writable(output), kinds.Alignment.kind())
        wish = train.wished("aligner", self.aligner, None, None, [])
        train.train(
            [pairs.features, pairs.tokens],
            path,
            replace(wish, seed=self.seed, limit=self.limit),
            Goal(*self.goal),
            device=self.device,
            restart=self.restart,
        )
        return Neural(trained.read(path), self.device)


def command(
    inputs: Inputs = None,
    output: Output = None,
    aligner: Annotated[
        str, typer.Option(help="A trained one (a file), or what to train: attention, flat.")
    ] = "attention",
    steps: Annotated[
        int | None, typer.Option(min=1, help=f"Updates of its training.  [default: {STEPS}]")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="Or minutes of it.")] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help=f"Of search and fit, for flat.  [default: {ROUNDS}]")
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
    """Find how many frames each token lasts."""
    import numpy as np

    from ttskit import kinds, streams
    from ttskit.stages import info
    from ttskit.text.symbols import SPECIAL
    from ttskit.training.examples import joined
    from ttskit.work import Recipe, Running, build, up_to_date

    plan = Plan(aligner, steps, minutes, rounds, seed, device, limit, restart)
    plan.check()
    tell = info.summary(output, as_json)
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
