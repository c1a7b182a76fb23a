"""Integers that later reads rely on: indices and counts, checked when a file is opened."""

from __future__ import annotations

from dataclasses import Field
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.artifacts.record import RAGGED, axes_of

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader


def unfit(reader: Reader[Any], spec: Field[Any]) -> str:
    """Return whose value of a column of integers is out of its bounds, or "" if none is."""
    column, limits = reader.column(spec.name), spec.metadata
    if column.dtype.kind not in "iu" or not column.size:
        return ""
    least, most = limits["least"], limits["most"]
    if least is not None and (lowest := column.min()) < least:
        return f"{_owner(reader, spec, column.argmin())} holds {lowest}, needs at least {least}"
    if most is not None and (highest := column.max()) > most:
        return f"{_owner(reader, spec, column.argmax())} holds {highest}, needs at most {most}"
    return _beyond(reader, spec, limits["below"]) or _uneven(
        reader, spec.name, limits["axes"], limits["fills"]
    )


def _owner(reader: Reader[Any], spec: Field[Any], place: int | np.integer[Any]) -> str:
    """Return the utterance that a place of a flattened column belongs to, and the column."""
    column, axes = reader.column(spec.name), axes_of(spec)
    row = int(place) // max(1, column.size // len(column))
    if axes and axes[0] in RAGGED:
        row = int(np.searchsorted(reader.offsets(axes[0]), row, side="right")) - 1
    return f"{reader.ids[row]}: {spec.name}"


def _beyond(reader: Reader[Any], spec: Field[Any], below: str) -> str:
    """Return which index points behind the end of a table, or of an utterance on an axis."""
    name, column = spec.name, reader.column(spec.name)
    if not below:
        return ""
    if below in reader.kind.tables or below in reader.attributes:
        in_file = reader.container.columns.get(below)
        length = in_file.shape[0] if in_file else int(reader.attributes[below])
        if (top := column.max()) < length:
            return ""
        return f"{_owner(reader, spec, column.argmax())} holds {top}, needs less than {length}"
    offsets = reader.offsets("token")
    rows = np.flatnonzero(np.diff(offsets))
    highest, lengths = np.maximum.reduceat(column, offsets[rows]), reader.lengths(below)[rows]
    wrong = np.flatnonzero(highest >= lengths)
    if not len(wrong):
        return ""
    first = wrong[0]
    return (
        f"{reader.ids[rows[first]]}: {name} holds {highest[first]}, needs less than "
        f"{lengths[first]}"
    )


def _uneven(reader: Reader[Any], name: str, axes: tuple[str, ...], fills: str) -> str:
    """Return which utterance has values that do not add up to its length on an axis."""
    if not fills or not reader.has_axis(fills):
        return ""
    sums = np.concatenate([[0], np.cumsum(reader.column(name), dtype=np.int64)])
    totals, lengths = np.diff(sums[reader.offsets(axes[0])]), reader.lengths(fills)
    wrong = np.flatnonzero(totals != lengths)
    if not len(wrong):
        return ""
    first = wrong[0]
    return (
        f"{reader.ids[first]}: its {name} add up to {totals[first]}, needs its {lengths[first]} "
        f"{fills}s"
    )
