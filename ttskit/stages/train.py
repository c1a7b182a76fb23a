"""Train: a model of some role from the artifacts that it needs.

Reads what the role needs of Features, Tokens, Alignment and Corpus; writes a Model, and beside it
`OUT.run/`, from which a training that was stopped goes on.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ttskit.options import (
    Assign,
    Device,
    DryRun,
    Json,
    Limit,
    Renew,
    Restart,
    Seed,
    SkipShort,
    Threads,
    families,
)


def roles(incomplete: str) -> list[str]:
    """Return the roles that begin with some letters, for completion in a shell."""
    from ttskit.models import FAMILIES

    return [role for role in FAMILIES if role.startswith(incomplete)]


Role = Annotated[
    str,
    typer.Argument(
        metavar="ROLE",
        help="What the model is for: aligner, duration, decoder, coder, ranker, codec, vocoder; "
        "`ttskit config` lists all roles.",
        autocompletion=roles,
    ),
]
Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Artifacts that the role needs, in any order: Features, Tokens, Alignment, "
        "Corpus, Mels, Codes; - reads standard input.",
        show_default="standard input",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Model to write; the run folder FILE.run is kept beside it. Required.",
    ),
]
Family = Annotated[
    str | None,
    typer.Option(
        metavar="FAMILY",
        help="Model family, such as glow or hifigan; `ttskit config` lists them.",
        show_default="the first one of the role",
        autocompletion=families,
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="PRESET",
        help="Size and training settings to start from, such as tiny, base or paper.",
        show_default="the first one of the family",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="TOML file of settings, as `ttskit config` prints it."),
]
Steps = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Updates to train for, in all runs together. --steps or --minutes is needed.",
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="MINUTES",
        help="Minutes to train for, in all runs together; with --steps, whichever is reached "
        "first.",
    ),
]
Init = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Trained model, or voice, that gives the initial weights."),
]


def command(
    role: Role,
    inputs: Inputs = None,
    output: Output = None,
    family: Family = None,
    preset: Preset = None,
    config: Config = None,
    assign: Assign = None,
    steps: Steps = None,
    minutes: Minutes = None,
    init: Init = None,
    seed: Seed = 0,
    device: Device = "cpu",
    threads: Threads = None,
    limit: Limit = None,
    skip_bad: SkipShort = False,
    restart: Restart = False,
    renew: Renew = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Train a model: aligner, duration model, decoder, codec or vocoder.

    Examples:
        ttskit train duration alignment.h5 --steps 1500 -o duration.h5
        ttskit train decoder alignment.h5 features.h5 --minutes 60 -o decoder.h5
    """
    if output is None or str(output) == "-":
        raise typer.BadParameter("a model needs the name of a file", param_hint="--output")
    from ttskit.artifacts import describe, streams
    from ttskit.dsp.threads import limited
    from ttskit.training.goal import Goal
    from ttskit.training.run import request_of, train

    request = request_of(role, family, preset, config, assign or [])
    request = replace(request, seed=seed, limit=limit, init=init)
    readers, goal = streams.together(streams.opened(inputs)), Goal(steps, minutes)
    run = partial(train, restart=restart, renew=renew, dry_run=dry_run, skip_bad=skip_bad)
    with limited(threads):
        run(readers, output, request, goal, device=device)
    describe.summary(output, as_json)(output)
