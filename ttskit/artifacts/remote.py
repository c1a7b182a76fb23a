"""Remote files by fsspec: read in parts through a bounded cache, written by uploading a whole file.

Object stores (S3, Google, Azure) are read by obstore, other schemes by the library that fsspec
knows for them; `https://` is only read.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ttskit import wording
from ttskit.artifacts.lazy import Lazy
from ttskit.errors import KEPT, ArtifactError

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
BLOCK = 1 << 18  # bytes of a part that the cache holds
AHEAD = 32  # blocks that are read at once where those before have been read
HELD = 256  # blocks in the cache of a process
EVERY = 1.0  # seconds between questions whether a file has changed
STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs")
DENIED = re.compile(r"(?<![:\d])40[13]\b")  # a status, not part of a port
METADATA = "169.254.169.254"  # where a cloud's own machines ask for credentials
READ_ONLY = ("http", "https")


class Remote:
    """A remote file whose bytes can be had as arrays, as those of a `Mapped` one.

    Blocks that were read last are kept.  Where `n` blocks that lie before a missing one are
    there, `n` are read ahead: so one after the other is read by few requests, and at random by
    short ones.
    """

    def __init__(self, url: str) -> None:
        self.name = url
        with _reaching(url):
            self._system, self._key = _connected(url)
        self._asked, self.stamp = time.monotonic(), self._state()
        self._now = self.stamp

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""
        return self.stamp[0]

    def array(self, place: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
        """Return bytes from `place` on as a read-only array."""
        import numpy as np  # not loaded by a help page

        blob = self.read(place, place + prod(shape) * dtype.itemsize)
        return np.frombuffer(blob, dtype).reshape(shape)

    def rows(self, place: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Rows:
        """Return bytes from `place` on as an array whose rows are read when they are asked for."""
        return Rows(self, place, shape, dtype)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` to before `stop`."""
        stop = min(stop, self.size)
        if start >= stop:
            return b""
        with _LOCK:
            if stop - start > AHEAD * BLOCK:
                return self._fetched(start, stop)
            first, last = start // BLOCK, (stop - 1) // BLOCK
            blocks = b"".join(self._block(number, last) for number in range(first, last + 1))
        return blocks[start - first * BLOCK : stop - first * BLOCK]

    def parsed(self, parse: Callable[[io.BufferedReader], T]) -> T:
        """Return what `parse` makes of it as an open file.

        It is run again until all that it reads is here, instead of waiting for it: HDF5 holds a
        lock while it calls Python back, which other threads need that are to bring what it reads.
        """
        blocks: dict[int, bytes] = {}
        while True:
            stream = _Stream(self, blocks)
            try:
                result = parse(io.BufferedReader(stream))
                if stream.missing is None:
                    return result
            except Exception:
                if stream.missing is None:
                    raise
            start = stream.missing * BLOCK
            blocks[stream.missing] = self.read(start, start + BLOCK)

    def cached(self, number: int) -> bytes | None:
        """Return a block if it is here, or lies behind the end."""
        if number * BLOCK >= self.size:
            return b""
        return _BLOCKS.get((self.name, self.stamp[1], number))

    def current(self) -> tuple[int, str]:
        """Return its size and a mark of its content as they were within the last second.

        What was read of it is dropped if it has changed.
        """
        if time.monotonic() - self._asked > EVERY:
            self._asked, self._now = time.monotonic(), self._state()
        if self._now != self.stamp:
            with _LOCK:
                for key in [key for key in _BLOCKS if key[0] == self.name]:
                    del _BLOCKS[key]
        return self._now

    def _state(self) -> tuple[int, str]:
        """Return its size and a mark of its content."""
        with _reaching(self.name):
            self._system.invalidate_cache()
            facts = self._system.info(self._key)
        if facts["type"] != "file":
            raise ArtifactError("is a folder; needs an artifact")
        if facts.get("size") is None:
            raise ArtifactError("its server does not say its size: copy it here first")
        marks = ("e_tag", "ETag", "mtime", "last_modified", "Last-Modified", "created")
        return facts["size"], next((str(facts[name]) for name in marks if facts.get(name)), "")

    def unwritten(self, _most: int) -> int:
        """Return how many of its bytes were never written: none."""
        return 0

    def _block(self, number: int, last: int) -> bytes:
        """Return a block; if it is not there, read it and others up to `last` or ahead."""
        key = (self.name, self.stamp[1], number)
        if key in _BLOCKS:
            _BLOCKS.move_to_end(key)
            return _BLOCKS[key]
        before = 0
        while before < AHEAD and (*key[:2], number - before - 1) in _BLOCKS:
            before += 1
        count = max(before, last - number + 1)
        blob = self._fetched(number * BLOCK, min((number + count) * BLOCK, self.size))
        for at in range(0, len(blob), BLOCK):
            _BLOCKS[*key[:2], number + at // BLOCK] = blob[at : at + BLOCK]
        while len(_BLOCKS) > HELD:
            _BLOCKS.popitem(last=False)
        return blob[:BLOCK]

    def _fetched(self, start: int, stop: int) -> bytes:
        with _reaching(self.name):
            blob = self._part(start, stop)
        if len(blob) != stop - start:
            raise ArtifactError("was cut short while it was read: run the command again")
        return blob

    def _part(self, start: int, stop: int) -> bytes:
        """Ask for a part of it; refuse a web server that sends the whole instead."""
        if _scheme(self.name) not in READ_ONLY:
            return self._system.cat_file(self._key, start, stop)
        with self._system.open(self._key, cache_type="none", size=self.size) as file:
            file.seek(start)
            return file.read(stop - start)


_LOCK = threading.RLock()
_BLOCKS: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()  # last used ones at the end


class Rows(Lazy):
    """An array in a remote file, of which rows are read when they are asked for."""

    def __init__(
        self, file: Remote, place: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.file, self.place, self.shape, self.dtype = file, place, shape, dtype

    def between(self, start: int, stop: int) -> np.ndarray:
        """Return some rows that follow each other."""
        width = prod(self.shape[1:])
        place = self.place + start * width * self.dtype.itemsize
        return self.file.array(place, (max(0, stop - start), *self.shape[1:]), self.dtype)


class _Stream(io.RawIOBase):
    """A remote file as an open one, of which only what is here can be read; it notes what lacks."""

    def __init__(self, file: Remote, blocks: dict[int, bytes]) -> None:
        super().__init__()
        self._file, self._blocks, self._place = file, blocks, 0
        self.missing: int | None = None  # block

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._file.size}
        self._place = start[whence] + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        number, start = divmod(self._place, BLOCK)
        if number not in self._blocks:
            if (block := self._file.cached(number)) is None:
                self.missing = number
                return 0
            self._blocks[number] = block
        view = memoryview(buffer).cast("B")
        blob = self._blocks[number][start : start + len(view)]
        view[: len(blob)] = blob
        self._place += len(blob)
        return len(blob)


def check_writable(path: Path) -> None:
    """Refuse a remote path that nothing can be uploaded to, as far as can be seen now."""
    url = wording.url(path)
    if _scheme(url) in READ_ONLY:
        raise ArtifactError("is read, but cannot be written: write a file, and upload it", file=url)
    is_there(url)


def is_there(url: str) -> bool:
    """Return whether there is a file or folder at an address."""
    with _reaching(url):
        system, key = _connected(url)
        try:
            system.info(key)
        except FileNotFoundError:
            return False
        return True


def upload(file: Path, target: Path) -> None:
    """Copy a finished file to a remote path, where it appears complete or not at all."""
    url = wording.url(target)
    with _reaching(url, f"; {KEPT}: run the same command again"):
        system, key = _connected(url)
        system.put_file(str(file), key)


def _connected(url: str) -> tuple[Any, str]:
    """Return the file system of an address, and what it calls the file."""
    import fsspec

    scheme = _scheme(url)
    try:
        if scheme in STORES and scheme not in fsspec.registry:
            from obstore.fsspec import register

            register(scheme)
        return fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise ArtifactError(
            f"{error}: what s3, gs, az and https need comes with pip install 'ttskit[remote]'",
            file=url,
        ) from error


def _scheme(url: str) -> str:
    return url.partition(":")[0]


@contextmanager
def _reaching(url: str, remedy: str = "") -> Iterator[None]:
    """Say in one line why a remote file cannot be had: each library has errors of its own."""
    try:
        yield
    except ArtifactError:
        raise
    except Exception as error:
        raise ArtifactError(f"{_why(error)}{remedy}", file=url) from error


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, OSError):
        error = error.__cause__  # fsspec finds nothing where there is no network
    reason = next(iter(str(error).splitlines()), "").partition(": <")[0] or type(error).__name__
    if isinstance(error, FileNotFoundError) or "404 Not Found" in reason:
        return "no such file"
    if METADATA in reason or "credentials" in reason.lower():
        return "no credentials: for s3 set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if isinstance(error, PermissionError) or DENIED.search(reason):
        return f"access is denied: look at the credentials ({reason})"
    return f"cannot be reached: {reason}"
