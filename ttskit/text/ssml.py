"""SSML: the part of it that can be spoken, as passages of plain text with their prosody.

speak, p, s, break, prosody (rate, pitch, range, volume), emphasis, phoneme (ipa), say-as, sub,
mark, voice, audio.  Any other element is refused with its line and column, or left out with a note;
document types and entities that they declare are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from ttskit.errors import TextError, TtskitError

STRENGTHS = {
    "none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2,
}  # fmt: skip
RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.5, "x-fast": 2.0}
PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "default": 0.0, "high": 3.0, "x-high": 6.0}
SPANS = {"x-low": 0.25, "low": 0.6, "medium": 1.0, "default": 1.0, "high": 1.5, "x-high": 2.0}
VOLUMES = {
    "silent": -120.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 6.0,
    "x-loud": 12.0,
}  # fmt: skip
EMPHASES = {  # level -> times as fast, dB, semitones where the decoder knows pitch
    "strong": (0.8, 3.0, 3.0), "moderate": (0.9, 2.0, 1.5), "none": (1.0, 0.0, 0.0),
    "reduced": (1.15, -3.0, -1.5),
}  # fmt: skip
ATTRIBUTES = {
    "speak": ("version",),
    "p": (),
    "s": (),
    "break": ("time", "strength"),
    "prosody": ("rate", "pitch", "range", "volume"),
    "emphasis": ("level",),
    "mark": ("name",),
    "phoneme": ("alphabet", "ph"),
    "say-as": ("interpret-as", "format", "detail"),
    "sub": ("alias",),
    "voice": ("name",),
    "audio": ("src",),
}
TEXT_ONLY = ("phoneme", "say-as", "sub")  # elements that hold text and no element
UNSPOKEN = ("desc", "metadata")  # elements, left out, whose text is not spoken either
LONGEST = 3600.0  # seconds of breaks between two words
# of elements within each other
MOST_RATE, MOST_PITCH, MOST_VOLUME = 10.0, 24.0, 40.0  # times (or its inverse), semitones, dB
MOST_SPAN = 4.0  # times the usual pitch range


@dataclass(frozen=True)
class Prosody:
    """How a text is spoken."""

    rate: float = 1.0  # times as fast
    pitch: float = 0.0  # semitones higher
    volume: float = 0.0  # dB louder
    lift: float = 0.0  # semitones higher, where the decoder knows pitch
    span: float = 1.0  # times as far as the pitch usually moves from its middle


class Cue(NamedTuple):
    """A subtitle: what is spoken of it begins at its time."""

    id: str
    start: float  # seconds
    place: str  # FILE:LINE


@dataclass(frozen=True)
class Passage:
    """A text that is spoken, with its pause and its prosody."""

    text: str
    gap: float | None = None  # seconds of silence before it; None: as usual between sentences
    paragraph: bool = False  # whether it begins one
    # the character from which each prosody holds; before the first of them, the plain one
    runs: tuple[tuple[int, Prosody], ...] = ()
    place: str = ""  # FILE:LINE of the text
    cue: Cue | None = None  # that it is the text of
    marks: tuple[tuple[int, str], ...] = ()  # the character before which each stands, and its name
    voice: str = ""  # by the name that the text has for it; the usual one without
    audio: Path | None = None  # recording that is played in place of a text


def _alone(name: str) -> str:
    raise TextError(f"no voice {name!r:.60}: there is no other voice here")


def _unnoted(message: str) -> None:
    pass


@dataclass(frozen=True)
class Surroundings:
    """What a document may name; each function raises TtskitError where there is no such thing."""

    language: Callable[[str], str] = _alone  # name of a voice -> its language
    recording: Callable[[str], Path] | None = None  # source of audio -> a file that can be played
    note: Callable[[str], None] = _unnoted  # gets what is left out of a document
    way_out: str = "; --lenient leaves it out"  # ends the refusal of what cannot be spoken


@dataclass
class _Open:
    """An element that is not closed yet."""

    name: str
    attributes: dict[str, str]
    prosody: Prosody
    english: bool  # whether its text is
    voice: str = ""
    silent: bool = False  # whether its text is not spoken
    apart: bool = False  # whether it is a passage of its own
    text: str = ""  # in an element of `TEXT_ONLY`
    missing: str = ""  # why the recording of an element `audio` cannot be played
    before: int = 0  # passages before that text


@dataclass
class _Reader:
    """Turns the events of a parser into passages."""

    parser: expat.XMLParserType
    english: bool
    name: str  # of the document
    lenient: bool  # whether what cannot be spoken is left out, not refused
    around: Surroundings
    passages: list[Passage] = field(default_factory=list)
    current: Passage = Passage("")  # the one that text is added to
    open: list[_Open] = field(default_factory=list)

    def refusal(self, message: str) -> TextError:
        """Return the error for the place that the parser has come to."""
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        return TextError(message, file=f"{self.name}:{line}:{column}")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._check(name, attributes)
        within = self.open[-1] if self.open else _Open("", {}, Prosody(), self.english)
        element = replace(
            within, name=name, attributes=attributes, text="", missing="", apart=False
        )
        element.silent = within.silent or name in UNSPOKEN
        self.open.append(element)
        if not element.silent and name in self.begins:
            self.begins[name](element)

    @cached_property
    def begins(self) -> dict[str, Callable[[_Open], None]]:
        """What is done where an element begins."""
        return {
            "prosody": self._change,
            "emphasis": self._emphasise,
            "break": self._break,
            "p": self._set_apart,
            "s": self._set_apart,
            "mark": self._mark,
            "voice": self._voice,
            "audio": self._audio,
        }

    def _set_apart(self, element: _Open) -> None:
        """Begin a passage with an element, and end it with that."""
        self.flush(element.name == "p")
        element.apart = True

    def _break(self, element: _Open) -> None:
        self.flush()
        gap = (self.current.gap or 0.0) + self._seconds(element.attributes)
        if gap > LONGEST:
            raise self.refusal(f"breaks in a row last {gap:g} s, more than {LONGEST:g} s")
        self.current = replace(self.current, gap=gap)

    def _mark(self, element: _Open) -> None:
        place = (len(self.current.text), self._needed(element, "name"))
        self.current = replace(self.current, marks=(*self.current.marks, place))

    def _voice(self, element: _Open) -> None:
        """Change the voice; what it speaks is a passage of its own."""
        name = element.attributes.get("name", "").strip()
        try:
            if not name:
                raise TtskitError("<voice> needs the attribute name")
            element.english = self.around.language(name) == "en-us"
        except TtskitError as error:
            self._leave_out(str(error))
            return
        self._set_apart(element)
        element.voice = name

    def _audio(self, element: _Open) -> None:
        """Play a recording; where it cannot be, the text in the element is spoken."""
        if self.around.recording is None:
            self._leave_out("no element <audio>, as no recordings are played here")
            return
        self._set_apart(element)
        try:
            path = self.around.recording(element.attributes.get("src", "").strip())
        except TtskitError as error:
            element.missing, element.before = str(error), len(self.passages)
            return
        place = f"{self.name}:{self.parser.CurrentLineNumber}"
        self.passages.append(replace(self.current, text="", runs=(), audio=path, place=place))
        self.current, element.silent = Passage(""), True

    def _check(self, name: str, attributes: dict[str, str]) -> None:
        """Refuse what cannot be, or note that it is left out."""
        if not self.open and name != "speak":
            raise self.refusal(f"begins with <{name}>, needs <speak>")
        if self.open and (name == "speak" or self.open[-1].name in TEXT_ONLY):
            raise self.refusal(f"<{name}> cannot be within <{self.open[-1].name}>")
        if name not in ATTRIBUTES:
            self._leave_out(f"no element <{name}>; there is {', '.join(ATTRIBUTES)}")
            return
        for key in attributes:
            if key not in ATTRIBUTES[name] and not key.startswith(("xml", "xsi")):
                known = ", ".join(ATTRIBUTES[name]) or "none"
                self._leave_out(f"<{name}> has no attribute {key}; there is {known}")

    def _leave_out(self, what: str) -> None:
        if not self.lenient:
            raise self.refusal(what + self.around.way_out)
        self.around.note(str(self.refusal(f"{what.partition(';')[0]}: left out")))

    def end(self, name: str) -> None:
        element = self.open.pop()
        if name in TEXT_ONLY and not element.silent:
            self.add(self._reading(element), element.prosody)
        if element.apart:
            self.flush(name == "p")
        if element.missing and len(self.passages) > element.before:
            self.around.note(str(self.refusal(f"{element.missing}: its text is spoken instead")))
        elif element.missing:
            self._leave_out(element.missing)

    def data(self, text: str) -> None:
        if self.open[-1].name in TEXT_ONLY:
            self.open[-1].text += text
        elif not self.open[-1].silent:
            self.add(text, self.open[-1].prosody)

    def add(self, text: str, prosody: Prosody) -> None:
        """Add text to the current passage, with one space for any white space."""
        text = re.sub(r"\s+", " ", text)
        before, runs = self.current.text, self.current.runs
        text = text.lstrip() if not before or before.endswith(" ") else text
        if text and (runs[-1][1] if runs else Prosody()) != prosody:
            runs = (*runs, (len(before), prosody))
        voice = self.open[-1].voice
        self.current = replace(self.current, text=before + text, runs=runs, voice=voice)

    def flush(self, paragraph: bool = False) -> None:
        """End the current passage, if it has text; the next one may begin a paragraph."""
        if self.current.text.strip():
            place = f"{self.name}:{self.parser.CurrentLineNumber}"
            end = len(self.current.text.rstrip())
            marks = tuple((min(start, end), name) for start, name in self.current.marks)
            self.passages.append(replace(self.current, place=place, marks=marks))
            self.current = Passage("")
        self.current = replace(self.current, paragraph=self.current.paragraph or paragraph)

    def _reading(self, element: _Open) -> str:
        """Return what is spoken for an element of `TEXT_ONLY`."""
        text = " ".join(element.text.split())
        if element.name == "sub":
            return self._needed(element, "alias")
        if element.name == "say-as":
            form = self._needed(element, "interpret-as")
            if form not in READINGS:
                raise self.refusal(
                    f"say-as cannot read as {form!r}; there is {', '.join(READINGS)}"
                )
            return READINGS[form](text, element.english)
        symbols = self._needed(element, "ph")
        alphabet = element.attributes.get("alphabet", "ipa")
        if alphabet != "ipa" or re.search(r"[\[\]\n]", symbols):
            raise self.refusal(f"<phoneme> {symbols!r} is not in the alphabet ipa")
        return f"[[{symbols}]]"

    def _needed(self, element: _Open, key: str) -> str:
        value = element.attributes.get(key, "").strip()
        if not value:
            raise self.refusal(f"<{element.name}> needs the attribute {key}")
        return value

    def _seconds(self, attributes: dict[str, str]) -> float:
        if "time" not in attributes:
            return self._one_of("strength", attributes.get("strength", "medium"), STRENGTHS)
        time = re.fullmatch(r"\+?(\d*\.?\d+)(ms|s)", attributes["time"].strip())
        seconds = float(time[1]) / (1000 if time[2] == "ms" else 1) if time else math.inf
        if seconds > LONGEST:
            raise self.refusal(
                f"break time is {attributes['time']!r}, needs the like of 500ms or 2s"
            )
        return seconds

    def _emphasise(self, element: _Open) -> None:
        level, prosody = element.attributes.get("level", "moderate"), element.prosody
        if level not in EMPHASES:
            raise self.refusal(f"level is {level!r}, needs one of {', '.join(EMPHASES)}")
        rate, volume, lift = EMPHASES[level]
        element.prosody = replace(
            prosody,
            rate=min(max(prosody.rate * rate, 1 / MOST_RATE), MOST_RATE),
            volume=min(prosody.volume + volume, MOST_VOLUME),
            lift=lift,
        )

    def _change(self, element: _Open) -> None:
        attributes, prosody = element.attributes, element.prosody
        rate, pitch, volume, span = prosody.rate, prosody.pitch, prosody.volume, prosody.span
        if "rate" in attributes:
            rate *= self._rate(attributes["rate"].strip())
        if "pitch" in attributes:
            pitch += self._pitch(attributes["pitch"].strip())
        if "range" in attributes:
            span *= self._span(attributes["range"].strip())
        if "volume" in attributes:
            volume += self._volume(attributes["volume"].strip())
        if not 1 / MOST_RATE <= rate <= MOST_RATE:
            raise self.refusal(f"rates within each other make {rate:g}, needs 0.1 to 10")
        if abs(pitch) > MOST_PITCH:
            raise self.refusal(f"pitches within each other make {pitch:+g}st, at most 24 semitones")
        if span > MOST_SPAN:
            raise self.refusal(f"ranges within each other make {span:g}, at most 4 times the usual")
        if volume > MOST_VOLUME:
            raise self.refusal(f"volumes within each other make {volume:+g}dB, at most 40")
        element.prosody = replace(prosody, rate=rate, pitch=pitch, volume=volume, span=span)

    def _rate(self, text: str) -> float:
        if 1 / MOST_RATE <= (value := _factor(text)) <= MOST_RATE:
            return value
        return self._one_of("rate", text, RATES, "120%, +20%, 1.2 (from 0.1 to 10)")

    def _span(self, text: str) -> float:
        if 0 <= (value := _factor(text)) <= MOST_SPAN:
            return value
        return self._one_of("range", text, SPANS, "120%, +20%, 1.2 (from 0 to 4)")

    def _pitch(self, text: str) -> float:
        if number := re.fullmatch(r"([+-]?\d*\.?\d+)(st|%)", text):
            value = float(number[1])
            value = value if number[2] == "st" else 12 * math.log2(max(0.01, 1 + value / 100))
            if abs(value) <= MOST_PITCH:
                return value
        return self._one_of("pitch", text, PITCHES, "+2st, -10% (at most 24 semitones)")

    def _volume(self, text: str) -> float:
        number = re.fullmatch(r"([+-]?\d*\.?\d+)dB", text)
        if number and abs(float(number[1])) <= MOST_VOLUME:
            return float(number[1])
        return self._one_of("volume", text, VOLUMES, "+6dB (at most 40)")

    def _one_of(self, name: str, text: str, known: dict[str, float], forms: str = "") -> float:
        """Return the value of a named level; `forms` are other forms that the value may have."""
        if text not in known:
            choices = ", ".join([*known, *([forms] if forms else [])])
            raise self.refusal(f"{name} is {text!r}, needs one of {choices}")
        return known[text]


def _factor(text: str) -> float:
    """Read a factor, as 1.2, 120% or +20%; NaN if it is none."""
    number = re.fullmatch(r"([+-]?)(\d*\.?\d+)(%?)", text)
    if not number:
        return math.nan
    value = float(number[2]) / (100 if number[3] else 1)
    return {"": value, "+": 1 + value, "-": 1 - value}[number[1]]


def _letters(text: str, _: bool) -> str:
    """Write `NASA` as `N.A.S.A.` and other characters apart, so that each is named."""
    characters = [character for character in text if not character.isspace()]
    if all(c.isascii() and c.isalpha() for c in characters) and len(characters) > 1:
        return ".".join(c.upper() for c in characters) + "."
    return " ".join(characters)


def _ordinal(text: str, english: bool) -> str:
    if not text.isdecimal() or not english:
        return text + ("." if text.isdecimal() else "")
    teen = text[-2:] in ("11", "12", "13")
    return text + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th"))


def _unchanged(text: str, _: bool) -> str:
    return text


# the value of interpret-as -> how the text is written for the normaliser
READINGS: dict[str, Callable[[str, bool], str]] = {
    **dict.fromkeys(("characters", "spell-out", "verbatim", "digits", "telephone"), _letters),
    "ordinal": _ordinal,
    **dict.fromkeys(
        ("cardinal", "number", "date", "time", "currency", "unit", "fraction", "address"),
        _unchanged,
    ),
}


def read(
    text: str,
    name: str,
    english: bool = True,
    around: Surroundings | None = None,
    lenient: bool = False,
) -> list[Passage]:
    """Return the passages of a document.

    Parameters
    ----------
    text : str
    name : str
        What errors call the document.
    english : bool
        Whether the usual voice speaks English.
    around : Surroundings, optional
        What the document may name; without it, neither voices nor recordings.
    lenient : bool
        Whether what cannot be spoken is left out, with a note, not refused.

    >>> [passage.text for passage in read("<speak>One.<s>Two.</s></speak>", "x.ssml")]
    ['One.', 'Two.']
    """
    reader = _Reader(expat.ParserCreate(), english, name, lenient, around or Surroundings())
    _parse(text, reader)
    reader.flush()
    gap = reader.current.gap
    _end_marks(reader.passages, reader.current)
    return [*reader.passages, reader.current] if gap is not None else reader.passages


def _parse(text: str, reader: _Reader) -> None:
    """Let a reader have the events of a document."""
    parser = reader.parser

    def refused(*_: object) -> None:
        raise reader.refusal("has a document type, which is not read")

    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refused
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        message = expat.errors.messages[error.code] if error.code else str(error)
        place = f"{reader.name}:{error.lineno}:{error.offset + 1}"
        raise TextError(f"not SSML: {message}", file=place) from None


def _end_marks(passages: list[Passage], rest: Passage) -> None:
    """Let the marks behind the last text stand at its end."""
    places = [place for place, passage in enumerate(passages) if passage.text]
    for place in places[-1:]:
        last = passages[place]
        ends = tuple((len(last.text.rstrip()), mark) for _, mark in rest.marks)
        passages[place] = replace(last, marks=(*last.marks, *ends))
