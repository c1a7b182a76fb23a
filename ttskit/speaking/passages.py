"""Passages: what a text asks to be spoken, from words of the command line, a file or a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from ttskit import progress
from ttskit.errors import TextError
from ttskit.formats.audio import KINDS
from ttskit.text import ssml as markup
from ttskit.text import subtitles
from ttskit.text.lines import InputLine, stream_lines
from ttskit.text.ssml import Passage

MARKUP = re.compile(r"\s*(<\?xml\b[^>]*>\s*)?<speak\b")


class TextSource(NamedTuple):
    """Where a text comes from, and how it is to be understood."""

    words: Sequence[str] = ()  # of the command line
    file: Path | None = None  # standard input without it and without words
    ssml: bool = False
    phonemes: bool = False
    by_line: bool = False  # each line of the file by itself
    lenient: bool = False  # leave out of SSML what cannot be spoken, with a note

    @property
    def name(self) -> str:
        """What errors call it."""
        return "the text" if self.words else str(self.file or "standard input")

    @property
    def folder(self) -> Path:
        """The folder that files are named from: that of the text, else the current one."""
        return Path() if self.file is None or str(self.file) == "-" else self.file.parent

    @property
    def joined(self) -> bool:
        """Whether lines are joined to paragraphs: those of a file, which may be wrapped."""
        wrapped = self.file is not None and str(self.file) != "-"
        return wrapped and not self.phonemes and not self.by_line

    @property
    def subtitles(self) -> bool:
        """Whether it is a file of subtitles, by its suffix."""
        return self.file is not None and self.file.suffix.lower() in subtitles.SUFFIXES

    def lines(self) -> Iterable[InputLine]:
        """Return its lines as they come."""
        if not self.words:
            return stream_lines([self.file] if self.file else [])
        text = " ".join(self.words)
        if not text.isprintable() and any("\udc80" <= one <= "\udcff" for one in text):
            raise TextError("the text: is not UTF-8; convert it first")
        return [InputLine(self.name, line) for line in text.split("\n")]


def passages(
    source: TextSource, english: bool, around: markup.Surroundings | None = None
) -> Iterable[Passage]:
    """Return what to speak: lines as they come, paragraphs, or the whole of SSML or subtitles."""
    lines = source.lines()
    if source.subtitles:
        return subtitles.read(lines, source.name)
    if source.ssml:
        text = "\n".join(line.text for line in lines)
        return markup.read(text, source.name, english, around, source.lenient)
    lines = paragraphs(lines) if source.joined else lines
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
    """Note that a text is the name of a file, perhaps with the name of audio after it."""
    name = words[0] if words else ""
    alone = len(words) == 1 or (len(words) == 2 and Path(words[1]).suffix.lower() in KINDS)
    try:
        found = alone and Path(name).suffix and Path(name).is_file()
    except (OSError, ValueError):  # it cannot be the name of a file
        return
    if found:
        progress.note(f"{name} is a file: to speak what is in it, give --file {name}")
