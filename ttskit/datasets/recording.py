"""Recording: long recordings, each cut by a transcription with times beside it.

`speech.mp3` and `speech.srt`, `speech.vtt`, `speech.TextGrid`, `speech.eaf`, Audacity's labels in
`speech.txt`, or JSON (`speech_transcription.json`, `speech.json`, ...); the path is either, or a
folder of such pairs.  `timing.SHAPES` has the shapes of the JSON.  Segments that are given stay as
they are.  Where there are words alone, cuts lie in pauses between words: of all ways to cut, the
one is taken whose clips are not too long, are long enough, and end with sentences rather than
clauses rather than elsewhere.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ttskit.datasets import folder
from ttskit.datasets import transcription as timing
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.datasets.transcription import Word
from ttskit.errors import DatasetError
from ttskit.formats import audio, segments

NEEDS = "speech.mp3 (or wav, flac, ...) and its times: speech.srt, vtt, TextGrid, eaf, json ..."
SUFFIXES = (".json", *segments.READERS)
LANGUAGE = re.compile(r"\.[a-z]{2,3}(?:[-_][a-z0-9]+)?")  # as in speech.nl.srt
ENDINGS = ("", "transcription", "transcript", "alignment", "align", "words", "timestamps")


def matches(path: Path) -> str | None:
    """Return by what a dataset is recognised: a recording and times of the same name."""
    pairs = _parts(path)
    return f"{pairs[0][1].name} has the times of {pairs[0][0].name}" if pairs else None


def read(
    path: Path,
    longest: float = 10.0,
    pause: float = 0.2,
    silence: float = 1.0,
    margin: float = 0.1,
) -> Dataset:
    """Cut recordings into clips; every word is in exactly one.

    Parameters
    ----------
    path : Path
        A recording, its transcription, or a folder of both.
    longest : float
        Seconds that a clip lasts at most, unless it has no pause to cut it at.  Segments whose
        words have no times stay as they are.
    pause : float
        Seconds of the shortest pause that may be cut.
    silence : float
        Seconds of the shortest pause that is always cut.
    margin : float
        Seconds of a pause that a clip keeps at either end; at most half of the pause.
    """
    _check_limits(longest, pause, silence, margin)
    parts = _own_parts(path)
    out = Gathering("recording", parts[0][0].parent)
    for recording, transcription in parts:
        _add(out, recording, transcription, _Limits(longest, pause, silence, margin))
    if path.is_dir():
        known = {recording for recording, _ in parts}
        bare = [one.name for one in folder.audio(folder.walk(path, 1)) if one not in known]
        if bare:
            out.note(f"without a transcription, not read: {count(bare, 'recording')}")
    return out.dataset()


class _Limits(NamedTuple):
    """How to cut, in seconds: see `read`."""

    longest: float
    pause: float
    silence: float
    margin: float


def _add(out: Gathering, recording: Path, transcription: Path, limits: _Limits) -> None:
    """Add the clips of one recording."""
    rate, _, frames = audio.info(recording)
    duration = frames / rate
    read = timing.read(transcription, duration)
    words = read.words if read.segments else _in_order(read.words, duration)
    spans = _spans(words, read.segments, duration, limits)
    too_long, inside = list[str](), 0.0
    for number, (first, last) in enumerate(spans, 1):
        id, place = f"{recording.stem}_{number:04d}", f"{transcription.name} word {first + 1}"
        start, end = _edges(words, duration, first, last, limits.margin)
        text = " ".join(word.text for word in words[first:last])
        out.add(id, text, recording, place, words[first].speaker, start, end)
        too_long += [id] * (end - start > limits.longest)
        inside += end - start
    what = f"{len(read.segments)} segments" if read.segments else f"{len(words)} words"
    out.note(f"{what} of {transcription.name} cut into {len(spans)} clips")
    out.note(f"{max(0, duration - inside):.1f} s of {duration:.1f} s are pauses, in no clip")
    _note_oddities(out, words)
    if too_long:
        reason = f"no pause of {limits.pause} s in {limits.longest} s, so longer"
        out.note(f"{reason}: {count(too_long, 'clip')}")


def _spans(
    words: list[Word], segments: list[tuple[int, int]], duration: float, limits: _Limits
) -> list[tuple[int, int]]:
    """Return the first word of each clip and the one after its last.

    A segment is a clip, unless it is too long and has words to cut between.
    """
    if not segments:
        return cut(words, duration, *limits)
    spans = []
    for first, last in segments:
        if last - first == 1 or words[last - 1].end - words[first].start <= limits.longest:
            spans.append((first, last))
        else:
            inner = cut(words[first:last], words[last - 1].end, *limits)
            spans += [(first + start, first + stop) for start, stop in inner]
    return spans


def _check_limits(longest: float, pause: float, silence: float, margin: float) -> None:
    if not (0 < pause <= silence and 0 < longest < math.inf and 0 <= margin < math.inf):
        raise DatasetError(
            f"cannot cut with longest {longest}, pause {pause}, silence {silence} and "
            f"margin {margin}; needs 0 < pause <= silence, 0 < longest, 0 <= margin"
        )


def _in_order(words: list[Word], duration: float) -> list[Word]:
    """Return words of which none ends before the one in front, or after the file."""
    ends = itertools.accumulate((min(word.end, duration) for word in words), max)
    return [replace(word, end=end) for word, end in zip(words, ends, strict=True)]


def _note_oddities(out: Gathering, words: list[Word]) -> None:
    """Note words without times of their own, and words that overlap."""
    if joined := [word.text for word in words if word.joined]:
        out.note(f"without times, kept with their neighbours: {count(joined, 'word')}")
    pairs = itertools.pairwise(words)
    if early := [b.text for a, b in pairs if b.start < a.end - timing.JITTER]:
        out.note(f"starting before the word in front has ended: {count(early, 'word')}")


def cut(
    words: list[Word],
    duration: float,
    longest: float,
    pause: float,
    silence: float,
    margin: float,
) -> list[tuple[int, int]]:
    """Return the first word of each clip and the one after its last.

    Dynamic programming over the places where a cut is possible.  A clip costs the square of
    how much of `longest` it leaves unused, a cut 0 after a sentence or in silence, 1/2 after a
    clause, 1 elsewhere.
    """
    gaps = [math.inf, *(after.start - before.end for before, after in itertools.pairwise(words))]
    places = [index for index, gap in enumerate(gaps) if gap >= pause] + [len(words)]
    gaps.append(math.inf)
    best, origin = [0.0], [0]
    for this, last in enumerate(places[1:], 1):
        price = 0.0 if gaps[last] >= silence else _price(words[last - 1].text)
        choices: list[tuple[float, int]] = []
        for other in range(this - 1, -1, -1):
            start, end = _edges(words, duration, places[other], last, margin)
            if choices and end - start > longest:
                break
            unused = max(0.0, 1 - (end - start) / longest)
            choices.append((best[other] + price + unused**2, other))
            if gaps[places[other]] >= silence:
                break
        cost, chosen = min(choices)
        best.append(cost)
        origin.append(chosen)
    clips, this = [], len(places) - 1
    while this > 0:
        clips.append((places[origin[this]], places[this]))
        this = origin[this]
    return clips[::-1]


def _price(word: str) -> float:
    """Return the cost of a cut behind a word."""
    mark = word.rstrip("\"'”’»)]")[-1:]
    return 0.0 if mark in (*".!?…。！？",) else 0.5 if mark in (*",;:–—、，；：",) else 1.0


def _edges(
    words: list[Word], duration: float, first: int, last: int, margin: float
) -> tuple[float, float]:
    """Return where a clip starts and ends: its words and at most half of the pauses around."""
    start, end = words[first].start, words[last - 1].end
    before = (start - words[first - 1].end) / 2 if first else start
    after = (words[last].start - end) / 2 if last < len(words) else duration - end
    start -= min(margin, max(0.0, before))
    return start, min(duration, end + min(margin, max(0.0, after)))


def _parts(path: Path) -> list[tuple[Path, Path]]:
    """Return recordings and their transcriptions: all of a folder, or that of one of the two."""
    try:
        files = list(folder.walk(path if path.is_dir() else path.parent, depth=1))
    except DatasetError:
        if path.is_dir():
            raise
        return []  # a file of a folder that cannot be listed
    recordings = folder.audio(files)
    pairs = [
        (recording, file)
        for file in files
        if file.suffix.lower() in SUFFIXES
        for recording in recordings
        if _is_transcription(file.stem, recording.stem)
        and (file.suffix.lower() != ".txt" or segments.is_labels(file))
    ]
    if path.is_dir():
        return pairs
    return [pair for pair in pairs if path.name in (pair[0].name, pair[1].name)]


def _is_transcription(name: str, recording: str) -> bool:
    ending = name.removeprefix(recording).lower()
    named = ending.lstrip("_-. ") in ENDINGS or LANGUAGE.fullmatch(ending)
    return name.startswith(recording) and bool(named)


def _own_parts(path: Path) -> list[tuple[Path, Path]]:
    """Return the recordings with the one transcription that each has."""
    pairs = _parts(path)
    for recording, _ in pairs:
        own = [file for other, file in pairs if other == recording]
        if len(own) > 1:
            both = ", ".join(f"{recording.name} with {file.name}" for file in own)
            raise DatasetError(f"could be {both}; leave one there", file=path)
    if pairs:
        return pairs
    raise DatasetError(f"no recording with a transcription of its name; needs {NEEDS}", file=path)
