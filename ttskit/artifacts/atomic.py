"""Atomic writes: a file appears complete or not at all, however the run that writes it ends.

The unfinished file has no name where the system can do without (Linux, most file systems): what a
killed run was writing is gone with it.  Elsewhere, and in the moment before it replaces an older
file, it lies beside its target, without the target's suffix, so that nothing takes it for a
recording or a TextGrid.  Its writer holds a lock on it, and the next run that writes the same
target deletes what no living process holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from ttskit import wording

T = TypeVar("T")
_START, _END = ".ttskit-", ".part"  # of the names of temporary files
_OPENED = Path("/proc/self/fd")  # the open files of this process, by number


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file to write; at the end it is flushed and renamed to `path`.

    If writing fails, the old file at `path` stays and the temporary one is removed.  A link is
    followed; a pipe or a device, which cannot be replaced, is written to directly.  For a remote
    path the temporary file is uploaded.  An OSError names the target.
    """
    try:
        if _stays(path):
            yield path
            return
        place = Path(os.path.realpath(wording.workplace(path)))
        with contextlib.closing(_Draft(place)) as draft:
            yield draft.path
            if wording.url(path):
                _upload(draft.path, path)
            else:
                draft.publish()
    except OSError as error:
        if error.errno and (error.filename is None or _is_draft(str(error.filename))):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


def publish(file: Path, target: Path) -> None:
    """Rename a finished file to its target, or upload it there."""
    if wording.url(target):
        _upload(file, target)
        file.unlink()
    else:
        file.replace(target)


def unnamed() -> BinaryIO:
    """Open a temporary file that has no name: it is gone with the process, however that ends."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("ttskit"), "w+b")
    return tempfile.TemporaryFile()


def sweep(folder: Path) -> None:
    """Remove temporary files of killed runs from a folder, which the caller has locked."""
    for left in folder.glob(f"{_START}*{_END}"):
        left.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Return whether a file of this name is one that `sweep` removes."""
    return name.startswith(_START) and name.endswith(_END)


def _upload(file: Path, target: Path) -> None:
    from ttskit.artifacts import remote

    remote.upload(file, target)


class _Draft:
    """An unfinished file in the folder of its target, locked; without a name if it needs none."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._name: Path | None = None
        nameless = _nameless(target.parent)
        if nameless is None:
            self._name, self._file = _named(target, _create)
        else:
            self._file = nameless
            _lock(nameless)

    @property
    def path(self) -> Path:
        return self._name or _OPENED / str(self._file)

    def publish(self) -> None:
        """Flush the file, and give it the name of its target."""
        os.fsync(self._file)
        if self._name is None:
            self._name, _ = _named(self._target, self._link)
        self._name.replace(self._target)
        self._name = None

    def close(self) -> None:
        """Close the file, and delete it if it is not published."""
        if self._name is not None:
            self._name.unlink(missing_ok=True)
        os.close(self._file)

    def _link(self, name: Path) -> None:
        folder = os.open(
            name.parent, os.O_RDONLY
        )  # needed for the file, not its path, to be linked
        try:
            os.link(self.path, name.name, dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)


def _stays(path: Path) -> bool:
    """Return whether a path is a pipe or a device; raise for a link that leads to itself."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _nameless(folder: Path) -> int | None:
    """Open a new file that has no name; None where there are none, or no file can be made."""
    if not (hasattr(os, "O_TMPFILE") and _OPENED.is_dir()):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError:
        return None


def _named(target: Path, make: Callable[[Path], T]) -> tuple[Path, T]:
    """Make a file beside its target, and return its name: one that a killed run may have left.

    Where a living run has that name, the file gets one that no other run has.
    """
    usual = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    for stem in (usual, usual):
        name = target.with_name(f"{_START}{stem}{_END}")
        try:
            return name, make(name)
        except FileExistsError:
            _delete_unheld(name)
    name = target.with_name(f"{_START}{os.urandom(8).hex()}{_END}")
    return name, make(name)


def _create(name: Path) -> int:
    """Create a file and lock it."""
    file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    _lock(file)
    if not os.fstat(file).st_nlink:  # another run took it for what a killed one has left
        os.close(file)
        raise FileExistsError(name)
    return file


def _lock(file: int) -> None:
    with contextlib.suppress(OSError):  # without locks, what a killed run leaves stays
        fcntl.flock(file, fcntl.LOCK_EX)


def _delete_unheld(name: Path) -> None:
    """Delete a file unless a living process holds it; its name stays the file's while we do."""
    with contextlib.suppress(OSError):
        file = os.open(name, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file), name.lstat()):
                name.unlink()
        finally:
            os.close(file)


def _is_draft(name: str) -> bool:
    return is_temporary(Path(name).name) or Path(name).parent == _OPENED
