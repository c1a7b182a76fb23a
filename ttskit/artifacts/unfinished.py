"""`NAME.part/`: an unfinished artifact.  Append-only, so that a killed run loses nothing finished.

    lock            held by the run that is writing
    header.json     whose unfinished work this is
    index.jsonl     one row an utterance, written after its bytes:
                    {"id": "a", "axes": {"frame": 7}, "bytes": {"mel": 2240, "text": 6}, "crc32": 5}
    mel.raw         the bytes of one column, in the order of the index

The checksum is that of the rest of the row and of its bytes; older rows have none.  On
opening, rows are kept up to the first one that does not fit its bytes, and every file is cut to
what they account for.  Bytes are written where the index says that they lie, never just at the
end of a file: what a failed write leaves cannot shift those of later rows.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from array import array
from collections.abc import Collection, Iterable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from ttskit import wording
from ttskit.artifacts import atomic, lock
from ttskit.errors import KEPT, ArtifactError, at

Blob = bytes | memoryview
INDEX, HEADER, SEALED = "index.jsonl", "header.json", "sealed.h5"
MOST = 1 << 48  # bytes or positions that a row of the index may declare


class Unfinished:
    """The unfinished work of one artifact, locked while it is open."""

    def __init__(
        self,
        output: Path,
        header: Mapping[str, Any],
        columns: Collection[str],
        *,
        restart: bool = False,
    ) -> None:
        self._columns = set(columns)
        self.folder = folder_of(output)
        _refuse_foreign(self.folder)
        with at(output):
            self._lock = lock.hold(self.folder, "another run is writing it; wait for it")
        self._index, self._index_size = _opened(self.folder / INDEX), 0
        self.rows: dict[str, int] = {}  # utterance -> its row in what follows
        self.axes: dict[str, array[int]] = {}  # axis -> length in each row
        self.ends: dict[str, array[int]] = {}  # column -> where each row ends in its raw file
        self._files: dict[str, FileIO] = {}
        try:
            self._open(output, header, restart)
        except BaseException:
            self.close()
            raise

    def append(self, id: str, axes: Mapping[str, int], blobs: Mapping[str, Blob]) -> None:
        """Add the bytes of one utterance; the row that names it comes last."""
        sizes = {name: len(blob) for name, blob in blobs.items()}
        row = {"id": id, "axes": axes, "bytes": sizes}
        line = _text({**row, "crc32": _checksum(row, blobs.values())}) + b"\n"
        try:
            for name, blob in blobs.items():
                _write(self._file(name), blob, self._size(name))
            _write(self._index, line, self._index_size)
        except OSError as error:
            raise no_room(self.folder, error) from error
        self._index_size += len(line)
        self._note(id, axes, sizes)

    def place(self, column: str, row: int) -> tuple[int, int]:
        """Return where the bytes of a row start and stop in a column's raw file."""
        ends = self.ends[column]
        return (ends[row - 1] if row else 0, ends[row])

    def read(self, column: str, start: int, stop: int) -> bytes:
        """Return some bytes of a column; refuse a file that does not have them all."""
        blob = self._bytes(column, start, stop)
        if len(blob) != stop - start:
            raise ArtifactError(
                f"ends before byte {stop:,}, which its index names: run the same command again, "
                "and what is lost is made again",
                file=self.folder / f"{column}.raw",
            )
        return blob

    def remove(self) -> None:
        """Delete the folder, the lock last; what another program put there stays."""
        with contextlib.suppress(OSError):
            self._empty()
            for name in (INDEX, HEADER, lock.NAME):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()
        self.close()

    def close(self) -> None:
        """Close the files and release the lock; finished work stays."""
        for file in [*self._files.values(), self._index, self._lock]:
            file.close()

    def _open(self, output: Path, header: Mapping[str, Any], restart: bool) -> None:
        text = json.dumps(header, sort_keys=True, ensure_ascii=False)
        path = self.folder / HEADER
        atomic.sweep(self.folder)
        if restart or not path.exists():
            path.unlink(missing_ok=True)
            os.ftruncate(self._index.fileno(), 0)
            self._empty()
            try:
                atomic.write_text(path, text)
            except OSError as error:
                raise no_room(self.folder, error) from error
        elif path.read_bytes() != text.encode():
            raise ArtifactError(
                f"holds unfinished work of other inputs or options; finish that "
                f"run, or add --restart to throw it away and make {output} anew",
                file=self.folder,
            )
        self._recover()

    def _empty(self) -> None:
        """Delete the columns, and what a seal has left."""
        for path in self.folder.iterdir():
            if path.name not in (lock.NAME, INDEX, HEADER) and _is_ours(path.name):
                path.unlink()

    def _recover(self) -> None:
        """Keep the rows whose bytes are complete; cut all files to them."""
        self._index.seek(0)
        for line in self._index.readall().splitlines(keepends=True):
            row = _parse(line)
            if row is None or not self._take_over(row):
                break
            self._index_size += len(line)
        os.ftruncate(self._index.fileno(), self._index_size)
        for path in self.folder.glob("*.raw"):
            os.truncate(path, self._size(path.stem))

    def _take_over(self, row: dict[str, Any]) -> bool:
        """Keep a row if its columns are those of this artifact and its bytes those it was made of.

        Rows without a checksum are held to the sizes of the files.
        """
        sizes, expected = row["bytes"], row.pop("crc32", None)
        if not {"id"} <= sizes.keys() <= self._columns or row["id"] in self.rows:
            return False
        if self.rows and (sizes.keys(), row["axes"].keys()) != (self.ends.keys(), self.axes.keys()):
            return False
        for name, count in sizes.items():
            if os.fstat(self._file(name).fileno()).st_size < self._size(name) + count:
                return False
        blobs = (
            self._bytes(name, self._size(name), self._size(name) + sizes[name]) for name in sizes
        )
        if expected is not None and expected != _checksum(row, blobs):
            return False
        self._note(row["id"], row["axes"], sizes)
        return True

    def _note(self, id: str, axes: Mapping[str, int], sizes: Mapping[str, int]) -> None:
        self.rows[id] = len(self.rows)
        for axis, length in axes.items():
            self.axes.setdefault(axis, array("q")).append(length)
        for name, count in sizes.items():
            size = self._size(name)
            self.ends.setdefault(name, array("q")).append(size + count)

    def _size(self, column: str) -> int:
        """Return how many bytes of a column belong to finished utterances."""
        return self.ends[column][-1] if column in self.ends else 0

    def _file(self, column: str) -> FileIO:
        if column not in self._files:
            self._files[column] = _opened(self.folder / f"{column}.raw")
        return self._files[column]

    def _bytes(self, column: str, start: int, stop: int) -> bytes:
        """Return what a column has of some bytes."""
        file, parts = self._file(column).fileno(), []
        while start < stop and (part := os.pread(file, stop - start, start)):  # it may read less
            parts.append(part)
            start += len(part)
        return b"".join(parts)


