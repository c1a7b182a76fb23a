"""Normalisation: a text as segments, each with its place in the source.

Every character belongs to exactly one segment: words as they are read aloud, punctuation, white
space, or a character that cannot be spoken.  How numbers and abbreviations are read is in
`english.py` and in `others.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

from ttskit.text.emoji import Names
from ttskit.text.english import English
from ttskit.text.languages import CHARACTERS, LANGUAGES
from ttskit.text.others import Other
from ttskit.text.rules import PAUSE, alternatives
from ttskit.text.signs import HYPHENS, MARKS, TAG, UNSPOKEN, entity, greek

Kind = Literal["words", "phonemes", "mark", "space", "join", "drop"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a text, text[start:end], and what it is read as.

    A segment of words may hold several (`$5`: five, dollars); `phonemes` are written in the text
    between `[[ ]]`; a mark is its token, of no characters where a reading pauses; a join is a
    hyphen within a word or markup, heard as a boundary.
    """

    kind: Kind
    start: int
    end: int
    words: tuple[str, ...] = ()
    letters: bool = False  # whether letters are named: `A` is then not the article


_INLINE = re.compile(r"\[\[(?P<phonemes>[^\[\]\n]{1,1000})\]\]")
_ELLIPSIS = re.compile(r"\.{2,}|[-‐‑]{2,}|(?<=\s)-(?=\s)")
_HYPHENED = re.compile(r"[^\W\d_]{1,30}(?:-[^\W\d_]{1,30}){1,4}(?![\w-])")
_RUN = re.compile(r"\w+(?:['’]\w+)*")
_GOES_ON = re.compile(r"\w|['’]\w")
_APOSTROPHES = "'’ʼ"


class Normaliser:
    """Cuts texts of one language into segments.

    Parameters
    ----------
    language : str
    known : function
        Whether the lexicon has a word.
    own : words of the user's lexicon
        They are read as they are written; rules are tried where none of them begins.
    emoji : function, optional
        Names the emoji that begins at a place of a text; without it, an emoji is dropped.
    """

    def __init__(
        self,
        language: str,
        known: Callable[[str], bool],
        own: Collection[str] = (),
        emoji: Names | None = None,
    ) -> None:
        self.language = language
        self._reader = _reader(language, known)
        self._signs = dict(self._reader.signs) if self._reader else {}
        self._long_signs = re.compile(alternatives(sign for sign in self._signs if len(sign) > 1))
        self._own = _Own(own)
        self._known = known
        self._emoji = emoji
        self._hyphens = language != CHARACTERS and "-" in LANGUAGES[language].letters

    def segments(self, text: str) -> list[Segment]:
        """Cut `text` into segments that together cover it."""
        segments, at = list[Segment](), 0
        while at < len(text):
            segment = self._segment(text, at)
            segments += _paused(segment) if PAUSE in segment.words else [segment]
            at = segment.end
        return segments

    def _segment(self, text: str, at: int) -> Segment:
        character = text[at]
        if character.isspace():
            end = at + 1
            while end < len(text) and text[end].isspace():
                end += 1
            return Segment("space", at, end)
        if character == "[" and (inline := _INLINE.match(text, at)):
            return Segment("phonemes", at, inline.end(), (inline["phonemes"].strip(),))
        if own := self._own.end(text, at):
            return Segment("words", at, own, (text[at:own],))
        if self._emoji and (emoji := self._emoji(text, at)):
            return Segment("words", at, *emoji)
        if self._reader is None:
            return self._character(text, at)
        if read := self._reader.read(text, at):
            end, words = read
            named = any(len(word) == 1 and word.isupper() for word in words)
            return Segment("words" if words else "join", at, end, tuple(words), letters=named)
        if self._hyphens and (whole := _HYPHENED.match(text, at)) and self._known(whole[0]):
            return Segment("words", at, whole.end(), (_tidy(whole[0]),))
        if name := greek(text, at):
            return Segment("words", at, at + 1, (name,))
        if end := _word_end(text, at):
            return Segment("words", at, end, (_tidy(text[at:end]),))
        if character in "<&" and (markup := self._markup(text, at)):
            return markup
        return self._sign(text, at)

    def _markup(self, text: str, at: int) -> Segment | None:
        """Return the segment of a tag or an entity of HTML."""
        if tag := TAG.match(text, at):
            return Segment("join", at, tag.end())
        if found := entity(text, at):
            end, character = found
            return replace(self._segment(character, 0), start=at, end=end)
        return None

    def _sign(self, text: str, at: int) -> Segment:
        """Return the segment of a character that is neither in a word nor in a number."""
        character = text[at]
        if long := self._long_signs.match(text, at):
            return Segment("words", at, long.end(), tuple(self._signs[long[0]].split()))
        if marks := _ELLIPSIS.match(text, at):
            token = "…" if character == "." else "—"
            return Segment("mark", at, marks.end(), (token,))
        if character in HYPHENS:
            return Segment("join", at, at + 1)
        if mark := MARKS.get(character):
            return Segment("mark", at, at + 1, (mark,))
        if character == "/" and _between_letters(text, at):
            return Segment("join", at, at + 1)
        if character in UNSPOKEN and not _stands_apart(text, at):
            return Segment("join", at, at + 1)
        if name := self._signs.get(character):
            return Segment("words", at, at + 1, tuple(name.split()))
        return self._figure(character, at) or Segment("drop", at, at + 1)

    def _figure(self, character: str, at: int) -> Segment | None:
        """Return the segment of a whole number in one character: ②, Ⅷ."""
        value = unicodedata.numeric(character, None)
        if value is None or value % 1 or not self._reader or not self._reader.speaks_numbers:
            return None
        return Segment("words", at, at + 1, tuple(self._reader.numbers.cardinal(int(value))))

    def _character(self, text: str, at: int) -> Segment:
        """Return the segment at `at` in `characters`: a word is whatever stands between marks."""
        end = at
        while end < len(text) and not text[end].isspace() and not _separates(text, end):
            end += 1
        if end > at:
            return Segment("words", at, end, (text[at:end],))
        if marks := _ELLIPSIS.match(text, at):
            return Segment("mark", at, marks.end(), ("…" if text[at] == "." else "—",))
        if text[at] in HYPHENS:
            return Segment("join", at, at + 1)
        mark = MARKS.get(text[at])
        return Segment("mark", at, at + 1, (mark,)) if mark else Segment("drop", at, at + 1)


