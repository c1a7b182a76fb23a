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
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ttskit import wording
from ttskit.artifacts import remote
from ttskit.artifacts.mapped import Mapped
from ttskit.artifacts.remote import Remote
from ttskit.errors import ArtifactError, Changed, at

if TYPE_CHECKING:
    from ttskit.artifacts.sealing import Source

FORMAT = "ttskit"
VERSION = 1
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
CHUNK = 8 << 20  # bytes read or written at a time
HEADER = ("format", "kind", "version", "digest", "provenance")
MOST_COLUMNS = 20_000  # and groups in one file: a bound for hostile ones, as all that follow
MOST_ATTRIBUTES = 256  # of one object
MOST_BYTES = 1 << 24  # in one attribute
MOST_UNWRITTEN = 64 << 20  # bytes of a file that take no room on the disk
MOST_LISTED = 256 << 20  # bytes that a list of strings may take beyond the size of its file
ENTRY = 80  # bytes that each string of a list takes besides its own

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


@dataclass(frozen=True, eq=False)
class Container:
    """The header of a file, and its columns by their places in it."""

    path: Path
    name: str  # what errors call it: the path, or "standard input"
    kind: str
    version: int
    digest: str
    provenance: Mapping[str, Any]
    attributes: Mapping[str, Value]
    columns: Mapping[str, Column]
    file: Mapped | Remote | None = None  # None only where nothing is in a file

    @property
    def parts(self) -> Sequence[Container]:
        """The containers of the files: of one alone where it is not several as one."""
        return (self,)

    @property
    def digests(self) -> list[str]:
        """The digests of the files."""
        return [self.digest]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.file.size if self.file else 0

    def map(self, name: str) -> np.ndarray:
        """Return a column as a read-only view of the file.

        Of a remote file it is in memory; where it is large, each row is read when asked for.
        """
        column = self.columns[name]
        place = column.place, column.shape, column.dtype
        if self.file is None or column.nbytes == 0:
            return np.empty(column.shape, column.dtype)
        try:
            if isinstance(self.file, Remote) and column.nbytes > CHUNK and "axes" in column.notes:
                return self.file.rows(*place)  # type: ignore[return-value]
            return self.file.array(*place)
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{name}: cannot be read: {error}", file=self.name) from error

    def strings(self, name: str) -> list[str]:
        """Return a column as a list of strings; an absent one is empty."""
        column = self.columns.get(name)
        if column is None:
            return []
        if column.dtype.kind != "S" or len(column.shape) != 1:
            raise ArtifactError(f"{name} is not a list of strings", file=self.name)
        if ENTRY * column.shape[0] > self.size + MOST_LISTED:
            raise ArtifactError(f"{name} has {column.shape[0]:,} entries, too many for its file")
        return decoded(self.name, name, self.map(name))

    def complaints(self) -> Iterator[str]:
        """Yield which columns are not as they were written, and whether the digest is wrong."""
        hashes = {name: self.hash(name) for name in self.columns}
        for name, column in self.columns.items():
            if column.notes.get("sha256") != hashes[name][2]:
                yield f"{name}: its bytes are not the ones that were written"
        if digest_of(self.kind, self.version, self.attributes, hashes) != self.digest:
            yield "digest: the file does not hold what its digest says"

    def check(self) -> None:
        """Refuse a file that is damaged; to be called where it is read whole and is small."""
        for complaint in self.complaints():
            raise ArtifactError(f"{complaint}: it is damaged", file=self.name)

    def hash(self, name: str) -> list[Any]:
        """Return a column's part of the digest, computed from its bytes."""
        return hash_of(self.columns[name], chunks_of(self.map(name)))

    def refuse_changed(self) -> None:
        """Refuse a file that was written to in place since it was opened.

        Where only its time is another (an output that is up to date is touched), its bytes count.
        """
        if self.file is None or (now := self.file.current()) == self.file.stamp:
            return
        if now[0] != self.size or any(
            self.hash(name)[2] != column.notes.get("sha256")
            for name, column in self.columns.items()
        ):
            raise Changed("was changed while it was read: run the command again", file=self.name)
        self.file.stamp = now

    def __post_init__(self) -> None:
        READ.add(self)

    @property
    def origin(self) -> tuple[Path, str, str, int]:
        """What `reopened` takes: path, name, digest and size of the file."""
        return wording.absolute(self.path), self.name, self.digest, self.size

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {name: value for name, value in vars(self).items() if name != "file"}
        return _unpickled, (self.origin, fields)


