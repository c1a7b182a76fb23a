"""Help: the list of verbs, or the options and examples of one."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def verbs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the verbs that begin with some letters, for completion in a shell."""
    root: Any = ctx.find_root().command
    return [name for name in root.commands if name.startswith(incomplete)]


Verb = Annotated[
    str | None,
    typer.Argument(
        metavar="VERB",
        help="Verb to explain.",
        show_default="list all verbs",
        autocompletion=verbs,
    ),
]


def command(
    ctx: typer.Context,
    verb: Verb = None,
) -> None:
    """List all verbs, or explain the options of one.

    Examples:
        ttskit help
        ttskit help features
    """
    root: Any = ctx.find_root()
    if verb is None:
        typer.echo(root.get_help())
        return
    name, found, _ = root.command.resolve_command(root, [verb])  # names the nearest if unknown
    typer.echo(found.get_help(typer.Context(found, info_name=name, parent=root)))
