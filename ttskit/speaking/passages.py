"""Passages: what a text asks to be spoken, from words of the command line, a file or a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ttskit import progress
from ttskit.errors import TextError
from ttskit.text import ssml as markup
from ttskit.text.lines import InputLine, stream_lines
from ttskit.text.ssml import Passage

MARKUP = re.compile(r"\s*(<\?xml\b[^>]*>\s*)?<speak\b")


def passages(
    words: Sequence[str], file: Path | None, ssml: bool, english: bool, joined: bool
) -> Iterable[Passage]:
    """Return what to speak: lines as they come, paragraphs, or the whole of an SSML document."""
    text = " ".join(words)
    if not text.isprintable() and any("\udc80" <= character <= "\udcff" for character in text):
        raise TextError("the text: is not UTF-8; convert it first")
    lines: Iterable[InputLine] = (
        [InputLine("the text", line) for line in text.split("\n")]
        if words
        else stream_lines([file] if file else [])
    )
    if ssml:
        name = "the text" if words else str(file or "standard input")
        return markup.read("\n".join(line.text for line in lines), name, english)
    lines = paragraphs(lines) if joined else lines
    return (Passage(line.text, place=line.place) for line in plain(lines))


def paragraphs(lines: Iterable[InputLine]) -> Iterator[InputLine]:
    """Yield the lines between empty ones joined, at the place of the first, and the empty ones."""
    for blank, group in groupby(lines, key=lambda line: not line.text.strip()):
        if blank:
            yield from group
        else:
            first, *more = group
            text = " ".join(line.text.strip() for line in (first, *more))
            yield first._replace(text=text)


def plain(lines: Iterable[InputLine]) -> Iterator[InputLine]:
    """Yield lines; refuse SSML, whose markup would be spoken."""
    for line in lines:
        if MARKUP.match(line.text):
            raise TextError("is SSML, whose markup would be spoken: add --ssml", file=line.place)
        yield line


def note_file(words: Sequence[str]) -> None:
    """Note that a text is the name of a file."""
    name = " ".join(words)
    try:
        found = len(words) == 1 and Path(name).suffix and Path(name).is_file()
    except (OSError, ValueError):  # it cannot be the name of a file
        return
    if found:
        progress.note(f"{name} is a file: to speak what is in it, give --file {name}")
