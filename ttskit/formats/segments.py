"""Segments: the times of sentences beside a recording, as other programs write them.

SubRip and WebVTT subtitles, Praat's TextGrid, Audacity's labels, ELAN's annotations.  Who speaks is
said by WebVTT (`<v Ann>`), and by the names of tiers where there is more than one with text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ttskit.errors import TtskitError

PHRASES = ("phrases", "sentences", "utterances", "segments")  # a tier that is read before words
SMALLER = ("words", "phones", "word", "phone", "phonemes")  # tiers that are no speakers
_CUE = re.compile(
    r"(?:(\d+):)?(\d{1,2}):(\d{2}(?:[.,]\d+)?)\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{2}(?:[.,]\d+)?)"
)
_LABEL = re.compile(r"(\d+(?:[.,]\d+)?)\t(\d+(?:[.,]\d+)?)\t(.*)")
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_VOICE = re.compile(r"<v(?:\.[^ \t>]*)?[ \t]+([^>]+)>")


class Segment(NamedTuple):
    """What is said between two times, in seconds; `whole` if it is a sentence and not a word."""

    text: str
    start: float
    stop: float
    speaker: str = ""
    whole: bool = True


def read(path: Path) -> list[Segment]:
    """Return the segments of a file with a text, by time."""
    segments = READERS[path.suffix.lower()](path)
    spoken = [one for one in segments if one.text.strip()]
    if not spoken:
        raise TtskitError(f"has no sentence with times; needs {FORMATS[path.suffix.lower()]}")
    return sorted(spoken, key=lambda one: one.start)


def is_labels(path: Path) -> bool:
    """Whether a text file is one of Audacity's labels."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            return bool(_LABEL.match(file.readline(1 << 12)))
    except (OSError, UnicodeDecodeError):
        return False


def subtitles(path: Path) -> Iterator[Segment]:
    """Yield the cues of SubRip or WebVTT: their lines as one, without markup."""
    from ttskit.text.lines import read_lines

    block = list[str]()
    for line in (*(line.text for line in read_lines(path)), ""):
        if line.strip():
            block.append(line)
            continue
        times = next((n for n, text in enumerate(block) if _CUE.search(text)), None)
        if times is not None:
            yield _cue(block[times], " ".join(block[times + 1 :]))
        block = []


def _cue(times: str, text: str) -> Segment:
    match = _CUE.search(times)
    assert match is not None
    start, stop = (_seconds(*match.groups()[part : part + 3]) for part in (0, 3))
    speaker = _VOICE.search(text)
    plain = html.unescape(_TAG.sub("", text))
    return Segment(plain.strip(), start, stop, html.unescape(speaker[1]) if speaker else "")


def _seconds(hours: str | None, minutes: str, seconds: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds.replace(",", "."))


def audacity(path: Path) -> Iterator[Segment]:
    """Yield Audacity's labels: start, stop and text by tabs; lines of frequencies are left out."""
    from ttskit.text.lines import read_lines

    for place, line in read_lines(path):
        match = _LABEL.match(line)
        if match:
            start, stop = (float(time.replace(",", ".")) for time in match.groups()[:2])
            yield Segment(match[3].strip(), start, stop)
        elif line.strip() and not line.startswith("\\"):
            raise TtskitError(f"{place}: is no label; needs start TAB stop TAB text, in seconds")


def textgrid(path: Path) -> list[Segment]:
    """Return the tier of sentences, else of words, else all tiers, each of which is a speaker."""
    from ttskit.formats.textgrid import read as tiers_of

    tiers = {
        name: [one for one in tier if one.label.strip()] for name, tier in tiers_of(path).items()
    }
    lower = {name.lower(): tier for name, tier in tiers.items()}
    for name in (*PHRASES, "words", "word"):
        if lower.get(name):
            rows = [(one.label.strip(), one.start, one.stop) for one in lower[name]]
            return [Segment(*row, whole=name in PHRASES) for row in rows]
    return _by_tier(
        {
            name: [Segment(one.label.strip(), one.start, one.stop) for one in tier]
            for name, tier in tiers.items()
            if name.lower() not in SMALLER
        }
    )


def elan(path: Path) -> list[Segment]:
    """Return the annotations of ELAN that have times of their own; a tier is a participant."""
    from xml.etree import ElementTree

    content = path.read_bytes()
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise TtskitError("declares entities, which no file of ELAN does")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise TtskitError(f"is not XML: {error}") from error
    slots = {
        slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE") or -1) / 1000
        for slot in root.iter("TIME_SLOT")
    }
    tiers: dict[str, list[Segment]] = {}
    for tier in root.iter("TIER"):
        name = tier.get("PARTICIPANT") or tier.get("TIER_ID") or ""
        for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
            text = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
            times = [slots.get(annotation.get(f"TIME_SLOT_REF{end}"), -1.0) for end in (1, 2)]
            if text and min(times) >= 0:
                tiers.setdefault(name, []).append(Segment(text, times[0], times[1]))
    return _by_tier(tiers)


def _by_tier(tiers: Mapping[str, Sequence[Segment]]) -> list[Segment]:
    """Return the segments of tiers; the tier is the speaker where several have text."""
    filled = {name: tier for name, tier in tiers.items() if tier}
    several = len(filled) > 1
    return [
        one._replace(speaker=name if several else "")
        for name, tier in filled.items()
        for one in tier
    ]


READERS: Mapping[str, Callable[[Path], Iterable[Segment]]] = MappingProxyType(
    {".srt": subtitles, ".vtt": subtitles, ".textgrid": textgrid, ".txt": audacity, ".eaf": elan}
)
FORMATS = MappingProxyType(
    {
        ".srt": "cues of SubRip: 00:00:01,500 --> 00:00:03,000, and the text below",
        ".vtt": "cues of WebVTT: 00:01.500 --> 00:03.000, and the text below",
        ".textgrid": "an interval tier with sentences",
        ".txt": "labels of Audacity: start TAB stop TAB text",
        ".eaf": "annotations of ELAN with times",
    }
)
