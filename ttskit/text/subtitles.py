"""Subtitles, SubRip (.srt) and WebVTT (.vtt), as passages that begin at their times.

Of a cue its number or name, its start and its text are read; markup and where it is shown are not.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ttskit.errors import TextError
from ttskit.text.lines import InputLine
from ttskit.text.ssml import Cue, Passage

SUFFIXES = (".srt", ".vtt")
ARROW = "-->"
_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*{ARROW}\s*{_CLOCK}(?:\s.*)?")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_NO_CUE = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:\s|$)")  # what else WebVTT has


def read(lines: Iterable[InputLine], name: str) -> list[Passage]:
    """Return the cues of a file; `name` is what errors call it.

    >>> lines = ["7", "00:01:02,500 --> 00:01:04,000", "<i>Hello</i>", "there."]
    >>> (passage,) = read([InputLine(f"a.srt:{n}", line) for n, line in enumerate(lines, 1)], "a")
    >>> passage.text, passage.cue
    ('Hello there.', Cue(id='7', start=62.5, place='a.srt:1'))
    """
    passages: list[Passage] = []
    for block in _blocks(lines):
        if _NO_CUE.match(block[0].text) and not any(ARROW in line.text for line in block[:2]):
            continue
        passage = _passage(block, len(passages) + 1)
        before = passages[-1].cue if passages else None
        if before and passage.cue and passage.cue.start < before.start:
            raise TextError("begins before the cue before it: sort them", file=passage.place)
        passages.append(passage)
    if not passages:
        raise TextError("has no cue, such as 00:00:01,000 --> 00:00:02,500 and a text", file=name)
    return passages


def _blocks(lines: Iterable[InputLine]) -> Iterator[list[InputLine]]:
    for blank, block in groupby(lines, key=lambda line: not line.text.strip()):
        if not blank:
            yield list(block)


def _passage(block: Sequence[InputLine], number: int) -> Passage:
    """Return a cue: perhaps its name, its times, its text."""
    named = ARROW not in block[0].text
    times = block[1] if named and len(block) > 1 else block[0]
    match = _TIMES.fullmatch(times.text)
    if not match:
        raise TextError(
            f"{times.text.strip()!r:.60} is no time of a cue: needs the like of "
            "00:00:01,000 --> 00:00:02,500",
            file=times.place,
        )
    start, stop = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
    if stop < start:
        raise TextError("the cue ends before it begins", file=times.place)
    id = block[0].text.strip() if named else str(number)
    text = " ".join(line.text.strip() for line in block[1 + named :])
    text = html.unescape(_MARKUP.sub("", text))
    return Passage(text, place=block[0].place, cue=Cue(id, start, block[0].place))


def _seconds(fields: Sequence[str | None]) -> float:
    hours, minutes, seconds, part = fields
    whole = 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0)
    return whole + float(f"0.{part}")
