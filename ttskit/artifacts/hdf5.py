"""The HDF5 container below every artifact: a header and named columns, safe to read.

    /               attrs  format="ttskit"  kind  version  digest  provenance  + the kind's own
    /mel            contiguous and aligned, so that it can be memory-mapped
    /offsets/frame  columns may lie in groups

Three habits make reading a hostile or broken file harmless.  Files are written in the HDF5 1.10
format, in which all metadata carries checksums.  Strings have a fixed length, so nothing lives
in the (unprotected) global heap.  And a column is only ever read through its checked place in
the file, never by a size that the file merely claims.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ttskit.errors import ArtifactError, at

if TYPE_CHECKING:
    from ttskit.artifacts.sealing import Source

FORMAT = "ttskit"
VERSION = 1
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
CHUNK = 8 << 20  # bytes read or written at a time
HEADER = ("format", "kind", "version", "digest", "provenance")
MOST_COLUMNS = 100_000  # in one file: a bound for hostile ones
MOST_BYTES = 1 << 24  # in one attribute, likewise

Value = str | int | float | bool
Failures = (OSError, RuntimeError, ValueError, TypeError, KeyError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Column:
    """Where a dataset lies in its file; `place` is a byte offset."""

    place: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    notes: Mapping[str, str] = field(default_factory=dict)  # axes, unit, sha256, bounds

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        return nbytes(self.shape, self.dtype)


@dataclass(frozen=True)
class Container:
    """The header of a file and the places of its columns; the file itself is closed again."""

    path: Path
    name: str  # what errors call it: the path, or "standard input"
    kind: str
    version: int
    digest: str
    provenance: Mapping[str, Any]
    attributes: Mapping[str, Value]
    columns: Mapping[str, Column]
    size: int  # bytes

    def map(self, name: str) -> np.ndarray:
        """Return a column as a read-only view of the file."""
        column = self.columns[name]
        if column.nbytes == 0:
            return np.empty(column.shape, column.dtype)
        try:
            mapped = np.memmap(self.path, column.dtype, "r", column.place, column.shape)
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{name}: cannot be read: {error}", file=self.name) from error
        return np.asarray(mapped)

    def strings(self, name: str) -> list[str]:
        """Return a column as a list of strings; an absent one is empty."""
        column = self.columns.get(name)
        if column is None:
            return []
        if column.dtype.kind != "S" or len(column.shape) != 1:
            raise ArtifactError(f"{name} is not a list of strings", file=self.name)
        return decoded(self.name, name, self.map(name))


def digest_of(
    kind: str, version: int, attributes: Mapping[str, Value], hashes: Mapping[str, list[Any]]
) -> str:
    """Return the sha256 of a container's content, without its provenance."""
    content = {"kind": kind, "version": version, "attributes": attributes, "columns": hashes}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def hash_of(column: Column | Source, chunks: Iterable[np.ndarray]) -> list[Any]:
    """Return a column's part of the digest: dtype, shape and the sha256 of its bytes."""
    total = hashlib.sha256()
    for chunk in chunks:
        total.update(np.ascontiguousarray(chunk).view(np.uint8).data if chunk.size else b"")
    return [column.dtype.str, list(column.shape), total.hexdigest()]


