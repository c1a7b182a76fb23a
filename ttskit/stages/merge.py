"""Merge: several artifacts of one kind become one, in the order of the inputs.

Tokens of several languages get one table of symbols: that of the first, then what is new.  All
shards of a run become what the run would have made that was not cut, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.artifacts import selection, shards
from ttskit.errors import ArtifactError, UsageError
from ttskit.options import DryRun, Output, Restart

if TYPE_CHECKING:
    from ttskit.artifacts.build import Recipe
    from ttskit.artifacts.copying import Piece
    from ttskit.artifacts.reader import Reader

SYMBOLS = "symbols"  # the table that `tokens` are numbers of


def fit(readers: Sequence[Reader[Any]]) -> None:
    """Refuse artifacts that cannot be merged: of different kinds, grids, tables, columns."""
    from ttskit.artifacts.joined import check_alike, check_columns

    first, seen = readers[0], dict.fromkeys(readers[0].ids, readers[0].name)
    full = next((reader for reader in readers if len(reader)), first)
    for other in readers[1:]:
        check_alike(first.container, other.container, apart=[SYMBOLS])
        check_columns(full.container, other.container)
        for id in other.ids:
            if id in seen:
                raise ArtifactError(
                    f"{id} is in {seen[id]} too; ids must be unique", file=other.name
                )
        seen |= dict.fromkeys(other.ids, other.name)


def joined(readers: Sequence[Reader[Any]]) -> list[str]:
    """Return the symbols of all artifacts, those of the first one first."""
    return list(dict.fromkeys(symbol for one in readers for symbol in one.table(SYMBOLS)))


def piece_of(reader: Reader[Any], symbols: Sequence[str]) -> Piece:
    """Return all utterances of an artifact, renumbered for another table of symbols."""
    import numpy as np

    from ttskit.artifacts.copying import Piece

    own = reader.table(SYMBOLS)
    if own == list(symbols):
        return Piece.whole(reader)
    numbers = {symbol: number for number, symbol in enumerate(symbols)}
    return Piece.whole(reader, np.array([numbers[symbol] for symbol in own]))


def recipe_of(readers: Sequence[Reader[Any]]) -> Recipe:
    """Return what the whole is made of: of shards, as the run that was not cut would say."""
    ids = {id for reader in readers for id in reader.ids}
    skipped = {id: why for reader in readers for id, why in reader.skipped.items()}
    recipe = selection.recipe_of(
        readers[0], [digest for one in readers for digest in one.digests], "merge", {}
    )
    symbols = {SYMBOLS: joined(readers)} if SYMBOLS in recipe.tables else {}
    recipe = replace(
        recipe,
        tables={**recipe.tables, **symbols},
        skipped={id: why for id, why in skipped.items() if id not in ids},
    )
    if shards.marked(readers[0]) is None:
        return recipe
    return replace(recipe, **shards.provenance_of(readers[0]))


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Two artifacts or more, in the order of the result, or all shards of a run, in any "
        "order; - reads standard input.",
        show_default="standard input",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    restart: Restart = False,
    dry_run: DryRun = False,
) -> None:
    """Join artifacts of one kind into one, or shards into the whole.

    Examples:
        ttskit merge ann.h5 bob.h5 -o both.h5
        ttskit merge features-*.h5 -o features.h5
    """
    from ttskit.artifacts import streams
    from ttskit.artifacts.build import Running

    readers = [part for reader in streams.opened(inputs) for part in reader.parts]
    if len(readers) < 2 and not shards.marked(readers[0]):
        raise UsageError("merge takes two artifacts or more")
    readers = shards.whole(readers) or readers
    fit(readers)
    recipe = recipe_of(readers)
    pieces = [piece_of(reader, recipe.tables.get(SYMBOLS, ())) for reader in readers]
    selection.put(output, recipe, pieces, Running(restart=restart, dry_run=dry_run))
