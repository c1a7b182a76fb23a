"""Train: a model of some role from the artifacts that it needs.

Reads what the role needs of Features, Tokens, Alignment and Corpus; writes a Model, and beside it
`OUT.run/`, from which a training that was stopped goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ttskit.options import Device, DryRun, Inputs, Json, Limit, Restart, Seed


def command(
    role: Annotated[str, typer.Argument(help="aligner, duration, decoder, vocoder ...")],
    inputs: Inputs = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Model to write.  Needed.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Of models; the role's first.")] = None,
    preset: Annotated[str | None, typer.Option(help="Of the family; its first.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Updates to make in all.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Minutes to train for in all.")
    ] = None,
    init: Annotated[Path | None, typer.Option(help="Model to start from.")] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    limit: Limit = None,
    restart: Restart = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Train a model: an aligner, a duration model, a decoder, a vocoder."""
    import dataclasses

    if output is None or str(output) == "-":
        raise typer.BadParameter("a model needs the name of a file", param_hint="--output")
    from ttskit.artifacts import describe, streams
    from ttskit.training.goal import Goal
    from ttskit.training.run import request_of, train

    request = request_of(role, family, preset, config, assign or [])
    request = dataclasses.replace(request, seed=seed, limit=limit, init=init)
    train(
        streams.opened(inputs),
        output,
        request,
        Goal(steps, minutes),
        device=device,
        restart=restart,
        dry_run=dry_run,
    )
    describe.summary(output, as_json)(output)
