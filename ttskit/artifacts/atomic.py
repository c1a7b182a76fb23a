"""Atomic writes: a file appears complete or not at all, however the run that writes it ends.

The unfinished file lies beside its target under a name that no other run has, and without the
target's suffix, so that nothing takes what a killed run leaves for a recording or a TextGrid.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_START, _END = ".ttskit-", ".part"  # of the names of temporary files


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file to write; at the end it is flushed and renamed to `path`.

    If writing fails, the old file at `path` stays and the temporary one is removed.  A link is
    followed; a pipe or a device, which cannot be replaced, is written to directly.  An OSError
    names the target.
    """
    stays = path.exists() and not path.is_file()
    target = Path(os.path.realpath(path))
    unfinished = path if stays else target.with_name(f"{_START}{os.urandom(8).hex()}{_END}")
    try:
        yield unfinished
        if not stays:
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            unfinished.replace(target)
    except OSError as error:
        if error.errno and error.filename in (None, str(unfinished)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        if not stays:
            unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


def sweep(folder: Path) -> None:
    """Remove temporary files of killed runs from a folder, which the caller has locked."""
    for left in folder.glob(f"{_START}*{_END}"):
        left.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Return whether a file of this name is one that `sweep` removes."""
    return name.startswith(_START) and name.endswith(_END)
