"""Config: the settings of a model family as commented TOML, which `train --config` reads."""

from __future__ import annotations

from typing import Annotated

import typer

from ttskit.errors import UsageError
from ttskit.options import Assign, families

Family = Annotated[
    str | None,
    typer.Argument(
        metavar="FAMILY",
        help="Model family whose settings are printed.",
        show_default="list roles, families and presets",
        autocompletion=families,
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="PRESET",
        help="Preset of the family to print, such as tiny, base or paper.",
        show_default="the first one of the family",
    ),
]


def command(
    family: Family = None,
    preset: Preset = None,
    assign: Assign = None,
) -> None:
    """List model families, or print the settings of one as TOML.

    Examples:
        ttskit config
        ttskit config glow --preset tiny > glow.toml
    """
    from ttskit.models import FAMILIES, find

    if family is None:
        if preset or assign:
            raise UsageError("--preset and --set are of a family: name one, as in config glow")
        for role, families in FAMILIES.items():
            for name in families:
                typer.echo(f"{role}\t{name}\t{' '.join(find(name).presets)}")
        return
    from ttskit.settings import to_toml
    from ttskit.training.configuration import resolved

    typer.echo(to_toml(resolved(family, preset, None, assign or [])), nl=False)