def _reader(language: str, known: Callable[[str], bool]) -> English | Other | None:
    if language == CHARACTERS:
        return None
    return English(known) if language == "en-us" else Other(language, known)


def _paused(segment: Segment) -> list[Segment]:
    """Cut a segment of words where its reading pauses."""
    words, pieces = list(segment.words), list[Segment]()
    while PAUSE in words:
        cut = words.index(PAUSE)
        pieces.append(replace(segment, words=tuple(words[:cut])))
        pieces.append(Segment("mark", segment.end, segment.end, (",",)))
        words = words[cut + 1 :]
    return [*pieces, replace(segment, words=tuple(words))]


class _Own:
    """Finds the words of the user's lexicon, in any case, where they begin in a text.

    Such a word ends where no letter follows.  So its first run of letters is certain, and only a
    few lengths are to be tried after that, however many words the lexicon has.
    """

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._tails: dict[str, list[int]] = {}  # how words begin -> characters after that
        for word in sorted(words, key=len, reverse=True):
            run = _run_end(word, 0)
            tails = self._tails.setdefault(word[:run], [])
            if len(word) - run not in tails:
                tails.append(len(word) - run)

    def end(self, text: str, at: int) -> int:
        """Return the end of the longest word that begins at `at`, 0 if none does."""
        if not self._words or (at and text[at - 1].isalnum()):
            return 0
        run = _run_end(text, at)
        for tail in self._tails.get(text[at:run].casefold(), ()):
            end = run + tail
            whole = end <= len(text) and not _GOES_ON.match(text, end)
            if whole and text[at:end].casefold() in self._words:
                return end
        return 0


def _run_end(text: str, at: int) -> int:
    """Return the end of the letters and figures that begin at `at`, or of the one other sign."""
    run = _RUN.match(text, at)
    return run.end() if run else at + 1


def _word_end(text: str, at: int) -> int:
    """Return the end of the word of letters that begins at `at`, 0 if none does.

    An apostrophe belongs to a word if letters follow it (`don't`).
    """
    end = at
    while end < len(text):
        character = text[end]
        inside = character.isalpha() or (end > at and unicodedata.category(character)[0] == "M")
        if not inside and character in _APOSTROPHES and end > at:
            inside = end + 1 < len(text) and text[end + 1].isalpha()
        if not inside and character == "\u200c" and end > at:  # joins two parts of a Persian word
            inside = end + 1 < len(text) and text[end + 1].isalpha()
        if not inside:
            break
        end += 1
    return end if end > at else 0


def _tidy(word: str) -> str:
    """Return a word as lexicons write it: composed, with a plain apostrophe."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", word).replace("’", "'").replace("ʼ", "'")


def _between_letters(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isalpha() and text[at + 1].isalpha()


def _stands_apart(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return (not before or before.isspace()) and (not after or after.isspace() or after.isdigit())


def _separates(text: str, at: int) -> bool:
    """Whether the character at `at` ends a word in the language `characters`."""
    character = text[at]
    if character in "'’":
        return not _between_letters(text, at)
    if character in MARKS or character in HYPHENS:
        return True
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn"}
