"""Copies of utterances, column by column: what `select`, `split` and `merge` write.

Rows that follow each other are copied as one, so that the time is that of the disk.  The bytes
are those that a `Writer` of the same records would write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import Field, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit import wording
from ttskit.artifacts import hdf5, sealing
from ttskit.artifacts.record import RAGGED, axes_of, declared, required

if TYPE_CHECKING:
    from ttskit.artifacts.build import Recipe
    from ttskit.artifacts.reader import Reader


@dataclass(frozen=True)
class Piece:
    """Utterances of an artifact: `rows` ascend; `tokens` renumbers its tokens."""

    reader: Reader[Any]
    rows: np.ndarray  # (row,) int64
    tokens: np.ndarray | None = None  # (symbol,) int: new number of each

    @classmethod
    def whole(cls, reader: Reader[Any], tokens: np.ndarray | None = None) -> Piece:
        """Return all utterances of an artifact."""
        return cls(reader, np.arange(len(reader)), tokens)

    @property
    def ids(self) -> list[str]:
        ids = self.reader.ids
        return [ids[row] for row in self.rows.tolist()]

    def lengths(self, axis: str) -> np.ndarray:
        """Return (row,) int64: how long the utterances are along a ragged axis."""
        return self.reader.lengths(axis)[self.rows]

    def chunks(self, spec: Field[Any]) -> Iterator[np.ndarray]:
        """Yield the values of a column, about a chunk of bytes at a time."""
        axes, column = axes_of(spec), self.reader.column(spec.name)
        first, after = self._runs()
        if axes and axes[0] in RAGGED:
            offsets = self.reader.offsets(axes[0])
            first, after = offsets[first], offsets[after]
        renumber = self.tokens if spec.name == "tokens" else None
        for chunk in _gathered(column, first, after):
            yield chunk if renumber is None else renumber[chunk].astype(chunk.dtype)

    def _runs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the first row of every run of rows that follow each other, and the one after."""
        cuts = np.flatnonzero(np.diff(self.rows) != 1)
        first = self.rows[np.concatenate([[0], cuts + 1])]
        return first, self.rows[np.concatenate([cuts, [-1]])] + 1


def seal(path: Path, recipe: Recipe, pieces: Sequence[Piece]) -> None:
    """Write the artifact of a recipe from the utterances of the pieces, in their order."""
    sources = [*_sources(recipe, [piece for piece in pieces if len(piece.rows)])]
    sealing.check_room(wording.workplace(path).parent, sources, path)
    kind, readers = recipe.kind.kind(), [piece.reader for piece in pieces]
    sealing.seal(path, kind, recipe.attributes, recipe.provenance, sources, readers)


def _sources(recipe: Recipe, pieces: Sequence[Piece]) -> Iterator[sealing.Source]:
    """Yield the columns of the file in the order in which they are written."""
    kind = recipe.kind
    blank = [spec for spec in declared(kind) if spec.name in required(kind)]
    specs = pieces[0].reader.columns if pieces else blank

    def lengths(axis: str) -> np.ndarray:
        return np.concatenate([np.empty(0, np.int64), *(one.lengths(axis) for one in pieces)])

    def column(spec: Field[Any]) -> sealing.Source:
        return _column(spec, pieces, lengths, recipe)

    ids = [id for piece in pieces for id in piece.ids]
    yield from sealing.layout(kind, specs, ids, lengths, column, recipe.tables, recipe.skipped)


def _column(
    spec: Field[Any],
    pieces: Sequence[Piece],
    lengths: Callable[[str], np.ndarray],
    recipe: Recipe,
) -> sealing.Source:
    """Return one column of all pieces."""
    axes, dtype = axes_of(spec), spec.metadata["dtype"]
    ragged = bool(axes) and axes[0] in RAGGED
    count = lengths(axes[0]).sum() if ragged else sum(len(one.rows) for one in pieces)
    shape = (int(count), *_inner(spec, pieces))
    chunks = (chunk for piece in pieces for chunk in piece.chunks(spec))
    if dtype.kind == "S":
        sizes = (np.char.str_len(c).max() for one in pieces for c in one.chunks(spec) if c.size)
        dtype = np.dtype(f"S{max(1, *sizes, 1)}")
        chunks = (chunk.astype(dtype) for chunk in chunks)
    return sealing.Source.declared(spec, shape, dtype, chunks, recipe.numbers.get(spec.name))


def _inner(spec: Field[Any], pieces: Sequence[Piece]) -> tuple[int, ...]:
    """Return the shape of a column without its first axis, which must be that of all pieces."""
    if pieces:
        return pieces[0].reader.container.columns[spec.name].shape[1:]
    return tuple(int(axis) if axis.isdigit() else 0 for axis in axes_of(spec)[1:])


def _gathered(column: Any, first: np.ndarray, after: np.ndarray) -> Iterator[np.ndarray]:
    """Yield stretches of a column, short ones joined and long ones cut to about a chunk."""
    waiting: list[np.ndarray] = []
    size = 0
    for start, stop in zip(first.tolist(), after.tolist(), strict=True):
        for chunk in hdf5.chunks_of(column[start:stop]):
            waiting.append(chunk)
            size += chunk.nbytes
            if size >= hdf5.CHUNK:
                yield waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
                waiting, size = [], 0
    if waiting:
        yield np.concatenate(waiting)
