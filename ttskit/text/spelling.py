"""Spelling: a text as the sequence of tokens that models are trained on and that is spoken.

The entry point of the text side.  `Speller(language).spell(text)` normalises, pronounces and
lays out tokens: begin, the symbols of each word, a boundary between two words, punctuation, end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ttskit.errors import TextError, UsageError, exits
from ttskit.text import lexicon as user_lexicon
from ttskit.text.emoji import names
from ttskit.text.languages import CHARACTERS, resolve
from ttskit.text.lexicon import Lexicon
from ttskit.text.normalise import Normaliser, Segment
from ttskit.text.phonemes import Pronouncer
from ttskit.text.symbols import (
    BEGIN,
    BOUNDARY,
    END,
    HASH,
    PUNCTUATION,
    SPECIAL,
    parse,
    symbols,
    writable,
)

_OPENING = frozenset("(¿¡")
_Mark = tuple[str, bool]  # a token of punctuation, and whether it belongs to the word after it


@dataclass(frozen=True, slots=True)
class Drop:
    """A character that is not spoken, and its offset in the text."""

    character: str
    offset: int

    def __str__(self) -> str:
        return f"U+{ord(self.character):04X} at {self.offset}"


@dataclass(frozen=True, slots=True)
class Spelling:
    """A text as tokens, and where in the text they are from.

    text : the text as it is read aloud
    tokens : (token,) symbols of the table
    token_word : (token,) int, the word that a token belongs to; -1 for begin, end, boundary and
        punctuation
    words : (word,) as normalised
    spans : (word, 2) int, start and end in the source; several words may share a span
    marks : (mark, 2) int, start and end of punctuation and hyphens in the source
    drops : characters of the source that are not spoken
    guessed : (word,) bool, whether the pronunciation is a guess
    """

    text: str
    tokens: tuple[str, ...]
    token_word: tuple[int, ...]
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    marks: tuple[tuple[int, int], ...]
    drops: tuple[Drop, ...]
    guessed: tuple[bool, ...]

    def phonemes(self, word: int) -> tuple[str, ...]:
        """Return the symbols of one word."""
        return tuple(t for t, w in zip(self.tokens, self.token_word, strict=True) if w == word)


@dataclass(slots=True)
class _Word:
    """A word of a segment of the text, and its pronunciation."""

    text: str
    segment: Segment
    symbols: Sequence[str] = ()
    guessed: bool = False
    unknown: str = ""  # characters that no symbol stands for


class Speller:
    """Spells texts of one language.  Picklable: in another process it opens its own files.

    Parameters
    ----------
    language : str
        `en-us`, `de`, ...; `characters` for a language without phonemes.
    lexicons : files
        Pronunciations of the user's, `word TAB phonemes` a line; later files win.
    table : symbols, optional
        For `characters`: the table of the model; characters outside it are dropped.
    fold : bool
        For `characters`: ignore upper and lower case.
    lines : lines of a lexicon
        Those of a voice; the files win.
    emoji : bool
        Name emoji (extra `emoji`), instead of dropping them.

    Examples
    --------
    >>> spelling = Speller("en-us").spell("It cost $5.")
    >>> spelling.words
    ('It', 'cost', 'five', 'dollars')
    >>> spelling.spans
    ((0, 2), (3, 7), (8, 10), (8, 10))
    >>> " ".join(spelling.tokens)
    '<begin> ˈɪ t # k ˈɔ s t # f ˈaɪ v # d ˈɑ l ɚ z . <end>'
    """

    def __init__(
        self,
        language: str = "en-us",
        lexicons: Iterable[Path] = (),
        table: Sequence[str] | None = None,
        fold: bool = False,
        lines: Sequence[str] = (),
        emoji: bool = False,
    ) -> None:
        with exits(2):
            self.language = resolve(language)
        self.fold, self.emoji = fold, emoji
        self.table = tuple(table or ()) if self.language == CHARACTERS else symbols(language)
        if self.language == CHARACTERS and any(len(s) > 1 for s in {*self.table} - {*SPECIAL}):
            raise TextError("the model was trained on phonemes: name the --language they are of")
        paths = list(lexicons)
        if paths and self.language == CHARACTERS:
            raise UsageError("--lexicon: the language 'characters' has no phonemes to list")
        self.lexicon = Lexicon()
        if paths or lines:
            self.lexicon = user_lexicon.read(paths, self.language, self.table, lines)
        self._pronouncer = (
            None if self.language == CHARACTERS else Pronouncer(self.language, self.lexicon)
        )
        self._normaliser = self._reading()

    def _reading(self) -> Normaliser:
        known = self._pronouncer.known if self._pronouncer else (lambda _: True)
        named = names(self.language) if self.emoji else None
        return Normaliser(self.language, known, self.lexicon.entries, named)

    def __getstate__(self) -> dict[str, object]:
        kept = ("language", "fold", "table", "lexicon", "emoji")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(str(state["language"]), (), state["table"], bool(state["fold"]))  # type: ignore
        self.lexicon = state["lexicon"]  # type: ignore[assignment]
        if self._pronouncer:
            self._pronouncer.lexicon = self.lexicon
        self.emoji = bool(state["emoji"])
        self._normaliser = self._reading()

    def spell(self, text: str) -> Spelling:
        """Return the tokens of a text, with the words and places that they come from."""
        segments = self._normaliser.segments(text)
        return self._lay_out(text, segments, self._pronounced(segments))

    def _pronounced(self, segments: list[Segment]) -> list[_Word]:
        """Return every word of the text with its pronunciation, which may be empty."""
        words = [
            _Word(text, segment)
            for segment in segments
            if segment.kind in {"words", "phonemes"}
            for text in segment.words
        ]
        plain = [word for word in words if word.segment.kind == "words"]
        for word in words:
            if word.segment.kind == "phonemes":
                self._parse(word)
        if self._pronouncer is None:
            for word in plain:
                self._characters(word)
            return words
        pronunciations = self._pronouncer.pronounce(
            [word.text for word in plain], [word.segment.letters for word in plain]
        )
        for word, pronunciation in zip(plain, pronunciations, strict=True):
            word.symbols, word.guessed = pronunciation.phonemes, pronunciation.guessed
            word.unknown = pronunciation.unknown
        return words

    def _parse(self, word: _Word) -> None:
        """Take the phonemes that the text itself has between `[[ ]]`."""
        phonemes, word.text = word.text, f"[[{word.text}]]"
        if self._pronouncer is None:
            raise TextError(f"{word.text}: the language 'characters' has no phonemes")
        try:
            word.symbols = parse(phonemes, writable(self.table))
        except TextError as error:
            raise TextError(f"{word.text} at character {word.segment.start + 1}: {error}") from None

    def _characters(self, word: _Word) -> None:
        word.text = unicodedata.normalize("NFC", word.text.casefold() if self.fold else word.text)
        characters = [HASH if character == BOUNDARY else character for character in word.text]
        word.symbols = [c for c in characters if not self.table or c in self.table]
        word.unknown = "".join(c for c in characters if self.table and c not in self.table)

    def _lay_out(self, text: str, segments: list[Segment], words: list[_Word]) -> Spelling:
        tokens, token_word, marks = [BEGIN], [-1], list[_Mark]()
        spoken = [word for word in words if word.symbols]
        of_segment = {id(segment): list[tuple[int, _Word]]() for segment in segments}
        for number, word in enumerate(spoken):
            of_segment[id(word.segment)].append((number, word))
        for segment in segments:
            if segment.kind == "mark":
                mark = (segment.words[0], _opens(text, segment))
                marks += [mark] if marks[-1:] != [mark] else []
            for number, word in of_segment[id(segment)]:
                between = _between(marks, inner=number > 0)
                tokens += [*between, *word.symbols]
                token_word += [-1] * len(between) + [number] * len(word.symbols)
                marks = []
        tail = [*(token for token, _ in marks), END]
        return Spelling(
            text=_normalised(text, segments, words),
            tokens=(*tokens, *tail),
            token_word=(*token_word, *(-1 for _ in tail)),
            words=tuple(word.text for word in spoken),
            spans=tuple((word.segment.start, word.segment.end) for word in spoken),
            marks=tuple(
                (s.start, s.end) for s in segments if s.kind in {"mark", "join"} and s.start < s.end
            ),
            drops=tuple(_drops(text, segments, words)),
            guessed=tuple(word.guessed for word in spoken),
        )


def character_symbols(texts: Iterable[str], fold: bool = False) -> tuple[str, ...]:
    """Return the table of `characters` for a corpus: the special symbols, then its characters.

    A character that is not in the table is reported as dropped.

    >>> character_symbols(["Öl, ja"])[len(SPECIAL):]
    ('a', 'j', 'l', 'Ö')
    """
    speller = Speller(CHARACTERS, fold=fold)
    characters = {token for text in texts for token in speller.spell(text).tokens}
    return (*SPECIAL, *sorted(characters.difference(SPECIAL)))


def spelt(text: str, table: Sequence[str]) -> Spelling:
    """Spell a text of phonemes, as `ttskit text --phonemes` writes them.

    Phonemes stand apart, words by `#` or `|`; each run of phonemes is a word.

    >>> spelt("h ə l ˈoʊ | ð ɛ ɹ", symbols("en-us")).words
    ('həlˈoʊ', 'ðɛɹ')
    """
    tokens, token_word, words, spans = [BEGIN], [-1], list[str](), list[tuple[int, int]]()
    known = writable(table)
    for chunk in re.finditer(r"\S+", text):
        written = BOUNDARY if chunk[0] == "|" else chunk[0]
        if written == BOUNDARY or written in PUNCTUATION:
            tokens.append(written)
            token_word.append(-1)
            continue
        phonemes = parse(written, known)
        if token_word[-1] < 0:
            words.append("")
            spans.append(chunk.span())
        words[-1] += "".join(phonemes)
        spans[-1] = (spans[-1][0], chunk.end())
        tokens += phonemes
        token_word += [len(words) - 1] * len(phonemes)
    return Spelling(
        text=text,
        tokens=(*tokens, END),
        token_word=(*token_word, -1),
        words=tuple(words),
        spans=tuple(spans),
        marks=(),
        drops=(),
        guessed=(False,) * len(words),
    )


def _normalised(text: str, segments: list[Segment], words: list[_Word]) -> str:
    """Write the words that are spoken and the punctuation, spaced as the source is."""
    of_segment = {id(segment): list[str]() for segment in segments}
    for word in words:
        of_segment[id(word.segment)] += [word.text] if word.symbols else []
    written, glued = "", True  # whether the next word follows without a space
    for segment in segments:
        if segment.kind == "mark":
            opens = _opens(text, segment)
            written += " " if opens and not glued else ""
            source = text[segment.start : segment.end]  # "" for a pause, `&quot;` for a quote
            plain = source and source[0] != "&"
            written, glued = written + (source if plain else segment.words[0]), opens
        elif segment.kind == "space":
            written, glued = written.rstrip() + " ", True
        elif spoken := " ".join(of_segment[id(segment)]):
            written, glued = written + ("" if glued else " ") + spoken, False
    return written.strip()


def _between(marks: list[_Mark], inner: bool) -> list[str]:
    """Lay out the marks between two words: those that open something follow the boundary."""
    after = len(marks)
    while after and marks[after - 1][1]:
        after -= 1
    tokens = [token for token, _ in marks]
    return [*tokens[:after], *([BOUNDARY] if inner else []), *tokens[after:]]


def _opens(text: str, segment: Segment) -> bool:
    """Whether a mark belongs to the word after it."""
    if segment.words[0] in _OPENING:
        return True
    before, after = text[segment.start - 1 : segment.start], text[segment.end : segment.end + 1]
    quote = segment.words[0] == '"' and (not before or before.isspace() or before in "([{—–")
    return quote and bool(after) and not after.isspace()


def _drops(text: str, segments: list[Segment], words: list[_Word]) -> list[Drop]:
    """List every character that is not spoken, in order."""
    unknown_of = {id(word.segment): word.unknown for word in words if word.unknown}
    spoken = {id(word.segment) for word in words if word.symbols}
    drops = list[Drop]()
    for segment in segments:
        unknown = unknown_of.get(id(segment), "")
        mute = segment.kind in {"words", "phonemes"} and id(segment) not in spoken
        for offset in range(segment.start, segment.end):
            character = text[offset]
            lost = character in unknown or character.lower() in unknown
            if segment.kind == "drop" or (mute and not character.isspace()) or (lost and unknown):
                drops.append(Drop(character, offset))
    return drops
