"""Merge: several artifacts of one kind become one, in the order of the inputs.

Tokens of several languages get one table of symbols: that of the first, then what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.artifacts import selection
from ttskit.errors import ArtifactError, UsageError
from ttskit.options import DryRun, Output, Restart

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader

SYMBOLS = "symbols"  # the table that `tokens` are numbers of


def fit(readers: Sequence[Reader[Any]]) -> None:
    """Refuse artifacts that cannot be merged: of different kinds, grids, tables, columns."""
    first, seen = readers[0], dict.fromkeys(readers[0].ids, readers[0].name)
    for other in readers[1:]:
        if other.kind is not first.kind:
            raise ArtifactError(
                f"is {other.kind.kind()}, {first.name} is {first.kind.kind()}", file=other.name
            )
        for name in dict.fromkeys([*first.attributes, *other.attributes]):
            ours, theirs = first.attributes.get(name), other.attributes.get(name)
            if ours != theirs:
                raise ArtifactError(
                    f"has {name} {theirs}, {first.name} has {ours}: make both alike",
                    file=other.name,
                )
        for name in first.kind.tables.keys() - {SYMBOLS}:
            if first.table(name) != other.table(name):
                raise ArtifactError(
                    f"its {name} differ from those of {first.name}", file=other.name
                )
        if {s.name for s in first.columns} != {s.name for s in other.columns}:
            raise ArtifactError(f"its columns differ from those of {first.name}", file=other.name)
        for id in other.ids:
            if id in seen:
                raise ArtifactError(
                    f"{id} is in {seen[id]} too; ids must be unique", file=other.name
                )
        seen |= dict.fromkeys(other.ids, other.name)


def joined(readers: Sequence[Reader[Any]]) -> list[str]:
    """Return the symbols of all artifacts, those of the first one first."""
    return list(dict.fromkeys(symbol for one in readers for symbol in one.table(SYMBOLS)))


def renumbered(record: Any, reader: Reader[Any], symbols: Sequence[str]) -> Any:
    """Return an utterance with its tokens renumbered for another table of symbols."""
    import numpy as np

    own = reader.table(SYMBOLS)
    if own == symbols or record.tokens is None:
        return record
    if len(record.tokens) and record.tokens.max() >= len(own):
        raise ArtifactError("is damaged: `ttskit verify` says in what")
    table = np.array([symbols.index(symbol) for symbol in own], record.tokens.dtype)
    return replace(record, tokens=table[record.tokens])


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Two artifacts or more, in the order of the result; - reads standard input.",
        show_default="standard input",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    restart: Restart = False,
    dry_run: DryRun = False,
) -> None:
    """Join artifacts of one kind into one.

    Examples:
        ttskit merge ann.h5 bob.h5 -o both.h5
        ttskit merge ann.h5 bob.h5 | ttskit info
    """
    from ttskit.artifacts import streams
    from ttskit.artifacts.build import Running

    readers = streams.opened(inputs)
    if len(readers) < 2:
        raise UsageError("merge takes two artifacts or more")
    fit(readers)
    ids = [id for reader in readers for id in reader.ids]
    skipped = {id: why for reader in readers for id, why in reader.skipped.items()}
    for id in skipped.keys() & set(ids):
        del skipped[id]
    running = Running(restart=restart, dry_run=dry_run)
    tables, owners = {}, {id: reader for reader in readers for id in reader.ids}
    if SYMBOLS in readers[0].kind.tables:
        tables[SYMBOLS] = joined(readers)

    def read(id: str) -> Any:
        record = owners[id][id]
        return renumbered(record, owners[id], tables[SYMBOLS]) if tables else record

    selection.copy(output, "merge", {}, readers, ids, skipped, running, read, tables)
