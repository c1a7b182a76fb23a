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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np

from ttskit import wording
from ttskit.artifacts import hdf5, joined, origins, values
from ttskit.artifacts.hdf5 import Value
from ttskit.artifacts.ids import unfit_among
from ttskit.artifacts.record import (
    RAGGED,
    Number,
    OpenRecord,
    Record,
    axes_of,
    declared,
    unfit_attribute,
)
from ttskit.errors import ArtifactError, at

R = TypeVar("R", bound="Record")


class Reader(Mapping[str, R], Generic[R]):
    """An artifact open for reading: utterance id -> record, each read when asked for.

    Columns are views of the memory-mapped file.  A reader can be pickled: a worker process
    opens the file itself, and refuses another one of the same name.
    """

    def __init__(self, path: str | Path, kind: type[R], name: str = "") -> None:
        self._open(joined.open_artifact(Path(path), name), kind)

    @classmethod
    def of(cls, container: hdf5.Container, kind: type[R]) -> Self:
        """Return a reader of a container that is open."""
        reader = cls.__new__(cls)
        reader._open(container, kind)
        return reader

    def _open(self, container: hdf5.Container, kind: type[R]) -> None:
        self.path, self.kind, self.name = container.path, kind, container.name
        self._container = container
        if self._container.kind != kind.kind():
            complaint = origins.needed(self._container.kind, [kind.kind()])
            raise ArtifactError(complaint, file=self.name)
        self.parts  # noqa: B018 (each of several is checked)
        self.numbers = _numbers(self._container, kind)
        self._specs = {spec.name: spec for spec in declared(kind)}
        self._specs |= {name: number.spec(name) for name, number in self.numbers.items()}
        self._columns: dict[str, np.ndarray] = {}
        self._plans: dict[str, tuple[np.ndarray | None, np.ndarray | None, bool]] = {}
        with at(self.name):
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
    def digests(self) -> list[str]:
        """The digests of the files that it is: of one, unless it is several as one."""
        return self._container.digests

    @property
    def container(self) -> hdf5.Container:
        return self._container

    @property
    def parts(self) -> Sequence[Reader[R]]:
        """Readers of the files that it is: itself, unless it is several as one."""
        containers = self._container.parts
        return [Reader.of(one, self.kind) for one in containers] if len(containers) > 1 else [self]

    @property
    def ids(self) -> Sequence[str]:
        return self._ids

    @property
    def skipped(self) -> dict[str, str]:
        """Utterances left out of this artifact or of its inputs: id -> reason."""
        entries = zip(self.table("skipped/id"), self.table("skipped/reason"), strict=True)
        return {id: why for id, why in entries if id not in self._rows}

    @property
    def columns(self) -> list[Field[Any]]:
        """The fields present in this artifact, in the order of its kind."""
        return [spec for name, spec in self._specs.items() if name in self._container.columns]

    def column(self, name: str) -> np.ndarray:
        """Return a whole column, a view of the file."""
        if name not in self._columns:
            if name not in self._container.columns:
                raise ArtifactError(f"has no column {name}", file=self.name)
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
        value = column[row] if offsets is None else column[offsets[row] : offsets[row + 1]]
        if not decode:
            return value
        texts = hdf5.decoded(self.name, name, np.atleast_1d(value))
        return texts[0] if offsets is None else texts

    def _plan(self, name: str) -> tuple[np.ndarray | None, np.ndarray | None, bool]:
        """Return a column, the offsets of its utterances and whether it is text."""
        if name not in self._container.columns:
            return None, None, False
        column, axes = self.column(name), axes_of(self._specs[name])
        offsets = self.offsets(axes[0]) if axes and axes[0] in RAGGED else None
        return column, offsets, column.dtype.kind == "S"

    def record(self, row: int) -> R:
        """Return the utterance in a row."""
        fields = {spec.name: self.value(row, spec.name) for spec in declared(self.kind)}
        if self.numbers:
            fields["numbers"] = {name: self.value(row, name) for name in self.numbers}
        return self.kind(**fields)

    def row(self, utterance: str) -> int:
        try:
            return self._rows[utterance]
        except KeyError:
            raise ArtifactError(f"has no utterance {utterance}", file=self.name) from None

    def rows(self, utterances: Sequence[str]) -> np.ndarray:
        """Return (utterance,) int64: the row of each, all of which must be there."""
        known = self._rows
        return np.fromiter((known[id] for id in utterances), np.int64, len(utterances))

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
        origins = [part.origin for part in self._container.parts]
        return _unpickled, (
            type(self),
            self.kind,
            origins,
            wording.absolute(self.path),
            self.name,
        )

    def _check(self) -> None:
        """Check everything that later reads rely on: attributes, columns, tables, ids, offsets."""
        self._check_attributes()
        columns = self._container.columns
        for name, spec in self._specs.items():
            if name in columns:
                _check_column(spec, columns[name])
            elif not spec.metadata["optional"]:
                raise ArtifactError(f"lacks the column {name}")
        self._check_tables()
        self._ids = self.table("id")
        self._rows = {id: row for row, id in enumerate(self._ids)}
        self._check_ids()
        self._check_offsets()
        for spec in self.columns:
            self._check_length(spec)
        for group in self.kind.together:
            present = {name for name in group if name in columns}
            if present and (missing := set(group) - present):
                raise ArtifactError(f"has {min(present)} but lacks {min(missing)}")
        for spec in self.columns if len(self._container.parts) == 1 else ():  # else of each
            if complaint := values.unfit(self, spec):
                raise ArtifactError(complaint)

    def _check_attributes(self) -> None:
        for name in self.kind.attributes:
            if name not in self.attributes:
                raise ArtifactError(f"lacks the attribute {name}")
            if complaint := unfit_attribute(name, self.attributes[name]):
                raise ArtifactError(complaint)

    def _check_tables(self) -> None:
        columns = self._container.columns
        for name in [*self.kind.tables, "skipped/id", "skipped/reason"]:
            if name in columns and (columns[name].dtype.kind != "S" or columns[name].ndim != 1):
                raise ArtifactError(f"{name} is not a list of strings")
        if missing := set(self.kind.tables) - columns.keys():
            raise ArtifactError(f"lacks the table {min(missing)}")
        reasons = [
            columns[name].shape for name in ("skipped/id", "skipped/reason") if name in columns
        ]
        if len(reasons) == 1 or len(set(reasons)) > 1:
            raise ArtifactError("its skipped utterances and their reasons differ")

    def _check_ids(self) -> None:
        if len(self._rows) != len(self._ids):
            seen: set[str] = set()
            twice = next(id for id in self._ids if id in seen or seen.add(id))  # type: ignore[func-returns-value]
            owners = [part.name for part in self._container.parts if twice in part.strings("id")]
            where = f", in {owners[0]} and {owners[1]}" if len(owners) > 1 else ""
            raise ArtifactError(f"utterance {twice} is there twice{where}")
        if complaint := unfit_among(self._ids):
            raise ArtifactError(complaint)

    def _check_offsets(self) -> None:
        for name, column in self._container.columns.items():
            vector = column.dtype == np.int64 and column.shape == (len(self._ids) + 1,)
            if name.startswith("offsets/") and not vector:
                raise ArtifactError(f"{name} is not an int64 vector of N + 1 offsets")

    def _check_length(self, spec: Field[Any]) -> None:
        length = self._container.columns[spec.name].shape[0]
        axes = spec.metadata["axes"]
        if not axes or axes[0] not in RAGGED:
            if length != len(self._ids):
                raise ArtifactError(
                    f"{spec.name} has {length} rows for {len(self._ids)} utterances"
                )
            return
        name = f"offsets/{axes[0]}"
        if name not in self._container.columns:
            raise ArtifactError(f"lacks {name}")
        offsets = self.offsets(axes[0])
        if offsets[0] != 0 or offsets[-1] != length or (np.diff(offsets) < 0).any():
            raise ArtifactError(f"{name} does not fit {spec.name}: it is damaged")


