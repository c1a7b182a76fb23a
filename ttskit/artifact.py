"""Artifacts: the HDF5 files that one stage writes and the next one reads.

An artifact holds records of one kind, one per utterance.  Every field of the kind is one column,
all utterances end to end; every ragged axis (a length that differs between utterances) has one
vector of offsets:

    /id             (N,) string
    /offsets/frame  (N+1,) int64
    /mel            (sum of frames, 80) float32

A kind is a frozen dataclass derived from `Record`; `kinds.py` has them all.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np

from ttskit import hdf5, part
from ttskit.errors import ArtifactError
from ttskit.hdf5 import Value
from ttskit.ids import unfit_id
from ttskit.record import RAGGED, Record

R = TypeVar("R", bound="Record")


class Reader(Mapping[str, R], Generic[R]):
    """An artifact open for reading: utterance id -> record, each read when asked for.

    Columns are views of the memory-mapped file.  A reader can be pickled: a worker process
    opens the file itself.
    """

    def __init__(self, path: Path, kind: type[R], name: str = "") -> None:
        self.path, self.kind, self.name = Path(path), kind, name or str(path)
        self._container = hdf5.open_container(self.path, self.name)
        if self._container.kind != kind.kind():
            raise ArtifactError(f"{self.name}: is {self._container.kind}, needs {kind.kind()}")
        self._columns: dict[str, np.ndarray] = {}
        self._plans: dict[str, tuple[np.ndarray | None, np.ndarray | None, bool]] = {}
        self._check()

    @property
    def attributes(self) -> Mapping[str, Value]:
        return self._container.attributes

    @property
    def provenance(self) -> Mapping[str, Any]:
        return self._container.provenance

    @property
    def digest(self) -> str:
        return self._container.digest

    @property
    def container(self) -> hdf5.Container:
        return self._container

    @property
    def ids(self) -> Sequence[str]:
        return self._ids

    @property
    def skipped(self) -> dict[str, str]:
        """What this artifact and those it was made from lack: id -> reason."""
        return dict(zip(self.table("skipped/id"), self.table("skipped/reason"), strict=True))

    @property
    def columns(self) -> list[Field[Any]]:
        """The fields that this artifact has, in the order of its kind."""
        return [spec for spec in fields(self.kind) if spec.name in self._container.columns]

    def column(self, name: str) -> np.ndarray:
        """Return a whole column, a view of the file."""
        if name not in self._columns:
            if name not in self._container.columns:
                raise ArtifactError(f"{self.name}: has no column {name}")
            self._columns[name] = self._container.map(name)
        return self._columns[name]

    def offsets(self, axis: str) -> np.ndarray:
        """Return (utterance + 1,) int64: where each utterance starts along a ragged axis."""
        return self.column(f"offsets/{axis}")

    def lengths(self, axis: str) -> np.ndarray:
        """Return (utterance,) int64: how long each utterance is along a ragged axis."""
        return np.diff(self.offsets(axis))

    def has_axis(self, axis: str) -> bool:
        return f"offsets/{axis}" in self._container.columns

    def table(self, name: str) -> list[str]:
        """Return a whole-artifact list of strings; an absent one is empty."""
        return self._container.strings(name)

    def value(self, row: int, name: str) -> Any:
        """Return one field of the utterance in a row: an array, a string or None."""
        if name not in self._plans:
            self._plans[name] = self._plan(name)
        column, offsets, decode = self._plans[name]
        if column is None:
            return None
        found = column[row] if offsets is None else column[offsets[row] : offsets[row + 1]]
        if not decode:
            return found
        texts = hdf5.decoded(self.name, name, np.atleast_1d(found))
        return texts[0] if offsets is None else texts

    def _plan(self, name: str) -> tuple[np.ndarray | None, np.ndarray | None, bool]:
        """Return a column, the offsets of its utterances and whether it is text."""
        if name not in self._container.columns:
            return None, None, False
        column, axes = self.column(name), _names(_spec(self.kind, name))
        offsets = self.offsets(axes[0]) if axes and axes[0] in RAGGED else None
        return column, offsets, column.dtype.kind == "S"

    def record(self, row: int) -> R:
        """Return the utterance in a row."""
        return self.kind(**{spec.name: self.value(row, spec.name) for spec in fields(self.kind)})

    def row(self, utterance: str) -> int:
        try:
            return self._rows[utterance]
        except KeyError:
            raise ArtifactError(f"{self.name}: has no utterance {utterance}") from None

    def __getitem__(self, utterance: str) -> R:
        if utterance not in self._rows:
            raise KeyError(utterance)
        return self.record(self._rows[utterance])

    def __contains__(self, utterance: object) -> bool:
        return utterance in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._columns.clear()
        self._plans.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.path.absolute(), self.kind, self.name))

    def _check(self) -> None:
        """Check all that makes later reads safe: columns, ids and offsets."""
        found = self._container.columns
        for name in self.kind.attributes:
            if name not in self.attributes:
                raise ArtifactError(f"{self.name}: lacks the attribute {name}")
            value = self.attributes[name]
            if isinstance(value, str) or not 0 <= value < float("inf"):
                raise ArtifactError(f"{self.name}: its {name} is {value!r}, needs a number")
            if name in ("sample_rate", "hop_length") and value < 1:
                raise ArtifactError(f"{self.name}: its {name} is {value}, needs at least 1")
        for spec in fields(self.kind):
            if spec.name in found:
                _check_column(self.name, spec, found[spec.name])
            elif not spec.metadata["optional"]:
                raise ArtifactError(f"{self.name}: lacks the column {spec.name}")
        for name in [*self.kind.tables, "skipped/id", "skipped/reason"]:
            if name in found and (found[name].dtype.kind != "S" or len(found[name].shape) != 1):
                raise ArtifactError(f"{self.name}: {name} is not a list of strings")
        if missing := set(self.kind.tables) - found.keys():
            raise ArtifactError(f"{self.name}: lacks the table {min(missing)}")
        reasons = [found[name].shape for name in ("skipped/id", "skipped/reason") if name in found]
        if len(reasons) == 1 or len(set(reasons)) > 1:
            raise ArtifactError(f"{self.name}: its skipped utterances and their reasons differ")
        self._ids = self.table("id")
        self._rows = {id: row for row, id in enumerate(self._ids)}
        self._check_ids()
        for spec in self.columns:
            self._check_length(spec)

    def _check_ids(self) -> None:
        if len(self._rows) != len(self._ids):
            seen: set[str] = set()
            twice = next(id for id in self._ids if id in seen or seen.add(id))  # type: ignore[func-returns-value]
            raise ArtifactError(f"{self.name}: utterance {twice} is there twice")
        for id in self._ids:
            if complaint := unfit_id(id):
                raise ArtifactError(f"{self.name}: {complaint}")

    def _check_length(self, spec: Field[Any]) -> None:
        length = self._container.columns[spec.name].shape[0]
        axes = spec.metadata["axes"]
        if not axes or axes[0] not in RAGGED:
            if length != len(self._ids):
                raise ArtifactError(
                    f"{self.name}: {spec.name} has {length} rows for {len(self._ids)} utterances"
                )
            return
        name = f"offsets/{axes[0]}"
        found = self._container.columns.get(name)
        if found is None or found.dtype != np.int64 or found.shape != (len(self._ids) + 1,):
            raise ArtifactError(f"{self.name}: {name} is not an int64 vector of N + 1 offsets")
        offsets = self.offsets(axes[0])
        if offsets[0] != 0 or offsets[-1] != length or (np.diff(offsets) < 0).any():
            raise ArtifactError(f"{self.name}: {name} does not fit {spec.name}: it is damaged")


class Writer(Generic[R]):
    """An artifact being written; it takes its name only once it is whole.

    Records are appended in any order to `NAME.part/`, where a later run finds them again;
    `seal` assembles the artifact in the order it is given.
    """

    def __init__(
        self,
        path: Path,
        kind: type[R],
        *,
        provenance: Mapping[str, Any],
        attributes: Mapping[str, Value] | None = None,
        tables: Mapping[str, Sequence[str]] | None = None,
        restart: bool = False,
    ) -> None:
        self.path, self.kind = Path(path), kind
        self._attributes, self._provenance = dict(attributes or {}), provenance
        self._tables = {name: list(values) for name, values in (tables or {}).items()}
        if missing := set(kind.attributes) - set(self._attributes):
            raise ArtifactError(f"{path}: {kind.kind()} needs {', '.join(sorted(missing))}")
        header = {"kind": kind.kind(), "version": hdf5.VERSION, "provenance": provenance}
        self._part = part.Part(self.path, header, [s.name for s in fields(kind)], restart=restart)

    @property
    def finished(self) -> Collection[str]:
        """The utterances that are already there."""
        return self._part.rows.keys()

    def append(self, record: R) -> None:
        """Add an utterance; it survives whatever happens to this process afterwards."""
        if record.id in self._part.rows:
            raise ArtifactError(f"{self.path}: utterance {record.id} is there twice")
        axes: dict[str, int] = {}
        blobs = {}
        for spec in fields(self.kind):
            value = getattr(record, spec.name)
            if value is None:
                continue
            blobs[spec.name] = _encoded(spec, value)
            if isinstance(value, np.ndarray):
                axes |= dict(zip(_names(spec), value.shape, strict=True))
        self._check_alike(record.id, blobs.keys(), axes)
        self._part.append(record.id, axes, blobs)

    def seal(self, ids: Sequence[str], skipped: Mapping[str, str] | None = None) -> None:
        """Assemble the artifact from the utterances in `ids`, and give it its name."""
        rows = [self._part.rows[id] for id in ids]
        sources = list(self._sources(ids, rows, dict(skipped or {})))
        needed = sum(source.nbytes for source in sources) + (1 << 16)
        free = shutil.disk_usage(self._part.folder).free
        if free < needed:
            raise ArtifactError(
                f"{self.path}: needs {needed:,} bytes to be put together, {free:,} are free; what "
                "was finished is kept: make room and run the same command again"
            )
        unnamed = self._part.folder / "sealed.h5"
        try:
            kind, attributes = self.kind.kind(), self._attributes
            hdf5.seal(unnamed, kind, attributes, self._provenance, sources)
            unnamed.replace(self.path)
        except OSError as error:
            raise part.no_room(self.path, error) from error
        self._part.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._part.rows:
            self._part.close()
        else:
            self._part.remove()

    def _check_alike(self, id: str, columns: Iterable[str], axes: Mapping[str, int]) -> None:
        """Refuse a record that has other columns or fixed lengths than the first one."""
        if not self._part.rows:
            return
        if unlike := set(columns) ^ self._part.ends.keys():
            raise ArtifactError(f"{self.path}: {id}: differs in its columns: {sorted(unlike)}")
        for axis, length in axes.items():
            known = self._part.axes[axis][0]
            if axis not in RAGGED and length != known:
                raise ArtifactError(f"{self.path}: {id}: has {length} {axis}s, the others {known}")

    def _sources(
        self, ids: Sequence[str], rows: Sequence[int], skipped: Mapping[str, str]
    ) -> Iterator[hdf5.Source]:
        """Yield what the file will hold, column after column."""
        present = self._part.ends.keys() or _required(self.kind)
        specs = [spec for spec in fields(self.kind) if spec.name in present]
        for axis in dict.fromkeys(axis for spec in specs for axis in _names(spec)[:1]):
            if axis in RAGGED:
                offsets = np.concatenate([[0], np.cumsum(self._lengths(axis, rows))])
                yield hdf5.Source.of(f"offsets/{axis}", offsets, "utterance+1")
        for spec in specs:
            if spec.name == "id":
                yield hdf5.Source.of("id", hdf5.encoded(ids), "utterance", spec.metadata["unit"])
            else:
                yield self._column(spec, rows)
        tables = self._tables
        if skipped:
            tables = tables | {"skipped/id": list(skipped), "skipped/reason": [*skipped.values()]}
        for name, values in tables.items():
            axis, what = name.split("/")[0], self.kind.tables.get(name, "")
            yield hdf5.Source.of(name, hdf5.encoded(values), axis, what)

    def _column(self, spec: Field[Any], rows: Sequence[int]) -> hdf5.Source:
        axes, dtype = spec.metadata["axes"], spec.metadata["dtype"]
        ragged = bool(axes) and axes[0] in RAGGED
        lead = int(self._lengths(axes[0], rows).sum()) if ragged else len(rows)
        shape = (lead, *(self._width(axis) for axis in (axes[1:] if ragged else axes)))
        runs = _runs(self._part.place(spec.name, row) for row in rows)
        blobs = (self._part.read(spec.name, start, stop) for start, stop in runs)
        if dtype.kind == "S":
            width = max((_widest(self._part.read(spec.name, *run)) for run in runs), default=1)
            dtype = np.dtype(f"S{width}")
            chunks: Iterable[np.ndarray] = (np.array(_split(blob), dtype) for blob in blobs)
        else:
            chunks = (np.frombuffer(blob, dtype).reshape(-1, *shape[1:]) for blob in blobs)
        told = " ".join(axes) if ragged else " ".join(["utterance", *axes])
        return hdf5.Source(spec.name, shape, dtype, chunks, told, spec.metadata["unit"])

    def _lengths(self, axis: str, rows: Sequence[int]) -> np.ndarray:
        """Return (row,) int64: how long each row is along an axis."""
        return np.array(self._part.axes.get(axis, ()), np.int64)[np.array(rows, int)]

    def _width(self, axis: str) -> int:
        """Return the one length of an axis that is not ragged."""
        return int(axis) if axis.isdigit() else self._part.axes.get(axis, [0])[0]


def _check_column(file: str, spec: Field[Any], column: hdf5.Column) -> None:
    axes, dtype = spec.metadata["axes"], spec.metadata["dtype"]
    ragged = bool(axes) and axes[0] in RAGGED
    rank = len(axes) if ragged else len(axes) + 1
    alike = column.dtype.kind == "S" if dtype.kind == "S" else column.dtype == dtype
    if not alike or len(column.shape) != rank:
        raise ArtifactError(
            f"{file}: {spec.name} is {column.dtype} of rank {len(column.shape)}, "
            f"needs {dtype} of rank {rank}"
        )


def _spec(kind: type[Record], name: str) -> Field[Any]:
    return next(spec for spec in fields(kind) if spec.name == name)


def _required(kind: type[Record]) -> set[str]:
    return {spec.name for spec in fields(kind) if not spec.metadata["optional"]}


def _names(spec: Field[Any]) -> tuple[str, ...]:
    return spec.metadata["axes"]


def _encoded(spec: Field[Any], value: Any) -> part.Blob:
    """Return a field as the bytes of its raw column, a copy of texts alone; texts end in NUL."""
    if spec.metadata["dtype"].kind == "S":
        texts = [value] if isinstance(value, str) else value
        return b"".join(text.encode() + b"\0" for text in texts)
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8).data if value.size else b""


def _split(blob: bytes) -> list[bytes]:
    return blob.split(b"\0")[:-1]


def _widest(blob: bytes) -> int:
    return max(1, max(map(len, _split(blob)), default=1))


def _runs(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join places that follow each other, up to a chunk, so that they are copied as one."""
    runs: list[tuple[int, int]] = []
    for start, stop in places:
        if runs and runs[-1][1] == start and stop - runs[-1][0] <= hdf5.CHUNK:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
