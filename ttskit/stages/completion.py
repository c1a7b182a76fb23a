"""Completion: the script by which a shell completes verbs, options and file names."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

VARIABLE = "_TTSKIT_COMPLETE"  # set by the script when it asks ttskit for completions
Shell = Literal["bash", "zsh", "fish"]


ShellOption = Annotated[
    Shell, typer.Argument(metavar="SHELL", help="Shell to complete in: bash, zsh or fish.")
]


def command(
    shell: ShellOption,
) -> None:
    """Print a script that completes verbs and options in a shell.

    Examples:
        eval "$(ttskit completion bash)"
        ttskit completion fish > ~/.config/fish/completions/ttskit.fish
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    typer.echo(get_completion_script(prog_name="ttskit", complete_var=VARIABLE, shell=shell))
