"""Writing an artifact: records are appended one by one and sealed into one file.

Unfinished work lies in `NAME.part/`, from which the same command goes on.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import Field
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np

from ttskit.artifacts import atomic, hdf5, sealing, unfinished
from ttskit.artifacts.hdf5 import Value
from ttskit.artifacts.record import RAGGED, Number, Record, axes_of, declared, required
from ttskit.errors import ArtifactError

R = TypeVar("R", bound="Record")


class Writer(Generic[R]):
    """An artifact being written; the file appears once it is complete.

    Records are appended in any order to `NAME.part/`, from which a later run resumes; `seal`
    assembles the artifact in the order of the ids it gets.
    """

    def __init__(
        self,
        path: str | Path,
        kind: type[R],
        *,
        provenance: Mapping[str, Any],
        attributes: Mapping[str, Value] | None = None,
        tables: Mapping[str, Sequence[str]] | None = None,
        numbers: Mapping[str, Number] | None = None,
        restart: bool = False,
    ) -> None:
        self.path, self.kind = Path(path), kind
        self._numbers = dict(numbers or {})
        self._specs = [*declared(kind), *(one.spec(name) for name, one in self._numbers.items())]
        self._attributes, self._provenance = dict(attributes or {}), provenance
        self._tables = {name: list(values) for name, values in (tables or {}).items()}
        if missing := set(kind.attributes) - set(self._attributes):
            raise ArtifactError(f"{kind.kind()} needs {', '.join(sorted(missing))}", file=path)
        header = header_of(kind.kind(), provenance)
        left = unfinished.header_at(self.path)
        done = left is not None and left != header and left == _header_of_output(self.path)
        self._part = unfinished.Unfinished(
            self.path, header, [spec.name for spec in self._specs], restart=restart or done
        )

    @property
    def finished(self) -> Collection[str]:
        """The ids of the utterances that are appended already."""
        return self._part.rows.keys()

    def append(self, record: R) -> None:
        """Add an utterance; once this returns, it survives a kill of the process.

        Refuses it if an input was written to meanwhile.
        """
        hdf5.refuse_changed(self._provenance)
        if record.id in self._part.rows:
            raise ArtifactError(f"utterance {record.id} is there twice", file=self.path)
        axes: dict[str, int] = {}
        blobs, values = {}, record.columns()
        if unknown := values.keys() - {spec.name for spec in self._specs}:
            raise ArtifactError(
                f"{min(unknown)} is not declared", file=self.path, utterance=record.id
            )
        for spec in self._specs:
            value = values.get(spec.name)
            if value is None:
                continue
            blobs[spec.name] = _encoded(spec, value)
            if isinstance(value, np.ndarray):
                axes |= dict(zip(axes_of(spec), value.shape, strict=True))
        self._check_alike(record.id, blobs.keys(), axes)
        self._part.append(record.id, axes, blobs)

    def seal(
        self, ids: Sequence[str] | None = None, skipped: Mapping[str, str] | None = None
    ) -> None:
        """Assemble the artifact from the utterances in `ids`, and rename it to its path.

        Without ids it has all that were appended, in that order.
        """
        ids = [*self._part.rows] if ids is None else ids
        rows = [self._part.rows[id] for id in ids]
        sources = list(self._sources(ids, rows, dict(skipped or {})))
        sealing.check_room(self._part.folder, sources, self.path)
        unnamed = self._part.folder / unfinished.SEALED
        try:
            kind, attributes = self.kind.kind(), self._attributes
            sealing.seal(unnamed, kind, attributes, self._provenance, sources)
            atomic.publish(unnamed, self.path)
        except OSError as error:
            raise unfinished.no_room(self.path, error) from error
        self._part.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._part.rows:
            self._part.close()
        else:
            self._part.remove()

    def _check_alike(self, id: str, columns: Iterable[str], axes: Mapping[str, int]) -> None:
        """Refuse a record whose columns or fixed lengths differ from those of the first one."""
        if not self._part.rows:
            return
        if unlike := set(columns) ^ self._part.ends.keys():
            raise ArtifactError(
                f"differs in its columns: {sorted(unlike)}", file=self.path, utterance=id
            )
        for axis, length in axes.items():
            known = self._part.axes[axis][0]
            if axis not in RAGGED and length != known:
                raise ArtifactError(
                    f"has {length} {axis}s, the others {known}", file=self.path, utterance=id
                )

    def _sources(
        self, ids: Sequence[str], rows: Sequence[int], skipped: Mapping[str, str]
    ) -> Iterator[sealing.Source]:
        """Yield the columns of the file in the order in which they are written."""
        present = self._part.ends.keys() or required(self.kind)
        specs = [spec for spec in self._specs if spec.name in present]
        yield from sealing.layout(
            self.kind,
            specs,
            ids,
            lambda axis: self._lengths(axis, rows),
            lambda spec: self._column(spec, rows),
            self._tables,
            skipped,
        )

    def _column(self, spec: Field[Any], rows: Sequence[int]) -> sealing.Source:
        axes, dtype = spec.metadata["axes"], spec.metadata["dtype"]
        ragged = bool(axes) and axes[0] in RAGGED
        lead = int(self._lengths(axes[0], rows).sum()) if ragged else len(rows)
        shape = (lead, *(self._width(axis) for axis in (axes[1:] if ragged else axes)))
        places = [self._part.place(spec.name, row) for row in rows]
        runs = _runs(places)
        blobs = (self._part.read(spec.name, start, stop) for start, stop in runs)
        if dtype.kind == "S":
            texts, width = self._texts(spec.name, runs)
            self._agree(spec.name, texts == math.prod(shape))
            dtype = np.dtype(f"S{width}")
            chunks: Iterable[np.ndarray] = (np.array(_split(blob), dtype) for blob in blobs)
        else:
            per_row = self._lengths(axes[0], rows) if ragged else np.ones(len(rows), np.int64)
            counts = per_row * math.prod(shape[1:]) * dtype.itemsize
            self._agree(spec.name, np.array_equal(np.diff(places).reshape(-1), counts))
            chunks = (np.frombuffer(blob, dtype).reshape(-1, *shape[1:]) for blob in blobs)
        number = self._numbers.get(spec.name)
        return sealing.Source.declared(spec, shape, dtype, chunks, number)

    def _texts(self, column: str, runs: Iterable[tuple[int, int]]) -> tuple[int, int]:
        """Return how many texts a column has, and the bytes of the longest one, at least 1."""
        count, width = 0, 1
        for run in runs:
            sizes = [len(text) for text in _split(self._part.read(column, *run))]
            count, width = count + len(sizes), max(width, *sizes, 1)
        return count, width

    def _agree(self, column: str, agrees: bool) -> None:
        """Refuse to seal a column of other sizes than those that the index gives its axes."""
        if not agrees:
            raise ArtifactError(
                f"{column} has other sizes than its index says: add --restart to make it anew",
                file=self._part.folder,
            )

    def _lengths(self, axis: str, rows: Sequence[int]) -> np.ndarray:
        """Return (row,) int64: how long each row is along an axis."""
        return np.array(self._part.axes.get(axis, ()), np.int64)[np.array(rows, int)]

    def _width(self, axis: str) -> int:
        """Return the one length of an axis that is not ragged."""
        return int(axis) if axis.isdigit() else self._part.axes.get(axis, [0])[0]


def header_of(kind: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return what unfinished work says of itself."""
    return {"kind": kind, "version": hdf5.VERSION, "provenance": provenance}


def _header_of_output(path: Path) -> dict[str, Any] | None:
    """Return what the unfinished work of an artifact that is there said of itself."""
    try:
        container = hdf5.open_container(path)
    except ArtifactError:
        return None
    return header_of(container.kind, container.provenance)


def _encoded(spec: Field[Any], value: Any) -> unfinished.Blob:
    """Return a field as the bytes of its raw column, a copy of texts alone; texts end in NUL."""
    if spec.metadata["dtype"].kind == "S":
        texts = [value] if isinstance(value, str) else value
        return b"".join(text.encode() + b"\0" for text in texts)
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8).data if value.size else b""


def _split(blob: bytes) -> list[bytes]:
    return blob.split(b"\0")[:-1]


def _runs(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join places that follow each other, up to a chunk, so that they are copied as one."""
    runs: list[tuple[int, int]] = []
    for start, stop in places:
        if runs and runs[-1][1] == start and stop - runs[-1][0] <= hdf5.CHUNK:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
