"""The files of a dataset: walked in a fixed order, audio by its stem, text as UTF-8."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from ttskit.errors import DatasetError, TextError
from ttskit.text.lines import decode

# fmt: off
AUDIO = frozenset((
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd",
    ".caf", ".w64", ".rf64", ".sph", ".voc", ".m4a", ".aac",
))
# fmt: on
ABOVE = 3  # folders above a table, from which recipes may name files
FOLDERS = ("wavs", "wav", "ogg", "flac", "audio", "clips")  # where audio lies beside its texts


def walk(root: Path, depth: int | None = None) -> Iterator[Path]:
    """Yield the files below a folder, sorted, without hidden ones; links are followed.

    `depth` 1 is the folder's own files, 2 also those of its folders, and so on.
    """
    return _walk(root, depth, ())


def audio(paths: Iterable[Path]) -> list[Path]:
    """Return the files whose suffix is that of audio."""
    return [path for path in paths if path.suffix.lower() in AUDIO]


def by_stem(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the files of each name without suffix."""
    by_stem: dict[str, list[Path]] = {}
    for path in paths:
        by_stem.setdefault(key(path.stem), []).append(path)
    return by_stem


def key(name: str) -> str:
    """Return a name as it is looked up: composed, since some systems store é as e and ´."""
    return unicodedata.normalize("NFC", name)


def without_suffix(name: str) -> str:
    """Return the name of an audio file without its suffix; other names as they are."""
    return os.path.splitext(name)[0] if Path(name).suffix.lower() in AUDIO else name  # noqa: PTH122


def choose(paths: list[Path]) -> Path:
    """Return the one to read of several files of one name: wav, then flac, then by name."""
    order = (".wav", ".flac")
    return min(
        paths,
        key=lambda path: (
            order.index(path.suffix.lower()) if path.suffix.lower() in order else len(order),
            str(path),
        ),
    )


def find_above(root: Path, name: str) -> Path | None:
    """Return a file that is named from a folder or from one of those above it, if it is there."""
    if "\0" in name:
        return None
    places = (root / "/".join([".."] * height) / name for height in range(ABOVE + 1))
    return next((place for place in places if os.path.lexists(place)), None)


def text(path: Path) -> str:
    """Read a file as UTF-8, with or without a byte order mark."""
    try:
        if path.exists() and not path.is_file():
            raise DatasetError("not a file", file=path)
        return decode(path.read_bytes(), str(path))
    except OSError as error:
        raise DatasetError(f"cannot be read: {error.strerror}", file=path) from error
    except TextError as error:
        line = error.file.removeprefix(str(path)).removeprefix(":")
        where = f"line {line}: " if line else ""
        raise DatasetError(f"{where}{error.message}", file=path) from error


def _walk(folder: Path, depth: int | None, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    try:
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(f"cannot be listed: {error.strerror}", file=folder) from error
    if here in above:
        raise DatasetError("a link that leads back to a folder above it; remove it", file=folder)
    for entry in listed:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if not path.is_dir():
            yield path
        elif depth is None or depth > 1:
            yield from _walk(path, depth and depth - 1, (*above, here))
