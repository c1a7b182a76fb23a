"""Clips and datasets: what every format returns, and the checks that all formats share."""

from __future__ import annotations

import math
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ttskit import wording
from ttskit.artifacts.ids import unfit_id
from ttskit.datasets import folder
from ttskit.errors import DatasetError


@dataclass(frozen=True)
class Clip:
    """One utterance: its text, its speaker, and where its audio is."""

    id: str
    text: str
    speaker: str  # empty where the dataset names none
    audio: Path
    start: float | None = None  # seconds within the file
    end: float | None = None


@dataclass(frozen=True)
class Dataset:
    """The utterances of a dataset; `bad` are those that it lists but that cannot be used."""

    format: str
    root: Path
    clips: tuple[Clip, ...]
    notes: tuple[str, ...]
    bad: tuple[tuple[str, str], ...]  # id, reason
    parts: Mapping[str, str] = field(default_factory=dict)  # id -> its standard split, "" for none

    def part(self, name: str) -> Dataset:
        """Return one of the standard splits that the dataset comes with."""
        known = sorted({*self.parts.values()} - {""})
        if name not in known:
            there = f"there is {', '.join(known)}" if known else "it comes with none"
            raise DatasetError(f"no part {name!r}; {there}", file=self.root)
        clips = tuple(clip for clip in self.clips if self.parts[clip.id] == name)
        bad = tuple((id, reason) for id, reason in self.bad if self.parts[id] == name)
        return replace(self, clips=clips, bad=bad)

    def first(self, count: int | None, of_each: int | None) -> Dataset:
        """Return the first `count` utterances, counting only the first `of_each` of a speaker."""
        seen, clips = Counter[str](), []
        for clip in self.clips:
            seen[clip.speaker] += 1
            if of_each is None or seen[clip.speaker] <= of_each:
                clips.append(clip)
        return replace(self, clips=tuple(clips[:count]), bad=self.bad[:count])


class Gathering:
    """A dataset while it is read: every utterance ends up among the clips or the bad ones.

    `place` is where an utterance is named, for messages: "metadata.csv line 3", "anna/001.txt".
    Set `part` before the utterances of a standard split are added.
    """

    def __init__(self, format: str, root: Path) -> None:
        self.part = ""
        self._parts: dict[str, str] = {}  # id -> part
        self._format, self._root = format, root
        self._clips: list[Clip] = []
        self._bad: list[tuple[str, str]] = []
        self._kinds: dict[str, list[str]] = {}  # what is wrong -> ids
        self._notes: list[str] = []
        self._places: dict[str, str] = {}  # id -> place

    def add(
        self,
        id: str,
        text: str,
        audio: Path,
        place: str,
        speaker: str = "",
        start: float | None = None,
        end: float | None = None,
    ) -> None:
        """Add an utterance, as a clip if all checks pass, else as a bad one."""
        text, speaker = tidy(text), speaker.strip()
        if fault := unfit_id(id):
            self.refuse(id, fault, "the id cannot be used", place)
        elif not text:
            self.refuse(id, "the text is empty", "the text is empty", place)
        elif fault := _text_fault(text):
            self.refuse(id, fault, "the text cannot be used", place)
        elif not speaker.isprintable():
            reason = f"speaker {printable(speaker)} has unprintable characters"
            self.refuse(id, reason, "the speaker cannot be used", place)
        elif fault := _span_fault(start, end):
            self.refuse(id, fault, "the times cannot be used", place)
        elif fault := _file_fault(audio):
            self.refuse(id, f"{self._relative(audio)}: {fault}", "the audio cannot be used", place)
        else:
            self._claim(id, place)
            self._clips.append(Clip(id, text, speaker, audio, start, end))

    def add_file(self, path: Path, id: str, audio: Path, speaker: str) -> None:
        """Add an utterance whose text is a file of its own."""
        place = self._relative(path)
        if fault := _file_fault(audio):
            self.refuse(id, fault, "the audio cannot be used", self._relative(audio))
            return
        try:
            text = folder.text(path)
        except DatasetError as error:
            self.refuse(id, error.message, "the text cannot be read", place)
        else:
            self.add(id, text, audio, place, speaker)

    def refuse(self, id: str, reason: str, kind: str, place: str) -> None:
        """Add an utterance that cannot be used; `kind` is the reason without its particulars.

        If the id itself cannot be used, the utterance is listed by its place.
        """
        name = printable(place) if unfit_id(id) else id
        self._claim(name, place)
        where = "" if name == printable(place) else f"{place}: "
        self._bad.append((name, printable(where + reason)))
        self._kinds.setdefault(kind, []).append(name)

    def note(self, text: str) -> None:
        """Add a note on how the dataset was read, or on what is odd."""
        self._notes.append(printable(text))

    def dataset(self) -> Dataset:
        """Return the dataset; it must have an utterance."""
        if not self._places:
            raise DatasetError(f"has no utterances ({self._format})", file=self._root)
        odd = [f"{kind}: {count(ids, 'utterance')}" for kind, ids in self._kinds.items()]
        clips, bad, notes = tuple(self._clips), tuple(self._bad), (*self._notes, *odd)
        return Dataset(self._format, self._root, clips, notes, bad, self._parts)

    def _relative(self, path: Path) -> str:
        """Return a path below the root of the dataset, or as it is where it lies elsewhere."""
        inside = path.is_relative_to(self._root)
        return (path.relative_to(self._root) if inside else path).as_posix()

    def _claim(self, id: str, place: str) -> None:
        if first := self._places.get(id):
            raise DatasetError(
                f"id {id} occurs twice, in {first} and in {place}; ids must differ", file=self._root
            )
        self._places[id], self._parts[id] = place, self.part


def count(names: Iterable[str], noun: str) -> str:
    """Return a count with the first names: "5 clips (a, b, c and 2 more)"."""
    listed = list(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return f"{wording.count(len(listed), noun)} ({', '.join(listed[:3])}{more})"


def tidy(text: str) -> str:
    """Return a text on one line: stripped, tabs and line breaks as spaces."""
    return re.sub(r"\s*[\t\r\n\v\f\u2028\u2029]\s*", " ", text).strip()


def printable(text: str) -> str:
    """Return a text with unprintable characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _text_fault(text: str) -> str:
    for at, character in enumerate(text, 1):
        if unicodedata.category(character) in ("Cc", "Cs"):  # control characters, half characters
            return f"character {at} of the text is U+{ord(character):04X}, which is not text"
    return ""


def _span_fault(start: float | None, end: float | None) -> str:
    for time in (start, end):
        if time is not None and not (math.isfinite(time) and time >= 0):
            return f"{time} is not a time; needs seconds from the start of the file"
    if start is not None and end is not None and start >= end:
        return f"ends at {end} s, but starts at {start} s"
    return ""


def _file_fault(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return "a link that leads nowhere" if path.is_symlink() else str(error.strerror)
    except ValueError:  # a NUL within the name
        return "not the name of a file"
    if not stat.S_ISREG(status.st_mode):
        return "not a file"
    return "" if status.st_size else "empty (0 bytes)"