READ: weakref.WeakSet[Container] = weakref.WeakSet()  # all that this process reads


def refuse_changed(provenance: Mapping[str, Any]) -> None:
    """Refuse inputs that were written to while they were read.

    To be called before results of this provenance are kept.
    """
    inputs = provenance.get("inputs") if isinstance(provenance, dict) else None
    for container in [*READ]:
        if isinstance(inputs, list) and container.digest in inputs:
            container.refuse_changed()


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
    name = name or wording.shown(path)
    with at(name):
        if not wording.url(path) and not path.exists():
            raise ArtifactError("no such file")
        if not wording.url(path) and not stat.S_ISREG(path.stat().st_mode):
            raise ArtifactError("is not a file but a folder or device; needs an artifact")
        return _read_container(path, name)


def _read_container(path: Path, name: str) -> Container:
    try:
        file, header, columns = _opened(path, name)
    except ArtifactError:
        raise
    except Failures as error:
        raise ArtifactError(_why_unreadable(path, size_of(path), error)) from error
    _check_space(file, columns)
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
        file=file,
    )


def _opened(path: Path, name: str) -> tuple[Mapped | Remote, dict[str, Any], dict[str, Column]]:
    """Return a file as bytes, and the header and the columns that HDF5 finds in it."""
    if url := wording.url(path):
        file = Remote(url)
        return file, *file.parsed(lambda stream: _layout(h5py.File(stream, "r"), file.size))
    opened = h5py.File(path, "r", locking=False)
    mapped = Mapped(opened.id.get_vfd_handle(), name)
    return mapped, *_layout(opened, mapped.size)


def _layout(opened: h5py.File, size: int) -> tuple[dict[str, Any], dict[str, Column]]:
    """Return the header and the columns of a file of `size` bytes, and close it."""
    with opened:
        root = h5py.h5g.open(opened.id, b"/")
        return _header(root), {key: _column(key, item, size) for key, item in _walk(root)}


def reopened(path: Path, name: str, digest: str, size: int) -> Container:
    """Open a container that another process has open, and refuse another one of its name."""
    container = open_container(path, name)
    if (container.digest, container.size) != (digest, size):
        raise Changed("was replaced while it was read: run the command again", file=name)
    return container


def _unpickled(origin: tuple[Path, str, str, int], fields: Mapping[str, Any]) -> Container:
    return Container(**fields, file=reopened(*origin).file if origin[3] else None)


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
    return head(path, 8) == b"\x89HDF\r\n\x1a\n"


def is_there(path: Path) -> bool:
    """Return whether there is something at a path."""
    return remote.is_there(url) if (url := wording.url(path)) else path.exists()


def size_of(path: Path) -> int:
    """Return the bytes of a file."""
    return Remote(url).size if (url := wording.url(path)) else path.stat().st_size


def head(path: Path, count: int) -> bytes:
    """Return the first bytes of a file."""
    if url := wording.url(path):
        return Remote(url).read(0, count)
    with path.open("rb") as file:
        return file.read(count)


def appended(container: Container) -> int:
    """Return how many bytes follow the end of the file that its superblock states.

    Superblocks of HDF5 1.8 and later, as all artifacts have, state it at byte 28.
    """
    start = head(container.path, 36)
    known = start[8] >= 2 and start[9] == 8  # version, bytes an address
    return container.size - int.from_bytes(start[28:], "little") if known else 0


def _header(root: h5py.h5g.GroupID) -> dict[str, Any]:
    header = _notes(root)
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


