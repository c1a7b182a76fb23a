"""Config: the settings of a model family as commented TOML, to be changed and given to `train`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttskit.errors import SettingError


def command(
    family: Annotated[str | None, typer.Argument(help="Without one: the list of them.")] = None,
    preset: Annotated[str | None, typer.Option(help="Of the family; its first.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting.")
    ] = None,
) -> None:
    """Print the settings of a model family as TOML."""
    from ttskit.models import FAMILIES, find

    if family is None:
        if preset or assign:
            raise SettingError("--preset and --set are of a family: name one, as in config glow")
        for role, families in FAMILIES.items():
            for name in families:
                typer.echo(f"{role}\t{name}\t{' '.join(find(name).presets)}")
        return
    from ttskit.settings import to_toml
    from ttskit.training.configuration import resolved

    typer.echo(to_toml(resolved(family, preset, None, assign or [])), nl=False)
