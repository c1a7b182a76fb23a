"""Transcriptions with times, read into words, and into segments where there are any.

JSON in the shapes in which recognisers write it, and what `formats.segments` reads.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ttskit.datasets import folder
from ttskit.datasets.clips import printable
from ttskit.errors import DatasetError, TtskitError
from ttskit.formats import segments

SHAPES = (
    '{"characters": [...], "character_start_times_seconds": [...], '
    '"character_end_times_seconds": [...]} or {"words": [{"word", "start", "end"}]} or '
    '{"segments": [{"text", "start", "end"}]}'
)
JITTER = 0.001  # seconds by which a rounded time may go back


@dataclass(frozen=True)
class Word:
    """A word, or a segment whose words have no times, with what stands around it."""

    text: str  # with its punctuation, without white space around it
    start: float  # seconds
    end: float
    joined: bool = False  # it has no times of its own; these are its neighbours'
    speaker: str = ""


@dataclass(frozen=True)
class Transcription:
    """Words, and the first word of each segment and the one after its last, if there are segments.

    A segment whose words have no times is one word.
    """

    words: list[Word]
    segments: list[tuple[int, int]]


def read(path: Path, duration: float) -> Transcription:
    """Read a transcription; its times must lie within `duration` seconds."""
    whole = _from_json(path, duration) if path.suffix.lower() == ".json" else _from_segments(path)
    _check(path, whole.words, duration)
    return whole


def _from_segments(path: Path) -> Transcription:
    """Return the sentences, or the words, of subtitles, labels, TextGrids or annotations."""
    try:
        timed = segments.read(path)
    except TtskitError as error:
        raise DatasetError(printable(error.message), file=path) from error
    words = [Word(one.text, one.start, one.stop, speaker=one.speaker) for one in timed]
    whole = all(one.whole for one in timed)
    return Transcription(words, [(n, n + 1) for n in range(len(words))] if whole else [])


def _from_json(path: Path, duration: float) -> Transcription:
    try:
        content = json.loads(folder.text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"is not JSON: {error}", file=path) from error
    try:
        groups, whole = _words(content)
    except _Misfit as error:
        raise DatasetError(f"{printable(str(error))}", file=path) from None
    timed = _fill([word for group in groups for word in group], duration)
    if not timed:
        raise DatasetError(f"has no words with times; needs {SHAPES}", file=path)
    ends = list(itertools.accumulate(map(len, groups), initial=0))
    return Transcription(timed, list(itertools.pairwise(ends)) if whole else [])


class _Misfit(Exception):
    """An error in a transcription, raised without the name of its file."""


_Timed = tuple[str, float | None, float | None]


def _words(content: Any) -> tuple[list[list[_Timed]], bool]:
    """Return the words in groups, and whether these are segments."""
    if not isinstance(content, dict):
        raise _Misfit(f"is not a JSON object; needs {SHAPES}")
    inner = content.get("alignment")
    for place in (content, inner) if isinstance(inner, dict) else (content,):
        if "characters" in place:
            return [_from_characters(place)], False
        if "words" in place:
            words = _from_list(place["words"], "words")
            return [_punctuate(words, str(place.get("text") or ""))], False
        if "segments" in place:
            return list(_segments(place["segments"])), True
    raise _Misfit(f"has {', '.join(content) or 'nothing'}; needs {SHAPES}")


def _from_characters(place: dict[str, Any]) -> list[_Timed]:
    columns = [
        place.get(name)
        for name in ("characters", "character_start_times_seconds", "character_end_times_seconds")
    ]
    lengths = [len(column) if isinstance(column, list) else -1 for column in columns]
    if min(lengths) < 0 or len(set(lengths)) > 1:
        raise _Misfit(
            "characters, character_start_times_seconds and character_end_times_seconds must be "
            f"lists of one length, have {lengths} (-1 is no list)"
        )
    words: list[_Timed] = []
    text, start, end = "", None, None
    for index, (character, first, last) in enumerate(zip(*map(list, columns), strict=True)):  # type: ignore[arg-type]
        if not isinstance(character, str):
            raise _Misfit(f"character {index + 1} is {character!r}, which is not text")
        if character.isspace():
            words += [(text, start, end)] * bool(text)
            text, start, end = "", None, None
        elif character:
            where = f"character {index + 1} ({character!r})"
            first, last = _seconds(first, where), _seconds(last, where)
            if first is not None and last is not None:
                if last < first or (end is not None and first < end - JITTER):
                    raise _Misfit(f"{where} has times out of order: {first} to {last} s")
                start, end = (first if start is None else start), last
            text += character
    return words + [(text, start, end)] * bool(text)


def _from_list(items: Any, name: str) -> list[_Timed]:
    if not isinstance(items, list):
        raise _Misfit(f"{name} is not a list")
    words = [_timed(item, f"{name}[{index}]") for index, item in enumerate(items)]
    return [word for word in words if word[0]]


def _timed(item: Any, where: str) -> _Timed:
    if not isinstance(item, dict):
        raise _Misfit(f"{where} is not an object with a word, start and end")
    text = next((item[key] for key in ("word", "text") if key in item), None)
    if not isinstance(text, str):
        raise _Misfit(f"{where} has no word; has {', '.join(item)}")
    where = f"{where} ({text.strip()!r})"
    return text.strip(), _seconds(item.get("start"), where), _seconds(item.get("end"), where)


def _segments(items: Any) -> Iterator[list[_Timed]]:
    if not isinstance(items, list):
        raise _Misfit("segments is not a list")
    for index, item in enumerate(items):
        segment = _timed(item, f"segments[{index}]")
        inner = _from_list(item.get("words") or [], f"segments[{index}].words")
        if inner:
            yield _punctuate(inner, segment[0])
        elif segment[0]:
            yield [segment]


def _punctuate(words: list[_Timed], text: str) -> list[_Timed]:
    """Give words the punctuation around them in the text, where the text has just these words."""
    if not words:
        return []
    starts, at = [], 0
    for word, _, _ in words:
        place = text.find(word, at)
        if place < 0 or any(character.isalnum() for character in text[at:place]):
            return words
        starts.append(place)
        at = place + len(word)
    if any(character.isalnum() for character in text[at:]):
        return words
    cuts = [0]
    for start, (word, _, _), following in zip(starts, words, starts[1:], strict=False):
        # what stands between two words belongs to the second from the last white space on
        gap = text[start + len(word) : following]
        space = max((i + 1 for i, character in enumerate(gap) if character.isspace()), default=0)
        cuts.append(start + len(word) + space)
    pieces = [text[a:b].strip() for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]
    return [(piece, start, end) for piece, (_, start, end) in zip(pieces, words, strict=True)]


def _seconds(value: Any, where: str) -> float | None:
    if value is None:
        return None
    try:
        time = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, OverflowError):
        time = math.nan
    if not math.isfinite(time):
        raise _Misfit(f"{where} has the time {value!r}, which is not a number of seconds")
    if time < 0:
        raise _Misfit(f"{where} has the negative time {time} s")
    return time


def _fill(words: list[_Timed], duration: float) -> list[Word]:
    """Give words without times all the time between their neighbours, so that none is cut off."""
    known = [word for word in words if word[1] is not None and word[2] is not None]
    if not known:
        return []
    timed, before = [], 0.0
    for index, (text, start, end) in enumerate(words):
        if start is None or end is None:
            after = (s for _, s, e in words[index:] if s is not None and e is not None)
            timed.append(Word(text, before, max(before, next(after, duration)), joined=True))
        else:
            timed.append(Word(text, start, end))
            before = end
    return timed


def _check(path: Path, timed: list[Word], duration: float) -> None:
    before = replace(timed[0], start=0.0)
    for number, word in enumerate(timed, 1):
        where = f"{path}: word {number} ({printable(word.text[:40])})"
        if word.end < word.start:
            raise DatasetError(f"{where} ends at {word.end} s, before it starts at {word.start} s")
        if word.start < before.start - JITTER:
            raise DatasetError(
                f"{where} starts at {word.start} s, but the word in front of it at {before.start} s"
            )
        if word.start >= duration or word.end > duration + 0.1:
            raise DatasetError(
                f"{where} ends at {word.end} s, but the recording at {duration:.3f} s; "
                f"is this its transcription?"
            )
        before = word
