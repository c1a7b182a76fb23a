"""Cat: fields of an artifact as tab-separated text, one utterance a line.

Arrays are written as JSON; a tab or a line break within a text as \\t, \\n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ttskit.artifacts.listing import lines
from ttskit.options import Inputs

if TYPE_CHECKING:
    pass


Fields = Annotated[
    str,
    typer.Option(
        "--fields",
        "-f",
        metavar="NAMES",
        help="Fields to write, separated by commas: columns (see `ttskit info`), lengths such "
        "as frames, or seconds.",
    ),
]
Id = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID", help="Write this utterance only. May be repeated.", show_default="all"
    ),
]
Header = Annotated[
    bool, typer.Option("--header", help="Write the names of the fields as the first line.")
]


def command(
    inputs: Inputs = None,
    fields: Fields = "id,text",
    id: Id = None,
    header: Header = False,
) -> None:
    """Write fields of an artifact as tab-separated text.

    Examples:
        ttskit cat corpus.h5
        ttskit cat corpus.h5 --fields id,speaker,seconds --header
    """
    from ttskit.artifacts import streams

    names = [name.strip() for name in fields.split(",")]
    for reader in streams.opened(inputs):
        if header:
            typer.echo("\t".join(names))
        for line in lines(reader, names, id):
            typer.echo(line)