def chunks_of(values: np.ndarray) -> Iterator[np.ndarray]:
    """Cut an array along its first axis into pieces of about `CHUNK` bytes."""
    rows = max(1, CHUNK // max(1, values[:1].nbytes))
    for start in range(0, len(values), rows):
        yield values[start : start + rows]


def open_container(path: Path, name: str = "") -> Container:
    """Read and check the header and the layout of a container; `name` is what errors call it."""
    name = name or str(path)
    with at(name):
        if not path.exists():
            raise ArtifactError("no such file")
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArtifactError("is not a file but a folder or device; needs an artifact")
        return _read_container(path, name)


def _read_container(path: Path, name: str) -> Container:
    size = path.stat().st_size
    try:
        with h5py.File(path, "r", locking=False) as file:
            header = _header(file)
            columns = {key: _column(key, item, size) for key, item in _walk(file)}
    except ArtifactError:
        raise
    except Failures as error:
        raise ArtifactError(_why_unreadable(path, size, error)) from error
    attributes = {key: value for key, value in header.items() if key not in HEADER}
    return Container(
        path=path,
        name=name,
        kind=header["kind"],
        version=header["version"],
        digest=header["digest"],
        provenance=_provenance(header["provenance"]),
        attributes=attributes,
        columns=columns,
        size=size,
    )


def encoded(texts: Sequence[str]) -> np.ndarray:
    """Return texts as bytes of one length, as they are stored."""
    encodings = [text.encode() for text in texts]
    return np.array(encodings, dtype=f"S{max(1, max(map(len, encodings), default=1))}")


def decoded(file: str, name: str, values: np.ndarray) -> list[str]:
    """Return stored bytes decoded as texts."""
    try:
        return [value.decode() for value in values.tolist()]
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{name} is not UTF-8: it is damaged", file=file) from error


def is_hdf5(path: Path) -> bool:
    """Return whether a file begins with the signature of HDF5."""
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def appended(container: Container) -> int:
    """Return how many bytes follow the end of the file that its superblock states.

    Superblocks of HDF5 1.8 and later, as all artifacts have, state it at byte 28.
    """
    with container.path.open("rb") as file:
        start = file.read(36)
    known = start[8] >= 2 and start[9] == 8  # version, bytes an address
    return container.size - int.from_bytes(start[28:], "little") if known else 0


def _header(file: h5py.File) -> dict[str, Any]:
    header = _notes(file)
    if header.get("format") != FORMAT:
        raise ArtifactError(f"is HDF5 but not an artifact of {FORMAT}")
    version = header.get("version")
    if not isinstance(version, int) or version < 1:
        raise ArtifactError(f"has format version {version!r}, needs 1 to {VERSION}")
    if version > VERSION:
        raise ArtifactError(
            f"has format version {version}, this ttskit reads up to {VERSION}: upgrade ttskit"
        )
    for key in ("kind", "digest", "provenance"):
        if not isinstance(header.get(key), str):
            raise ArtifactError(f"lacks the attribute {key}")
    return header


def _notes(item: h5py.File | h5py.Dataset) -> dict[str, Value]:
    """Return the attributes of a file or a dataset; refuse arrays and oversized values."""
    notes: dict[str, Value] = {}
    for name in item.attrs:
        attribute = h5py.h5a.open(item.id, name.encode())
        kind = attribute.dtype.kind
        if attribute.shape != () or kind not in "Sifub" or attribute.dtype.itemsize > MOST_BYTES:
            raise ArtifactError(f"attribute {name} is not a plain value")
        value = np.empty((), attribute.dtype)
        attribute.read(value)
        notes[name] = value.item().decode() if kind == "S" else value.item()
    return notes


def _walk(group: h5py.Group, prefix: str = "") -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield every dataset by name; only hard links are followed, to a limited depth."""
    if len(group) > MOST_COLUMNS or prefix.count("/") > 8:
        raise ArtifactError(f"{prefix or '/'} holds more groups than an artifact has")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ArtifactError(f"{prefix}{name} is a link; links are not followed")
        item = group[name]
        if isinstance(item, h5py.Group):
            if item == group or item == group.file:
                raise ArtifactError(f"{prefix}{name} contains itself")
            yield from _walk(item, f"{prefix}{name}/")
        elif isinstance(item, h5py.Dataset):
            yield prefix + name, item
        else:
            raise ArtifactError(f"{prefix}{name} is neither a group nor a dataset")


def _column(name: str, item: h5py.Dataset, size: int) -> Column:
    """Check that a dataset lies whole within its file, in plain contiguous storage."""
    layout = item.id.get_create_plist()
    if layout.get_layout() != h5py.h5d.CONTIGUOUS or layout.get_external_count():
        raise ArtifactError(f"{name} is not stored contiguously within the file")
    dtype, shape, place = item.dtype, item.shape, item.id.get_offset()
    if shape is None or not shape or dtype.kind not in "Sifub":
        raise ArtifactError(f"{name} is {dtype} {shape}, which no artifact has")
    if dtype.kind == "S":
        dtype = np.dtype(f"S{dtype.itemsize}")  # without the note of its encoding
    needed = nbytes(shape, dtype)
    if needed and (place is None or place < 0 or place + needed > size):
        raise ArtifactError(f"{name} claims {needed} bytes that the file does not hold")
    notes = {key: str(value) for key, value in _notes(item).items()}
    return Column(place or 0, tuple(shape), dtype, notes)


def _provenance(text: str) -> dict[str, Any]:
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError("its provenance is not JSON") from error
    if not isinstance(provenance, dict) or not isinstance(provenance.get("options", {}), dict):
        raise ArtifactError("its provenance is not a JSON object")
    return provenance


def _why_unreadable(path: Path, size: int, error: BaseException) -> str:
    """Return in a few words why HDF5 cannot read a file."""
    if size == 0:
        return "is empty; needs an artifact"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    if not is_hdf5(path):
        return "is not an HDF5 file; needs an artifact"
    if "truncated" in str(error):
        return f"is cut short at {size} bytes: make it again"
    return "is damaged: HDF5 cannot read it; make it again"


def nbytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Return the size of an array in bytes, without overflow."""
    total = int(dtype.itemsize)
    for length in shape:
        total *= int(length)
    return total
