"""Files that are there whole or not at all, whatever ends the run that writes them.

What is unfinished lies beside its target under a name that no other run has, and without the
target's suffix: what a killed run leaves is taken for a recording or a TextGrid by nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a new file to write; at the end it is flushed to the disk and takes `path`.

    Where writing fails, what was at `path` is still there, and nothing is beside it.  A link is
    followed; a pipe or a device, which nothing can replace, is written to as it is.  An OSError
    names the target.
    """
    stays = path.exists() and not path.is_file()
    target = Path(os.path.realpath(path))
    unfinished = path if stays else target.with_name(f".ttskit-{os.urandom(8).hex()}.part")
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
    """Remove what killed runs left in a folder; the caller has locked it."""
    for left in folder.glob(".ttskit-*.part"):
        left.unlink(missing_ok=True)
