"""Recording: one long recording, cut by a JSON transcription with character or word times.

`speech.mp3` and `speech_transcription.json` (or `speech.json`, ...); the path is either, or a
folder that has only these.  `timing.SHAPES` has the shapes of the JSON.  Cuts lie in pauses
between words.  Of all ways to cut, the one is taken whose clips are not too long, are long
enough, and end with sentences rather than clauses rather than elsewhere.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

from ttskit.datasets import folder
from ttskit.datasets import transcription as timing
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.datasets.transcription import Word
from ttskit.errors import DatasetError
from ttskit.formats import audio

NEEDS = "speech.mp3 (or wav, flac, ...) and speech_transcription.json with character or word times"
ENDINGS = ("", "transcription", "transcript", "alignment", "align", "words", "timestamps")


def matches(path: Path) -> str | None:
    """Return by what a dataset is recognised: a recording and JSON of the same name."""
    pairs = _parts(path)
    return f"{pairs[0][1].name} has the times of {pairs[0][0].name}" if pairs else None


def read(
    path: Path,
    longest: float = 10.0,
    pause: float = 0.2,
    silence: float = 1.0,
    margin: float = 0.1,
) -> Dataset:
    """Cut a recording into clips; every word is in exactly one.

    Parameters
    ----------
    path : Path
        The recording, its transcription, or the folder with both.
    longest : float
        Seconds that a clip lasts at most, unless it has no pause to cut it at.
    pause : float
        Seconds of the shortest pause that may be cut.
    silence : float
        Seconds of the shortest pause that is always cut.
    margin : float
        Seconds of a pause that a clip keeps at either end; at most half of the pause.
    """
    _check_limits(longest, pause, silence, margin)
    recording, transcription = _only_part(path)
    rate, _, frames = audio.info(recording)
    duration = frames / rate
    words = _words(transcription, duration)
    spans = cut(words, duration, longest, pause, silence, margin)
    out, too_long, inside = Gathering("recording", recording.parent), list[str](), 0.0
    for number, (first, last) in enumerate(spans, 1):
        id, place = f"{recording.stem}_{number:04d}", f"{transcription.name} word {first + 1}"
        start, end = _edges(words, duration, first, last, margin)
        text = " ".join(word.text for word in words[first:last])
        out.add(id, text, recording, place, "", start, end)
        too_long += [id] * (end - start > longest)
        inside += end - start
    out.note(f"{len(words)} words of {transcription.name} cut into {len(spans)} clips")
    out.note(f"{duration - inside:.1f} s of {duration:.1f} s are pauses, in no clip")
    _note_oddities(out, words)
    if too_long:
        out.note(f"no pause of {pause} s in {longest} s, so longer: {count(too_long, 'clip')}")
    return out.dataset()


def _check_limits(longest: float, pause: float, silence: float, margin: float) -> None:
    if not (0 < pause <= silence and 0 < longest < math.inf and 0 <= margin < math.inf):
        raise DatasetError(
            f"cannot cut with longest {longest}, pause {pause}, silence {silence} and "
            f"margin {margin}; needs 0 < pause <= silence, 0 < longest, 0 <= margin"
        )


def _words(transcription: Path, duration: float) -> list[Word]:
    """Return the words of a transcription; none ends before the one in front, or after the file."""
    words = timing.words(transcription, duration)
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
    return start - min(margin, before), end + min(margin, after)


def _parts(path: Path) -> list[tuple[Path, Path]]:
    """Return recordings and their transcriptions: those of a folder, or that of one of the two."""
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
        if file.suffix.lower() == ".json"
        for recording in recordings
        if _is_transcription(file.stem, recording.stem)
    ]
    if path.is_dir():
        return pairs if len(recordings) == 1 else []
    return [pair for pair in pairs if path.name in (pair[0].name, pair[1].name)]


def _is_transcription(name: str, recording: str) -> bool:
    ending = name.removeprefix(recording)
    return name.startswith(recording) and ending.lstrip("_-. ").lower() in ENDINGS


def _only_part(path: Path) -> tuple[Path, Path]:
    pairs = _parts(path)
    if len(pairs) == 1:
        return pairs[0]
    if pairs:
        both = ", ".join(f"{recording.name} with {file.name}" for recording, file in pairs)
        raise DatasetError(f"could be {both}; leave one there", file=path)
    raise DatasetError(f"no recording with a transcription of its name; needs {NEEDS}", file=path)
