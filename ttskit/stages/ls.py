"""Ls: the ids of an artifact, one a line; at length with speaker, seconds and text."""

from __future__ import annotations

from typing import Annotated

import typer

from ttskit.options import Inputs
from ttskit.stages import cat


def command(
    inputs: Inputs = None,
    long: Annotated[bool, typer.Option("--long", "-l", help="With speaker, text ...")] = False,
) -> None:
    """List the utterances of an artifact."""
    from ttskit import streams

    for reader in streams.opened(inputs):
        known = cat.names(reader)
        wanted = ["id", "speaker", "seconds", "text"] if long else ["id"]
        for line in cat.lines(reader, [name for name in wanted if name in known], None):
            typer.echo(line)