def _notes(item: h5py.h5g.GroupID | h5py.h5d.DatasetID) -> dict[str, Value]:
    """Return the attributes of an object; refuse arrays, oversized values and very many."""
    notes: dict[str, Value] = {}
    count = h5py.h5a.get_num_attrs(item)
    if count > MOST_ATTRIBUTES:
        raise ArtifactError(f"has {count} attributes in one place, needs at most {MOST_ATTRIBUTES}")
    for index in range(count):
        attribute = h5py.h5a.open(item, index=index)
        name, stored = attribute.name.decode(), attribute.get_type()
        dtype = stored.dtype
        if attribute.shape != () or dtype.kind not in "Sifub" or dtype.itemsize > MOST_BYTES:
            raise ArtifactError(f"attribute {name} is not a plain value")
        value = np.empty((), dtype)
        attribute.read(value, stored)
        notes[name] = value.item().decode() if dtype.kind == "S" else value.item()
    return notes


def _walk(
    group: h5py.h5g.GroupID, prefix: str = "", seen: set[int] | None = None
) -> Iterator[tuple[str, h5py.h5d.DatasetID]]:
    """Yield every dataset by name; only hard links are followed, one to each object."""
    seen = {h5py.h5o.get_info(group).addr} if seen is None else seen
    if len(group) + len(seen) > MOST_COLUMNS or prefix.count("/") > 8:
        raise ArtifactError(f"{prefix or '/'} holds more groups or columns than an artifact has")
    links: list[bytes] = []
    group.links.iterate(links.append)
    for link in links:
        name, target = prefix + link.decode(), group.links.get_info(link)
        if target.type != h5py.h5l.TYPE_HARD:
            raise ArtifactError(f"{name} is a link; links are not followed")
        if target.u in seen:
            raise ArtifactError(f"{name} is a second name of what is there already")
        seen.add(target.u)
        item = h5py.h5o.open(group, link)
        if isinstance(item, h5py.h5g.GroupID):
            yield from _walk(item, f"{name}/", seen)
        elif isinstance(item, h5py.h5d.DatasetID):
            yield name, item
        else:
            raise ArtifactError(f"{name} is neither a group nor a dataset")


def _column(name: str, item: h5py.h5d.DatasetID, size: int) -> Column:
    """Check that a dataset lies whole within its file, in plain contiguous storage."""
    layout = item.get_create_plist()
    if layout.get_layout() != h5py.h5d.CONTIGUOUS or layout.get_external_count():
        raise ArtifactError(f"{name} is not stored contiguously within the file")
    dtype, shape, place = item.dtype, item.shape, item.get_offset()
    if not shape or dtype.kind not in "Sifub":
        raise ArtifactError(f"{name} is {dtype} {shape}, which no artifact has")
    if dtype.kind == "S":
        dtype = np.dtype(f"S{dtype.itemsize}")  # without the note of its encoding
    needed = nbytes(shape, dtype)
    if needed and (place is None or place < 0 or place + needed > size):
        raise ArtifactError(f"{name} claims {needed} bytes that the file does not hold")
    notes = {key: str(value) for key, value in _notes(item).items()}
    return Column(place or 0, tuple(shape), dtype, notes)


def _check_space(file: Mapped | Remote, columns: Mapping[str, Column]) -> None:
    """Refuse columns that share bytes, and a file most of which was never written."""
    if sum(column.nbytes for column in columns.values()) > file.size:
        raise ArtifactError("has columns that overlap each other")
    most = max(MOST_UNWRITTEN, file.size // 2)
    if file.unwritten(most) > most:
        raise ArtifactError(
            f"claims {file.size:,} bytes, most of which were never written; if they are to be "
            "zeros, copy it with `cp --sparse=never`"
        )


def _provenance(text: str) -> dict[str, Any]:
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError("its provenance is not JSON") from error
    if not isinstance(provenance, dict):
        raise ArtifactError("its provenance is not a JSON object")
    for key, kind in (("options", dict), ("inputs", list)):
        if not isinstance(provenance.get(key, kind()), kind):
            raise ArtifactError(f"its provenance has {key} that are no {kind.__name__}")
    if not all(isinstance(digest, str) for digest in provenance.get("inputs", [])):
        raise ArtifactError("its provenance has inputs that are no digests")
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
