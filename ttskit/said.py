"""What is to be spoken: the lines of a file, or what a Corpus or Tokens say.

A line is `id<TAB>text`, or text alone, which then goes by its number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from ttskit import hdf5, kinds
from ttskit.artifact import Reader
from ttskit.errors import TextError
from ttskit.record import Record


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


def read(path: Path, name: str, kind: type[Record] | None = None) -> Texts:
    """Return the texts of a file; an artifact must be of a kind, if one is given."""
    if path.is_file() and not hdf5.is_hdf5(path):
        raw = path.read_bytes()
        return Texts(name, hashlib.sha256(raw).hexdigest(), lines(name, raw), {})
    reader: Reader[Any] = Reader(path, kind, name) if kind else kinds.read(path, name)
    rows = zip(reader.ids, reader.table("speaker"), reader.table("text"), strict=True)
    tokens = reader if reader.kind is kinds.Tokens else None
    items = {row[0]: Said(*row) for row in rows}
    return Texts(name, reader.digest, items, reader.skipped, tokens)


def lines(name: str, raw: bytes) -> dict[str, Said]:
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
