"""What is to be spoken: the lines of a file, or what a Corpus or Tokens say.

A line is `id<TAB>text`, or text alone, which then goes by its number.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

from ttskit.errors import TextError

if TYPE_CHECKING:
    from ttskit.artifacts import kinds
    from ttskit.artifacts.reader import Reader
    from ttskit.artifacts.record import Record


class Said(NamedTuple):
    """One text."""

    id: str
    speaker: str
    text: str


class Texts(NamedTuple):
    """Texts by id, and where they come from."""

    name: str
    digest: str
    items: Mapping[str, Said]
    skipped: Mapping[str, str]
    tokens: Reader[kinds.Tokens] | None = None  # where they are spelt already
    limit: int | None = None  # how many were asked for

    def first(self, limit: int | None) -> Self:
        """Return only so many of them."""
        return self._replace(items=dict(list(self.items.items())[:limit]), limit=limit)


def read_texts(path: Path, name: str, kind: type[Record] | None = None) -> Texts:
    """Return the texts of a file; an artifact must be of a kind, if one is given."""
    from ttskit.artifacts import hdf5, kinds
    from ttskit.artifacts.reader import Reader

    if path.is_file() and not hdf5.is_hdf5(path):
        raw = path.read_bytes()
        return Texts(name, hashlib.sha256(raw).hexdigest(), text_table(name, raw), {})
    reader: Reader[Any] = Reader(path, kind, name) if kind else kinds.read(path, name)
    rows = zip(reader.ids, reader.table("speaker"), reader.table("text"), strict=True)
    tokens = reader if reader.kind is kinds.Tokens else None
    items = {row[0]: Said(*row) for row in rows}
    return Texts(name, reader.digest, items, reader.skipped, tokens)


def text_table(name: str, raw: bytes) -> dict[str, Said]:
    """Return the texts in a file of lines, by id."""
    found: dict[str, Said] = {}
    rows = raw.decode("utf-8-sig", "surrogateescape").split("\n")
    rows = [row.removesuffix("\r") for row in (rows[:-1] if rows[-1] == "" else rows)]
    tabbed = bool(rows) and "\t" in rows[0]
    for number, row in enumerate(rows, 1):
        if not row.isprintable() and any("\udc80" <= c <= "\udcff" for c in row):
            raise TextError(f"{name}: line {number} is not UTF-8")
        if ("\t" in row) is not tabbed:
            wanted = "id, tab, text like the first" if tabbed else "a text alone like the first"
            raise TextError(f"{name}: line {number} needs {wanted}")
        id, _, text = row.partition("\t") if tabbed else (f"line{number:06}", "", row)
        if id in found:
            raise TextError(f"{name}: line {number}: id {id} is there twice")
        found[id] = Said(id, "", text)
    if not found:
        raise TextError(f"{name}: is empty; needs lines of text or an artifact")
    return found


class Given(NamedTuple):
    """A line of input and where it stands."""

    place: str
    text: str


def stream_lines(paths: Sequence[Path]) -> Iterator[Given]:
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
