"""Several artifacts of a kind read as one, without a merge.

`Joined` is a container like that of one file.  What grows with the utterances alone (ids, offsets,
numbers) is put end to end in memory; all else stays in the files, as `Stretches`, of which an
utterance is a view.
"""

from __future__ import annotations

import hashlib
import json
import resource
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ttskit import wording
from ttskit.artifacts import hdf5
from ttskit.artifacts.hdf5 import Column, Container
from ttskit.artifacts.lazy import Lazy
from ttskit.errors import ArtifactError

LIST = ".list"  # suffix of a text file that names artifacts, one a line
FILES = 3  # descriptors that an open artifact may take


class Stretches(Lazy):
    """Arrays end to end, as one; what is more than indexing puts them together in memory."""

    def __init__(self, pieces: Sequence[np.ndarray], dtype: np.dtype[Any]) -> None:
        self.pieces, self.dtype = pieces, dtype
        self.ends = np.cumsum([len(piece) for piece in pieces])
        self.shape = (int(self.ends[-1]), *pieces[0].shape[1:])

    def between(self, start: int, stop: int) -> np.ndarray:
        """Return a view where all is in one piece, a copy otherwise."""
        first = min(int(np.searchsorted(self.ends, start, side="right")), len(self.pieces) - 1)
        before = self._start(first)
        if stop <= self.ends[first]:
            return self.pieces[first][start - before : stop - before]
        last = int(np.searchsorted(self.ends, stop, side="left"))
        parts = []
        for piece in range(first, last + 1):
            before = self._start(piece)
            parts.append(self.pieces[piece][max(0, start - before) : stop - before])
        return np.concatenate(parts)

    def _start(self, piece: int) -> int:
        return int(self.ends[piece - 1]) if piece else 0


@dataclass(frozen=True, eq=False)
class Joined(Container):
    """The containers of several files as one."""

    files: tuple[Container, ...] = ()

    @property
    def parts(self) -> Sequence[Container]:
        return self.files

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def digests(self) -> list[str]:
        return [part.digest for part in self.files]

    def map(self, name: str) -> Any:
        """Return a column of all parts, read-only."""
        role = _role(name, self.columns[name])
        if role == "table":
            return self.parts[0].map(name)
        having = [part.map(name) for part in self.parts if name in part.columns]
        if role == "offsets":
            return _shifted(having)
        pieces = [piece for piece in having if len(piece)] or having[:1]
        small = role == "skipped" or (role == "utterance" and pieces[0].dtype.kind != "S")
        return np.concatenate(pieces) if small else Stretches(pieces, self.columns[name].dtype)

    def strings(self, name: str) -> list[str]:
        """Return a column as a list of strings; an absent one is empty."""
        if name in self.columns and _role(name, self.columns[name]) == "table":
            return self.parts[0].strings(name)
        return [text for part in self.parts for text in part.strings(name)]

    def __reduce__(self) -> tuple[Any, ...]:
        return join, (self.parts, self.path, self.name)


