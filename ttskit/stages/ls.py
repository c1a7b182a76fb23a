"""Ls: the ids of an artifact, one a line; at length with speaker, seconds and text."""

from __future__ import annotations

from typing import Annotated

import typer

from ttskit.artifacts import listing
from ttskit.options import Inputs

Long = Annotated[
    bool,
    typer.Option(
        "--long", "-l", help="Write speaker, seconds and text after the id, separated by tabs."
    ),
]


def command(
    inputs: Inputs = None,
    long: Long = False,
) -> None:
    """List the ids of the utterances of an artifact.

    Examples:
        ttskit ls corpus.h5
        ttskit ls -l corpus.h5 | sort -k3 -n | tail
    """
    from ttskit.artifacts import streams

    for reader in streams.opened(inputs):
        known = listing.names(reader)
        fields = ["id", "speaker", "seconds", "text"] if long else ["id"]
        for line in listing.lines(reader, [name for name in fields if name in known], None):
            cells = line.split("\t")
            if long and "seconds" not in known:
                cells.insert(fields.index("seconds"), "")
            typer.echo("\t".join(cells))
