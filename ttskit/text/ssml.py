"""SSML: the part of it that can be spoken, as passages of plain text with their prosody.

speak, p, s, break, prosody (rate, pitch, volume), phoneme (ipa), say-as, sub.  Anything else is
refused with its line and column, as are document types and entities of one's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from ttskit.errors import TextError

STRENGTHS = {
    "none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2,
}  # fmt: skip
RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.5, "x-fast": 2.0}
PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "default": 0.0, "high": 3.0, "x-high": 6.0}
VOLUMES = {
    "silent": -120.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 6.0,
    "x-loud": 12.0,
}  # fmt: skip
ATTRIBUTES = {
    "speak": ("version",),
    "p": (),
    "s": (),
    "break": ("time", "strength"),
    "prosody": ("rate", "pitch", "volume"),
    "phoneme": ("alphabet", "ph"),
    "say-as": ("interpret-as", "format", "detail"),
    "sub": ("alias",),
}
WHOLE = ("phoneme", "say-as", "sub")  # hold text alone
LONGEST = 3600.0  # seconds of a break


@dataclass(frozen=True)
class Prosody:
    """How something is said: times as fast, semitones higher, dB louder."""

    rate: float = 1.0
    pitch: float = 0.0
    volume: float = 0.0


@dataclass(frozen=True)
class Passage:
    """A text and what is asked for around it.

    `runs` say from which character on which prosody holds; before the first, the plain one.
    """

    text: str
    gap: float | None = None  # seconds of silence before it; None: as usual between sentences
    paragraph: bool = False  # whether it begins one
    runs: tuple[tuple[int, Prosody], ...] = ()
    place: str = ""  # where the text is from


@dataclass
class _Open:
    """An element that is not closed yet."""

    name: str
    told: dict[str, str]
    prosody: Prosody
    text: str = ""  # of those in `WHOLE`


@dataclass
class _Reader:
    parser: expat.XMLParserType
    english: bool
    name: str
    passages: list[Passage] = field(default_factory=list)
    now: Passage = Passage("")
    open: list[_Open] = field(default_factory=list)

    def refuse(self, what: str) -> TextError:
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        return TextError(f"{self.name}:{line}:{column}: {what}")

    def start(self, name: str, told: dict[str, str]) -> None:
        if name not in ATTRIBUTES:
            raise self.refuse(f"no element <{name}>; there is {', '.join(ATTRIBUTES)}")
        if not self.open and name != "speak":
            raise self.refuse(f"begins with <{name}>, needs <speak>")
        if self.open and (name == "speak" or self.open[-1].name in WHOLE):
            raise self.refuse(f"<{name}> cannot be within <{self.open[-1].name}>")
        for key in told:
            if key not in ATTRIBUTES[name] and not key.startswith(("xml", "xsi")):
                there = ", ".join(ATTRIBUTES[name]) or "none"
                raise self.refuse(f"<{name}> has no attribute {key}; there is {there}")
        prosody = self.open[-1].prosody if self.open else Prosody()
        if name == "prosody":
            prosody = self._changed(prosody, told)
        if name == "break":
            self.flush()
            self.now = replace(self.now, gap=(self.now.gap or 0.0) + self._seconds(told))
        if name in ("p", "s"):
            self.flush(name == "p")
        self.open.append(_Open(name, told, prosody))

    def end(self, name: str) -> None:
        ended = self.open.pop()
        if name in WHOLE:
            self.say(self._whole(ended), ended.prosody)
        if name in ("p", "s"):
            self.flush(name == "p")

    def data(self, text: str) -> None:
        if self.open[-1].name in WHOLE:
            self.open[-1].text += text
        else:
            self.say(text, self.open[-1].prosody)

    def say(self, text: str, prosody: Prosody) -> None:
        """Add text, with one space for any white space."""
        text = re.sub(r"\s+", " ", text)
        before, runs = self.now.text, self.now.runs
        text = text.lstrip() if not before or before.endswith(" ") else text
        if text and (runs[-1][1] if runs else Prosody()) != prosody:
            runs = (*runs, (len(before), prosody))
        self.now = replace(self.now, text=before + text, runs=runs)

    def flush(self, paragraph: bool = False) -> None:
        """End a passage, if it has text; the next one may begin a paragraph."""
        if self.now.text.strip():
            line = self.parser.CurrentLineNumber
            self.passages.append(replace(self.now, place=f"{self.name}:{line}"))
            self.now = Passage("")
        self.now = replace(self.now, paragraph=self.now.paragraph or paragraph)

    def _whole(self, ended: _Open) -> str:
        told, text = ended.told, " ".join(ended.text.split())
        if ended.name == "sub":
            return self._needed(ended, "alias")
        if ended.name == "say-as":
            how = self._needed(ended, "interpret-as")
            if how not in READINGS:
                raise self.refuse(f"say-as cannot read as {how!r}; there is {', '.join(READINGS)}")
            return READINGS[how](text, self.english)
        symbols = self._needed(ended, "ph")
        if told.get("alphabet", "ipa") != "ipa" or re.search(r"[\[\]\n]", symbols):
            raise self.refuse(f"<phoneme> {symbols!r} is not in the alphabet ipa")
        return f"[[{symbols}]]"

    def _needed(self, ended: _Open, key: str) -> str:
        if not ended.told.get(key, "").strip():
            raise self.refuse(f"<{ended.name}> needs the attribute {key}")
        return ended.told[key].strip()

    def _seconds(self, told: dict[str, str]) -> float:
        if "time" not in told:
            return self._one_of("strength", told.get("strength", "medium"), STRENGTHS)
        found = re.fullmatch(r"\+?(\d*\.?\d+)(ms|s)", told["time"].strip())
        seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else math.inf
        if seconds > LONGEST:
            raise self.refuse(f"break time is {told['time']!r}, needs the like of 500ms or 2s")
        return seconds

    def _changed(self, prosody: Prosody, told: dict[str, str]) -> Prosody:
        rate, pitch, volume = prosody.rate, prosody.pitch, prosody.volume
        if "rate" in told:
            rate *= self._rate(told["rate"].strip())
        if "pitch" in told:
            pitch += self._pitch(told["pitch"].strip())
        if "volume" in told:
            volume += self._volume(told["volume"].strip())
        return Prosody(rate, pitch, volume)

    def _rate(self, told: str) -> float:
        if found := re.fullmatch(r"([+-]?)(\d*\.?\d+)(%?)", told):
            value = float(found[2]) / (100 if found[3] else 1)
            value = {"": value, "+": 1 + value, "-": 1 - value}[found[1]]
            if 0.1 <= value <= 10:
                return value
        return self._one_of("rate", told, RATES, "120%, +20%, 1.2 (from 0.1 to 10)")

    def _pitch(self, told: str) -> float:
        if found := re.fullmatch(r"([+-]?\d*\.?\d+)(st|%)", told):
            value = float(found[1])
            value = value if found[2] == "st" else 12 * math.log2(max(0.01, 1 + value / 100))
            if abs(value) <= 24:
                return value
        return self._one_of("pitch", told, PITCHES, "+2st, -10% (at most 24 semitones)")

    def _volume(self, told: str) -> float:
        found = re.fullmatch(r"([+-]?\d*\.?\d+)dB", told)
        if found and abs(float(found[1])) <= 40:
            return float(found[1])
        return self._one_of("volume", told, VOLUMES, "+6dB (at most 40)")

    def _one_of(self, what: str, told: str, known: dict[str, float], other: str = "") -> float:
        if told not in known:
            there = ", ".join([*known, *([other] if other else [])])
            raise self.refuse(f"{what} is {told!r}, needs one of {there}")
        return known[told]


def _letters(text: str, _: bool) -> str:
    spelt = [one for one in text if not one.isspace()]
    if all(one.isascii() and one.isalpha() for one in spelt) and len(spelt) > 1:
        return ".".join(one.upper() for one in spelt) + "."
    return " ".join(spelt)


def _ordinal(text: str, english: bool) -> str:
    if not text.isdecimal() or not english:
        return text + ("." if text.isdecimal() else "")
    teen = text[-2:] in ("11", "12", "13")
    return text + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th"))


def _as_it_is(text: str, _: bool) -> str:
    return text


# how say-as reads -> what the normaliser is given
READINGS: dict[str, Callable[[str, bool], str]] = {
    **dict.fromkeys(("characters", "spell-out", "verbatim", "digits", "telephone"), _letters),
    "ordinal": _ordinal,
    **dict.fromkeys(
        ("cardinal", "number", "date", "time", "currency", "unit", "fraction", "address"), _as_it_is
    ),
}


def read(text: str, name: str, english: bool = True) -> list[Passage]:
    """Return the passages of a document; `name` is what errors call it."""
    parser = expat.ParserCreate()
    reader = _Reader(parser, english, name)

    def refused(*_: object) -> None:
        raise reader.refuse("has a document type, which is not read")

    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refused
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        what = expat.errors.messages[error.code] if error.code else str(error)
        raise TextError(f"{name}:{error.lineno}:{error.offset + 1}: not SSML: {what}") from None
    reader.flush()
    gap = reader.now.gap
    return [*reader.passages, reader.now] if gap is not None else reader.passages