def open_artifact(path: Path, name: str = "") -> Container:
    """Open an artifact, or all those that a file with the suffix .list names, as one."""
    if not (path.suffix == LIST and _is_plain(path)):
        return hdf5.open_container(path, name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ArtifactError("is not UTF-8; needs names of artifacts", file=path) from error
    names = [line.strip() for line in lines if line.strip()]
    paths = [Path(name) if wording.url(name) else path.parent / name for name in names]
    if not paths:
        raise ArtifactError("is empty; needs names of artifacts, one a line", file=path)
    allow_files(len(paths))
    return join([hdf5.open_container(one) for one in paths], path, name or str(path))


def is_text(path: Path) -> bool:
    """Return whether a file is lines of text, neither an artifact nor a list of artifacts."""
    return path.suffix != LIST and _is_plain(path)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not hdf5.is_hdf5(path)


def join(parts: Sequence[Container], path: Path | None = None, name: str = "") -> Container:
    """Return containers as one; refuse those that differ in kind, attributes, tables, columns."""
    first = parts[0]
    full = next((part for part in parts if _utterances(part)), first)
    for part in parts:
        check_alike(first, part)
        check_columns(full, part)
    names = dict.fromkeys(name for part in (full, *parts) for name in part.columns)
    return Joined(
        path=path or first.path,
        name=name or f"{first.name} and {len(parts) - 1} more",
        kind=first.kind,
        version=first.version,
        digest=hashlib.sha256(json.dumps([part.digest for part in parts]).encode()).hexdigest(),
        provenance=_common([part.provenance for part in parts]),
        attributes=first.attributes,
        columns={name: _column(name, parts) for name in names},
        files=tuple(parts),
    )


def check_alike(first: Container, other: Container, apart: Collection[str] = ()) -> None:
    """Refuse an artifact of another kind, grid or table, but for the tables named in `apart`."""
    if other.kind != first.kind:
        raise ArtifactError(f"is {other.kind}, {first.name} is {first.kind}", file=other.name)
    for name in dict.fromkeys([*first.attributes, *other.attributes]):
        ours, theirs = first.attributes.get(name), other.attributes.get(name)
        if ours != theirs:
            raise ArtifactError(
                f"has {name} {theirs}, {first.name} has {ours}: make both alike", file=other.name
            )
    for name in _tables(first) - {*apart}:
        if first.strings(name) != other.strings(name):
            raise ArtifactError(f"its {name} differ from those of {first.name}", file=other.name)


def check_columns(first: Container, other: Container) -> None:
    """Refuse an artifact with other columns, unless it has no utterance."""
    if not _utterances(first) or not _utterances(other):
        return
    for name in sorted(first.columns.keys() | other.columns.keys()):
        if not name.startswith("skipped/"):
            ours, theirs = first.columns.get(name), other.columns.get(name)
            if ours is None or theirs is None or ours.shape[1:] != theirs.shape[1:]:
                raise ArtifactError(
                    f"its columns differ from those of {first.name}: {name}", file=other.name
                )


def allow_files(count: int) -> None:
    """Raise the limit of open files of this process, if it is low for so many artifacts."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES * count + least
    if most == resource.RLIM_INFINITY or wanted <= most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _role(name: str, column: Column) -> str:
    """Return what a column is: a table, offsets, or the name of its first axis."""
    axis, group = column.notes.get("axes", "").partition(" ")[0], name.split("/")[0]
    if axis == group and group != "skipped":
        return "table"
    return "offsets" if axis == "utterance+1" else axis


def _tables(container: Container) -> set[str]:
    return {name for name, one in container.columns.items() if _role(name, one) == "table"}


def _utterances(container: Container) -> int:
    ids = container.columns.get("id")
    return ids.shape[0] if ids else 0


def _column(name: str, parts: Sequence[Container]) -> Column:
    """Return what a column of all parts is like."""
    having = [part.columns[name] for part in parts if name in part.columns]
    first = next((one for one in having if one.shape[0]), having[0])
    role = _role(name, first)
    if role == "table":
        return first
    length = sum(one.shape[0] for one in having) - (len(having) - 1) * (role == "offsets")
    widest = max((one.dtype for one in having), key=lambda dtype: dtype.itemsize)
    return replace(first, shape=(length, *first.shape[1:]), dtype=widest)


def _shifted(offsets: Sequence[np.ndarray]) -> np.ndarray:
    """Return offsets of several parts end to end, as those of one."""
    before = np.cumsum([0, *(one[-1] for one in offsets)])
    moved = [one[1:] + start for one, start in zip(offsets, before[:-1], strict=True)]
    return np.concatenate([np.zeros(1, np.int64), *moved])


def _common(provenances: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several provenances have in common."""
    first = provenances[0]
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in provenances)
    }
