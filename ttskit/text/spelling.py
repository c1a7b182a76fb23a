"""Spelling: a text as the sequence of tokens that models are trained on and that is spoken.

The one entry point of the text side.  `Speller(language).spell(text)` normalises, pronounces and
lays out tokens: begin, the symbols of each word, a boundary between two words, punctuation, end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ttskit.errors import TextError
from ttskit.text import lexicon as lexicons_
from ttskit.text.lexicon import Lexicon
from ttskit.text.normalise import Normaliser, Piece
from ttskit.text.phonemes import Pronouncer
from ttskit.text.symbols import (
    BEGIN,
    BOUNDARY,
    CHARACTERS,
    END,
    HASH,
    PUNCTUATION,
    SPECIAL,
    parse,
    resolve,
    symbols,
    writable,
)

_OPENING = frozenset("(¿¡")


@dataclass(frozen=True, slots=True)
class Drop:
    """A character that is not spoken, and its offset in the text."""

    character: str
    offset: int

    def __str__(self) -> str:
        return f"U+{ord(self.character):04X} at {self.offset}"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a text is spoken as.

    text : the text as it is read aloud
    tokens : (token,) symbols of the language's table
    token_word : (token,) int, the word that a token belongs to; -1 for begin, end, boundary and
        punctuation
    words : (word,) as normalised
    spans : (word, 2) int, start and end in the source; several words may share a span
    marks : (mark, 2) int, where the source has punctuation or a hyphen
    drops : characters that are not spoken
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
class _Spoken:
    """A word on its way into a Spelling."""

    text: str
    piece: Piece
    symbols: Sequence[str] = ()
    guessed: bool = False
    unknown: str = ""


class Speller:
    """Spells texts of one language.  Picklable: in another process it opens its own files.

    Parameters
    ----------
    language : str
        `en-us`, `de`, ...; `characters` for a language without phonemes.
    lexicons : files
        The user's, `word TAB phonemes`; later ones win.
    table : symbols, optional
        For `characters`: the table of the model; characters outside it are dropped.
    fold : bool
        For `characters`: upper and lower case are one.
    lines : lines of a lexicon
        Those of a voice; the files win.
    """

    def __init__(
        self,
        language: str = "en-us",
        lexicons: Iterable[Path] = (),
        table: Sequence[str] | None = None,
        fold: bool = False,
        lines: Sequence[str] = (),
    ) -> None:
        self.language = resolve(language)
        self.fold = fold
        self.table = tuple(table or ()) if self.language == CHARACTERS else symbols(language)
        if self.language == CHARACTERS and any(len(s) > 1 for s in {*self.table} - {*SPECIAL}):
            raise TextError("the model was trained on phonemes: name the --language they are of")
        paths = list(lexicons)
        if paths and self.language == CHARACTERS:
            raise TextError("--lexicon: the language 'characters' has no phonemes to list")
        self.lexicon = Lexicon()
        if paths or lines:
            self.lexicon = lexicons_.read(paths, self.language, self.table, lines)
        self._pronouncer = (
            None if self.language == CHARACTERS else Pronouncer(self.language, self.lexicon)
        )
        known = self._pronouncer.known if self._pronouncer else (lambda _: True)
        self._normaliser = Normaliser(self.language, known, self.lexicon.entries)

    def __getstate__(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("language", "fold", "table", "lexicon")}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(str(state["language"]), (), state["table"], bool(state["fold"]))  # type: ignore
        self.lexicon = state["lexicon"]  # type: ignore[assignment]
        if self._pronouncer:
            self._pronouncer.lexicon = self.lexicon
            self._normaliser = Normaliser(
                self.language, self._pronouncer.known, self.lexicon.entries
            )

    def spell(self, text: str) -> Spelling:
        """Return the tokens of a text, with the words and places that they come from."""
        pieces = self._normaliser.pieces(text)
        return self._lay_out(text, pieces, self._speak(pieces))

    def _speak(self, pieces: list[Piece]) -> list[_Spoken]:
        """Pronounce every word of the text, silent ones included."""
        spoken = [_Spoken(word, piece) for piece in pieces if piece.words for word in piece.words]
        spoken = [word for word in spoken if word.piece.kind in {"words", "phonemes"}]
        for word in spoken:
            if word.piece.kind == "phonemes":
                word.symbols = self._written(word)
        plain = [word for word in spoken if word.piece.kind == "words"]
        if self._pronouncer is None:
            for word in plain:
                self._characters(word)
            return spoken
        said = self._pronouncer.pronounce([w.text for w in plain], [w.piece.letters for w in plain])
        for word, how in zip(plain, said, strict=True):
            word.symbols, word.guessed, word.unknown = how.phonemes, how.guessed, how.unknown
        return spoken

    def _written(self, word: _Spoken) -> Sequence[str]:
        """Take the phonemes that the text itself gives between `[[ ]]`."""
        inner, word.text = word.text, f"[[{word.text}]]"
        if self._pronouncer is None:
            raise TextError(f"{word.text}: the language 'characters' has no phonemes")
        try:
            return parse(inner, writable(self.table))
        except TextError as error:
            raise TextError(f"{word.text} at character {word.piece.start + 1}: {error}") from None

    def _characters(self, word: _Spoken) -> None:
        word.text = unicodedata.normalize("NFC", word.text.casefold() if self.fold else word.text)
        wanted = [HASH if character == BOUNDARY else character for character in word.text]
        word.symbols = [c for c in wanted if not self.table or c in self.table]
        word.unknown = "".join(c for c in wanted if self.table and c not in self.table)

    def _lay_out(self, text: str, pieces: list[Piece], words: list[_Spoken]) -> Spelling:
        tokens, owner, waiting = [BEGIN], [-1], list[tuple[str, bool]]()
        voiced = [word for word in words if word.symbols]
        at = {id(piece): list[tuple[int, _Spoken]]() for piece in pieces}
        for number, word in enumerate(voiced):
            at[id(word.piece)].append((number, word))
        for piece in pieces:
            if piece.kind == "mark":
                mark = (piece.words[0], _opens(text, piece))
                waiting += [mark] if waiting[-1:] != [mark] else []
            for number, word in at[id(piece)]:
                between = _between(waiting, inner=number > 0)
                tokens += [*between, *word.symbols]
                owner += [-1] * len(between) + [number] * len(word.symbols)
                waiting = []
        tail = [*(token for token, _ in waiting), END]
        return Spelling(
            text=_written_out(text, pieces, words),
            tokens=(*tokens, *tail),
            token_word=(*owner, *(-1 for _ in tail)),
            words=tuple(word.text for word in voiced),
            spans=tuple((word.piece.start, word.piece.end) for word in voiced),
            marks=tuple((p.start, p.end) for p in pieces if p.kind in {"mark", "join"}),
            drops=tuple(_drops(text, pieces, words)),
            guessed=tuple(word.guessed for word in voiced),
        )


def spelt(text: str, table: Sequence[str]) -> Spelling:
    """Return phonemes that are written out, as `ttskit text --phonemes` writes them.

    They stand apart, words by `#` or `|`; each run of phonemes is a word.
    """
    tokens, owner, words, spans = [BEGIN], [-1], list[str](), list[tuple[int, int]]()
    known = writable(table)
    for chunk in re.finditer(r"\S+", text):
        written = BOUNDARY if chunk[0] == "|" else chunk[0]
        if written == BOUNDARY or written in PUNCTUATION:
            tokens.append(written)
            owner.append(-1)
            continue
        found = parse(written, known)
        if owner[-1] < 0:
            words.append("")
            spans.append(chunk.span())
        words[-1] += "".join(found)
        spans[-1] = (spans[-1][0], chunk.end())
        tokens += found
        owner += [len(words) - 1] * len(found)
    return Spelling(
        text=text,
        tokens=(*tokens, END),
        token_word=(*owner, -1),
        words=tuple(words),
        spans=tuple(spans),
        marks=(),
        drops=(),
        guessed=(False,) * len(words),
    )


def _written_out(text: str, pieces: list[Piece], words: list[_Spoken]) -> str:
    """Write the words that are spoken and the punctuation, spaced as the source is."""
    said = {id(piece): list[str]() for piece in pieces}
    for word in words:
        said[id(word.piece)] += [word.text] if word.symbols else []
    written, glued = "", True
    for piece in pieces:
        if piece.kind == "mark":
            opens = _opens(text, piece)
            written += " " if opens and not glued else ""
            written, glued = written + text[piece.start : piece.end], opens
        elif piece.kind == "space":
            written, glued = written.rstrip() + " ", True
        elif found := " ".join(said[id(piece)]):
            written, glued = written + ("" if glued else " ") + found, False
    return written.strip()


def _between(marks: list[tuple[str, bool]], inner: bool) -> list[str]:
    """Lay out the marks between two words: those that open something follow the boundary."""
    after = len(marks)
    while after and marks[after - 1][1]:
        after -= 1
    tokens = [token for token, _ in marks]
    return [*tokens[:after], *([BOUNDARY] if inner else []), *tokens[after:]]


def _opens(text: str, piece: Piece) -> bool:
    """Whether a mark belongs to the word after it."""
    if piece.words[0] in _OPENING:
        return True
    before, after = text[piece.start - 1 : piece.start], text[piece.end : piece.end + 1]
    quote = piece.words[0] == '"' and (not before or before.isspace() or before in "([{—–")
    return quote and bool(after) and not after.isspace()


def _drops(text: str, pieces: list[Piece], words: list[_Spoken]) -> list[Drop]:
    """List every character that is not spoken, in order."""
    silent = {id(word.piece): word.unknown for word in words if word.unknown}
    voiced = {id(word.piece) for word in words if word.symbols}
    found = list[Drop]()
    for piece in pieces:
        unknown = silent.get(id(piece), "")
        mute = piece.kind in {"words", "phonemes"} and id(piece) not in voiced
        for offset in range(piece.start, piece.end):
            character = text[offset]
            lost = character in unknown or character.lower() in unknown
            if piece.kind == "drop" or (mute and not character.isspace()) or (lost and unknown):
                found.append(Drop(character, offset))
    return found
