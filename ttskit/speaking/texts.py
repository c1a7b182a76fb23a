"""What is to be spoken: the texts of a Corpus, of Tokens or of a file of lines, each by its id.

A line is `id<TAB>text`, or a text alone, whose id is then its number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ttskit.errors import TextError
from ttskit.text.lines import split_lines

if TYPE_CHECKING:
    from ttskit.artifacts import kinds
    from ttskit.artifacts.reader import Reader
    from ttskit.artifacts.record import Record


class UtteranceText(NamedTuple):
    """The text of one utterance."""

    id: str
    speaker: str
    text: str


class Texts(NamedTuple):
    """The texts of an input, by id."""

    name: str  # of the input
    digests: Sequence[str]
    items: Mapping[str, UtteranceText]
    skipped: Mapping[str, str]
    tokens: Reader[kinds.Tokens] | None = None  # the input, where it has the texts as tokens
    limit: int | None = None  # that `first` was called with

    def first(self, limit: int | None) -> Self:
        """Return the first `limit` texts; all where it is None."""
        return self._replace(items=dict(list(self.items.items())[:limit]), limit=limit)


def read_texts(path: Path, name: str, kind: type[Record] | None = None) -> Texts:
    """Read the texts of an artifact or of a file of lines.

    Parameters
    ----------
    path : file
    name : str
        What errors call it.
    kind : kind of artifact, optional
        The one that an artifact must have.
    """
    from ttskit.artifacts import joined, kinds
    from ttskit.artifacts.reader import Reader

    if joined.is_text(path):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        return Texts(name, [digest], text_table(name, content), {})
    return texts_of(Reader(path, kind, name) if kind else kinds.read(path, name))


def texts_of(reader: Reader[Any]) -> Texts:
    """Return the texts of an artifact."""
    from ttskit.artifacts import kinds

    rows = zip(reader.ids, reader.table("speaker"), reader.table("text"), strict=True)
    tokens = reader if reader.kind is kinds.Tokens else None
    items = {row[0]: UtteranceText(*row) for row in rows}
    return Texts(reader.name, reader.digests, items, reader.skipped, tokens)


def text_table(name: str, content: bytes) -> dict[str, UtteranceText]:
    """Return the texts in a file of lines, by id; either all lines have an id or none has."""
    texts: dict[str, UtteranceText] = {}
    lines = split_lines(content, name)
    tabbed = bool(lines) and "\t" in lines[0].text
    for number, (place, line) in enumerate(lines, start=1):
        if ("\t" in line) is not tabbed:
            wanted = "id, tab, text like the first" if tabbed else "a text alone like the first"
            raise TextError(f"needs {wanted}", file=place)
        id, _, text = line.partition("\t") if tabbed else (f"line{number:06}", "", line)
        if id in texts:
            raise TextError(f"id {id} is there twice", file=place)
        texts[id] = UtteranceText(id, "", text)
    if not texts:
        raise TextError("is empty; needs lines of text or an artifact", file=name)
    return texts