def _unpickled(
    cls: type[Reader[R]],
    kind: type[R],
    origins: Sequence[tuple[Path, str, str, int]],
    path: Path,
    name: str,
) -> Reader[R]:
    joined.allow_files(len(origins))
    parts = [hdf5.reopened(*origin) for origin in origins]
    return cls.of(parts[0] if len(parts) == 1 else joined.join(parts, path, name), kind)


def _check_column(spec: Field[Any], column: hdf5.Column) -> None:
    axes, dtype = spec.metadata["axes"], spec.metadata["dtype"]
    ragged = bool(axes) and axes[0] in RAGGED
    rank = len(axes) if ragged else len(axes) + 1
    alike = column.dtype.kind == "S" if dtype.kind == "S" else column.dtype == dtype
    if not alike or len(column.shape) != rank:
        raise ArtifactError(
            f"{spec.name} is {column.dtype} of rank {len(column.shape)}, "
            f"needs {dtype} of rank {rank}"
        )


def _numbers(container: hdf5.Container, kind: type[Record]) -> dict[str, Number]:
    """Return the columns of numbers that a file of an open kind declares, first written first."""
    if not issubclass(kind, OpenRecord):
        return {}
    known = {*kind.tables, *(spec.name for spec in declared(kind))}
    numbers = {
        name: column
        for name, column in container.columns.items()
        if "/" not in name and name not in known and column.dtype == np.float64 and column.ndim == 1
    }
    try:
        order = sorted(numbers, key=lambda name: numbers[name].place)
        return {name: Number.read(numbers[name].notes) for name in order}
    except ValueError as error:
        raise ArtifactError("has bounds that are not numbers", file=container.name) from error
