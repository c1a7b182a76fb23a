"""Folders that one process at a time may hold."""

from __future__ import annotations

import contextlib
import fcntl
import os
from io import FileIO
from pathlib import Path

from ttskit.errors import ArtifactError

NAME = "lock"


def hold(folder: Path, busy: str) -> FileIO:
    """Lock a folder, making it first; it is held until the file that is returned is closed.

    `busy` is the error where another process holds it.  The holder may delete the folder before
    it closes the file: who locked the deleted one tries again.
    """
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                lock = FileIO(folder / NAME, "w")
            except FileNotFoundError:
                continue
        except OSError as error:
            raise ArtifactError(f"cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise ArtifactError(busy) from error
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock.fileno()), (folder / NAME).stat()):
                return lock
        lock.close()


def is_held(folder: Path) -> bool:
    """Whether a process holds a folder."""
    try:
        with (folder / NAME).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
