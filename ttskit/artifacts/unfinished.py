"""`NAME.part/`: an unfinished artifact.  Append-only, so that a killed run loses nothing finished.

    lock            held by the run that is writing
    header.json     whose unfinished work this is
    index.jsonl     one row an utterance, written after its bytes:
                    {"id": "a", "axes": {"frame": 7}, "bytes": {"mel": 2240, "text": 6}}
    mel.raw         the bytes of one column, in the order of the index

On opening, bytes that the index does not account for are cut off.
"""

from __future__ import annotations

import json
import os
import shutil
from array import array
from collections.abc import Collection, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from ttskit.artifacts import atomic, lock
from ttskit.errors import ArtifactError, at

Blob = bytes | memoryview


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
        with at(output):
            self._lock = lock.hold(self.folder, "another run is writing it; wait for it")
        self._index = FileIO(self.folder / "index.jsonl", "a+")
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
        row = json.dumps({"id": id, "axes": axes, "bytes": sizes}, ensure_ascii=False) + "\n"
        try:
            for name, blob in blobs.items():
                _write_all(self._file(name), blob)
            _write_all(self._index, row.encode())
        except OSError as error:
            raise no_room(self.folder, error) from error
        self._note(id, axes, sizes)

    def place(self, column: str, row: int) -> tuple[int, int]:
        """Return where the bytes of a row start and stop in a column's raw file."""
        ends = self.ends[column]
        return (ends[row - 1] if row else 0, ends[row])

    def read(self, column: str, start: int, stop: int) -> bytes:
        """Return some bytes of a column."""
        return os.pread(self._file(column).fileno(), stop - start, start)

    def remove(self) -> None:
        """Delete the folder, the lock last."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Close the files and release the lock; finished work stays."""
        for file in [*self._files.values(), self._index, self._lock]:
            file.close()

    def _open(self, output: Path, header: Mapping[str, Any], restart: bool) -> None:
        text = json.dumps(header, sort_keys=True, ensure_ascii=False)
        path = self.folder / "header.json"
        atomic.sweep(self.folder)
        if restart or not path.exists():
            for stale in self.folder.iterdir():
                if stale.name == "index.jsonl":
                    self._index.truncate(0)
                elif stale.name != lock.NAME:
                    stale.unlink()
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

    def _recover(self) -> None:
        """Keep the rows whose bytes are complete; cut off the rest."""
        self._index.seek(0)
        size = 0
        for line in self._index.readall().splitlines(keepends=True):
            row = _parse(line)
            if row is None or not self._take_over(row):
                break
            size += len(line)
        self._index.truncate(size)
        for name, file in self._files.items():
            file.truncate(self._size(name))

    def _take_over(self, row: dict[str, Any]) -> bool:
        """Keep a row if its bytes are complete and its columns are those of this artifact."""
        if not {"id"} <= row["bytes"].keys() <= self._columns or row["id"] in self.rows:
            return False
        if self.rows and row["bytes"].keys() != self.ends.keys():
            return False
        for name, count in row["bytes"].items():
            size = os.fstat(self._file(name).fileno()).st_size
            if size < self._size(name) + count:
                return False
        self._note(row["id"], row["axes"], row["bytes"])
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
            self._files[column] = FileIO(self.folder / f"{column}.raw", "a+")
        return self._files[column]


def folder_of(output: Path) -> Path:
    """Return where the unfinished work of `output` lies."""
    return output.with_name(output.name + ".part")


def no_room(path: Path, error: OSError) -> ArtifactError:
    """Return the error for a full or broken disk, which says that finished work is kept."""
    return ArtifactError(
        f"{path}: cannot be written: {error.strerror or error}; what was finished is kept: "
        "make room and run the same command again"
    )


def _parse(line: bytes) -> dict[str, Any] | None:
    """Return a row of the index, or None if it is incomplete."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        return None
    counts = [row.get("axes"), row.get("bytes")]
    sound = all(
        isinstance(one, dict) and all(isinstance(n, int) and n >= 0 for n in one.values())
        for one in counts
    )
    return row if sound else None


def _write_all(file: FileIO, data: Blob) -> None:
    """Write all data to an unbuffered file: one call may write only a part of it."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
