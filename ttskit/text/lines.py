"""Lines of text in UTF-8, each with the place it is from, read as they come.

A byte order mark is skipped, lines end in LF or CRLF.  Bytes that are not UTF-8 are refused with
file, line and byte; files that are not text are refused with the name of their format.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ttskit import wording
from ttskit.errors import TextError

_BOM = b"\xef\xbb\xbf"
_BEGINNINGS = (
    (re.compile(rb"\x89HDF\r"), "HDF5, as artifacts are"),
    (re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff"), "UTF-32"),
    (re.compile(rb"\xff\xfe|\xfe\xff|(?:[^\0]\0){2}|(?:\0[^\0]){2}"), "UTF-16"),
    (re.compile(rb"\x1f\x8b"), "compressed by gzip"),
    (re.compile(rb"PK\x03\x04"), "a zip archive"),
    (re.compile(rb"\x89PNG\r|\xff\xd8\xff"), "a picture"),
    (re.compile(rb"%PDF-\d"), "a PDF"),
    (re.compile(rb"RIFF.{4}WAVE|fLaC\0|OggS\0", re.DOTALL), "audio"),
)  # beginnings of files that are not text in UTF-8, and their formats
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class InputLine(NamedTuple):
    """A line of text and its place, FILE:NUMBER."""

    place: str
    text: str


def read_lines(path: Path) -> Iterator[InputLine]:
    """Yield the lines of a file as they come; TextError if it cannot be read."""
    if wording.url(path):
        raise TextError("only artifacts are read from an address: copy it here first", file=path)
    try:
        with path.open("rb") as file:
            yield from decode_lines(file, str(path))
    except IsADirectoryError:
        raise TextError("is a directory; give the files in it", file=path) from None
    except OSError as error:
        raise TextError(error.strerror or str(error), file=path) from None


def stream_lines(paths: Sequence[Path]) -> Iterator[InputLine]:
    """Yield the lines of files, `-` or no file being standard input, as soon as they come."""
    for path in paths or [Path("-")]:
        if str(path) == "-":
            yield from decode_lines(sys.stdin.buffer, "standard input")
        else:
            yield from read_lines(path)


def decode_lines(lines: Iterable[bytes], name: str) -> Iterator[InputLine]:
    r"""Yield lines of bytes as text; `name` is what errors call their file.

    >>> list(decode_lines([b"\xef\xbb\xbfone\r\n", b"two"], "x.txt"))
    [InputLine(place='x.txt:1', text='one'), InputLine(place='x.txt:2', text='two')]
    """
    for number, line in enumerate(lines, start=1):
        if number == 1:
            _check_beginning(line, name)
            line = line.removeprefix(_BOM)
        yield _line(_decoded(line, name, number).removesuffix("\n"), name, number)


def split_lines(content: bytes, name: str) -> list[InputLine]:
    """Return the lines of a file that is in memory; errors call it `name`."""
    text = decode(content, name)
    lines = text.removesuffix("\n").split("\n") if text else []
    return [_line(line, name, number) for number, line in enumerate(lines, start=1)]


def decode(content: bytes, name: str) -> str:
    """Return the text of a file that is in memory, its line ends as they are."""
    _check_beginning(content, name)
    return _decoded(content.removeprefix(_BOM), name)


def _line(text: str, name: str, number: int) -> InputLine:
    return InputLine(f"{name}:{number}", text.removesuffix("\r"))


def _check_beginning(content: bytes, name: str) -> None:
    """Refuse a file whose first line shows that it is not text in UTF-8."""
    kind = next((kind for pattern, kind in _BEGINNINGS if pattern.match(content)), "")
    if kind.startswith("UTF"):
        raise TextError(
            f"is {kind}, needs text in UTF-8; convert it first, for example with: "
            f"iconv -f {kind.lower()} -t utf-8",
            file=name,
        )
    if kind:
        raise TextError(f"is {kind}; needs text", file=name)


def _decoded(content: bytes, name: str, number: int = 1) -> str:
    """Return the text of bytes; `number` is that of their first line."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        start = error.start
    number += content.count(b"\n", 0, start)
    line = content[content.rfind(b"\n", 0, start) + 1 :].partition(b"\n")[0]
    place, byte = f"{name}:{number}", f"byte 0x{content[start]:02x}"
    if _CONTROLS.search(line):
        raise TextError(f"{byte} and control characters: is binary; needs text", file=place)
    raise TextError(
        f"{byte} is not UTF-8; convert the file first, for example with: iconv -f latin1 -t utf-8",
        file=place,
    )
