"""Lines of text as they are given, as soon as they come, and where each one stands."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ttskit.errors import TextError


class Given(NamedTuple):
    """A line of input and where it stands."""

    place: str
    text: str


def lines(paths: Sequence[Path]) -> Iterator[Given]:
    """Yield the lines of files, `-` or no file being standard input, as soon as they come."""
    for path in paths or [Path("-")]:
        if str(path) == "-":
            yield from _decoded(sys.stdin.buffer, "standard input")
            continue
        try:
            file = path.open("rb")
        except OSError as error:
            raise TextError(f"{path}: {error.strerror or error}") from None
        with file:
            try:
                yield from _decoded(file, str(path))
            except IsADirectoryError:
                raise TextError(f"{path}: is a directory; give the files in it") from None


def _decoded(file: BinaryIO, name: str) -> Iterator[Given]:
    for number, raw in enumerate(iter(file.readline, b""), start=1):
        content = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise TextError(
                f"{name}:{number}: byte 0x{content[error.start]:02x} is not UTF-8; convert it "
                "first, for example with: iconv -f latin1 -t utf-8"
            ) from None
        yield Given(f"{name}:{number}", text.removesuffix("\n").removesuffix("\r"))