def header_at(output: Path) -> Any:
    """Return the header of the unfinished work of `output`, None if there is none."""
    try:
        return json.loads((folder_of(output) / HEADER).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def forget(output: Path, header: Mapping[str, Any]) -> None:
    """Delete what a run left that was killed after it had named its output, if it is that run's."""
    if folder_of(output).is_dir() and header_at(output) in (None, header):
        with contextlib.suppress(ArtifactError):  # another run holds it, or it is not ttskit's
            Unfinished(output, header, (), restart=True).remove()


def folder_of(output: Path) -> Path:
    """Return where the unfinished work of `output` lies."""
    place = wording.workplace(output)
    return place.with_name(place.name + ".part")


def no_room(path: Path, error: OSError) -> ArtifactError:
    """Return the error for a full or broken disk, which says that finished work is kept."""
    return ArtifactError(
        f"cannot be written: {error.strerror or error}; {KEPT}: make room and run the same "
        "command again",
        file=path,
    )


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder that is a link, or has anything but the files of unfinished work."""
    if folder.is_symlink():
        raise ArtifactError(
            "is a link, needs to be a folder for unfinished work: remove the link, or choose "
            "another output",
            file=folder,
        )
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if not (_is_ours(entry.name) and entry.is_file(follow_symlinks=False)):
                raise ArtifactError(
                    f"holds {entry.name}, which is not ttskit's: move it away, or choose "
                    "another output",
                    file=folder,
                )


def _is_ours(name: str) -> bool:
    """Return whether a file of this name belongs to unfinished work."""
    known = name in (lock.NAME, INDEX, HEADER, SEALED) or name.endswith(".raw")
    return known or atomic.is_temporary(name)


def _opened(path: Path) -> FileIO:
    """Open a file for reading and writing at any place, and make it if it is not there."""
    made = os.O_CREAT | os.O_NOFOLLOW
    return FileIO(path, "r+", opener=lambda name, flags: os.open(name, flags | made, 0o666))


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return a row of the index, or None if it is incomplete or no row."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or row.keys() - {"crc32"} != {"id", "axes", "bytes"}:
        return None
    sound = isinstance(row["id"], str) and all(
        isinstance(counts, dict)
        and all(isinstance(count, int) and 0 <= count <= MOST for count in counts.values())
        for counts in (row["axes"], row["bytes"])
    )
    return row if sound else None


def _text(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode(errors="surrogatepass")


def _checksum(row: Mapping[str, Any], blobs: Iterable[Blob]) -> int:
    """Return the checksum of a row of the index and of the bytes that it names."""
    checksum = zlib.crc32(_text(row))
    for blob in blobs:
        checksum = zlib.crc32(blob, checksum)
    return checksum


def _write(file: FileIO, data: Blob, start: int) -> None:
    """Write all data at a place of a file: one call may write only a part of it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file.fileno(), view, start)
        view, start = view[written:], start + written
