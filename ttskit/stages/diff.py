"""Diff: list the differences of two artifacts, beyond a tolerance.

The exit status is 0 where they do not, 1 where they do, 2 where that cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import wording
from ttskit.errors import UsageError, exits

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader


def differences(a: Reader[Any], b: Reader[Any], tolerance: float) -> Iterator[str]:
    """Yield the differences of two artifacts in words; numbers may differ by `tolerance`."""
    if a.kind is not b.kind:
        yield f"kind: {a.kind.kind()} and {b.kind.kind()}"
        return
    for name in dict.fromkeys([*a.attributes, *b.attributes]):
        if a.attributes.get(name) != b.attributes.get(name):
            yield f"{name}: {a.attributes.get(name)} and {b.attributes.get(name)}"
    for name in a.kind.tables:
        if a.table(name) != b.table(name):
            yield f"{name}: {len(a.table(name))} and {len(b.table(name))} entries, not the same"
    if a.skipped != b.skipped:
        there = wording.count(len(b.skipped), "utterance")
        yield f"skipped: {len(a.skipped)} and {there}, not the same"
    for one, other in ((a, b), (b, a)):
        if alone := [id for id in one.ids if id not in other]:
            yield f"only in {one.name}: {wording.count(len(alone), 'utterance')}: {_some(alone)}"
    both = [id for id in a.ids if id in b]
    if both != [id for id in b.ids if id in a]:
        yield "the utterances that both have are in another order"
    ours, theirs = ({spec.name for spec in reader.columns} for reader in (a, b))
    if alone := sorted(ours ^ theirs):
        yield f"only one has the columns {', '.join(alone)}"
    for spec in a.columns:
        if spec.name in theirs and spec.name != "id":
            yield from _column(a, b, spec.name, both, tolerance)


def _column(
    a: Reader[Any], b: Reader[Any], name: str, ids: list[str], tolerance: float
) -> Iterator[str]:
    import numpy as np

    unlike, most = [], 0.0
    for id in ids:
        x, y = a.value(a.row(id), name), b.value(b.row(id), name)
        if not isinstance(x, (np.ndarray, np.generic)):
            same = x == y
        elif x.shape != y.shape:
            same = False
        else:
            x, y = np.atleast_1d(x), np.atleast_1d(y)
            gap = np.abs(np.subtract(x, y, dtype=float))
            gap[(x == y) | (np.isnan(x) & np.isnan(y))] = 0
            same = bool((gap <= tolerance).all())
            most = max(most, float(np.max(gap, initial=0)))
        if not same:
            unlike.append(id)
    if unlike:
        by = f", by up to {most:g}" if most else ""
        yield f"{name}: differs in {len(unlike)} of {len(ids)} utterances{by}: {_some(unlike)}"


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Two artifacts of one kind; - reads one of them from standard input.",
        show_default="standard input",
    ),
]
Tolerance = Annotated[
    float,
    typer.Option(
        min=0, metavar="X", help="Ignore differences between numbers of no more than this."
    ),
]


def command(
    inputs: Inputs = None,
    tolerance: Tolerance = 0.0,
) -> None:
    """Show how two artifacts differ; exit status 1 if they do.

    Examples:
        ttskit diff old.h5 new.h5
        ttskit diff old.h5 new.h5 --tolerance 1e-5
    """
    from ttskit.artifacts import streams

    with exits(2):  # 1 means that they differ
        readers = streams.opened(inputs)
        if len(readers) != 2:
            raise UsageError(f"diff takes two artifacts, not {len(readers)}")
        lines = list(differences(readers[0], readers[1], tolerance))
    for line in lines:
        typer.echo(line)
    raise typer.Exit(1 if lines else 0)
