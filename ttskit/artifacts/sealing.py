"""Sealing: writing an HDF5 container, column by column, in one go.

Files are written in the HDF5 1.10 format, in which all metadata carries checksums.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import Field, dataclass, field
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ttskit import wording
from ttskit.artifacts import atomic, hdf5, signals
from ttskit.artifacts.record import RAGGED, Number, Record, axes_of
from ttskit.errors import KEPT, ArtifactError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ttskit.artifacts.reader import Reader


@dataclass(frozen=True)
class Source:
    """A column to be written: `chunks` follow each other along the first axis."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: Iterable[np.ndarray]
    axes: str = ""
    unit: str = ""
    bounds: Mapping[str, float] = field(default_factory=dict)  # least and most, where declared

    @classmethod
    def of(cls, name: str, values: np.ndarray, axes: str = "", unit: str = "") -> Source:
        """Return a whole array as a column."""
        return cls(name, values.shape, values.dtype, hdf5.chunks_of(values), axes, unit)

    @classmethod
    def declared(
        cls,
        spec: Field[Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        chunks: Iterable[np.ndarray],
        number: Number | None = None,
    ) -> Source:
        """Return a column that is a field of a record, or a number that a file declares."""
        axes = axes_of(spec)
        ragged = bool(axes) and axes[0] in RAGGED
        names = " ".join(axes if ragged else ["utterance", *axes])
        bounds = number.bounds if number else {}
        return cls(spec.name, shape, dtype, chunks, names, spec.metadata["unit"], bounds)

    @property
    def nbytes(self) -> int:
        return hdf5.nbytes(self.shape, self.dtype)


def layout(
    kind: type[Record],
    specs: Sequence[Field[Any]],
    ids: Sequence[str],
    lengths: Callable[[str], np.ndarray],
    column: Callable[[Field[Any]], Source],
    tables: Mapping[str, Sequence[str]],
    skipped: Mapping[str, str],
) -> Iterator[Source]:
    """Yield the columns of an artifact of utterances in the order in which they are written.

    `lengths` gives (utterance,) int64 of a ragged axis, `column` the column of a field.
    """
    for axis in dict.fromkeys(axis for spec in specs for axis in axes_of(spec)[:1]):
        if axis in RAGGED:
            offsets = np.concatenate([[0], np.cumsum(lengths(axis))])
            yield Source.of(f"offsets/{axis}", offsets, "utterance+1")
    for spec in specs:
        if spec.name == "id":
            yield Source.of("id", hdf5.encoded(ids), "utterance", spec.metadata["unit"])
        else:
            yield column(spec)
    lists = {name: tables[name] for name in sorted(tables)}
    if skipped:
        lists |= {"skipped/id": [*skipped], "skipped/reason": [*skipped.values()]}
    for name, values in lists.items():
        yield Source.of(name, hdf5.encoded(values), name.split("/")[0], kind.tables.get(name, ""))


def check_room(folder: Path, sources: Iterable[Source], path: Path) -> None:
    """Refuse to write an artifact for which a folder has no room."""
    needed = sum(source.nbytes for source in sources) + (1 << 16)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ArtifactError(
            f"needs {needed:,} bytes to be put together, {free:,} are free; {KEPT}: make room "
            "and run the same command again",
            file=path,
        )


def seal(
    path: Path,
    kind: str,
    attributes: Mapping[str, hdf5.Value],
    provenance: Mapping[str, Any],
    sources: Iterable[Source],
    readers: Iterable[Reader[Any]] = (),
) -> None:
    """Write a container to a temporary file, flush it to the disk, and rename it to `path`.

    HDF5 calls Python back to write, where no signal may raise: they wait for the next chunk.
    Refuses `readers`, and inputs that the provenance names, that were changed meanwhile.
    """
    with (
        signals.deferred() as waiting,
        atomic.replacing(path) as unfinished,
        _container(unfinished) as file,
    ):
        hashes = {source.name: _write(file, source, waiting) for source in sources}
        header: dict[str, hdf5.Value] = {
            "format": hdf5.FORMAT,
            "kind": kind,
            "version": hdf5.VERSION,
        }
        digest = hdf5.digest_of(kind, hdf5.VERSION, attributes, hashes)
        text = json.dumps(provenance, sort_keys=True, ensure_ascii=False)
        for name, value in sorted({**header, **attributes}.items()):  # bytes follow from content
            _annotate(file, name, value)
        _annotate(file, "digest", digest)
        _annotate(file, "provenance", text)
        hdf5.refuse_changed(provenance)
        for part in (part for reader in readers for part in reader.container.parts):
            part.refuse_changed()
    _sync_folder(wording.workplace(path).parent)


@contextmanager
def _container(path: Path) -> Iterator[h5py.File]:
    """Create an HDF5 file; a failed write is raised as the OSError of the disk."""
    sink = _Sink(path, "w+")
    try:
        with (
            sink,
            h5py.File(
                sink,
                "w",
                driver="fileobj",
                libver=("v110", "v110"),
                alignment_threshold=1,
                alignment_interval=hdf5.ALIGNMENT,
            ) as file,
        ):
            yield file
    except hdf5.Failures as error:
        if sink.failure:
            raise sink.failure from error
        raise
    if sink.failure:
        raise sink.failure


class _Sink(FileIO):
    """A file that stores the first failed write instead of raising: HDF5 would crash."""

    failure: OSError | None = None

    def write(self, data: Buffer) -> int:
        view = memoryview(data).cast("B")
        try:
            while view and not self.failure:
                view = view[super().write(view) :]
        except OSError as error:
            self.failure = error
        return memoryview(data).nbytes

    def truncate(self, size: int | None = None) -> int:
        end = self.tell() if size is None else size
        try:
            os.ftruncate(self.fileno(), end)  # unlike FileIO's, it goes on after a signal
        except OSError as error:
            self.failure = self.failure or error
        return end


def _write(file: h5py.File, source: Source, waiting: signals.Deferred) -> list[Any]:
    """Write one column and return its part of the digest."""
    stored = h5py.string_dtype("utf-8", source.dtype.itemsize)
    dtype = stored if source.dtype.kind == "S" else source.dtype
    dataset = file.create_dataset(source.name, shape=source.shape, dtype=dtype)

    def written() -> Iterator[np.ndarray]:
        start = 0
        for chunk in source.chunks:
            waiting.deliver()
            dataset[start : start + len(chunk)] = chunk.view(dtype)
            start += len(chunk)
            yield chunk
        if start != source.shape[0]:
            raise AssertionError(f"{source.name}: {start} rows written of {source.shape[0]}")

    hashed = hdf5.hash_of(source, written())
    notes = {"axes": source.axes, "unit": source.unit, "sha256": hashed[2], **source.bounds}
    for name, value in notes.items():
        _annotate(dataset, name, value)
    return hashed


def _annotate(item: h5py.File | h5py.Dataset, name: str, value: hdf5.Value) -> None:
    if isinstance(value, str):
        encoded = value.encode()
        dtype = h5py.string_dtype("utf-8", max(1, len(encoded)))
        item.attrs.create(name, encoded, dtype=dtype)
    else:
        item.attrs[name] = value


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
