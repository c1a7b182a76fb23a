"""The user's lexicon: pronunciations that gruut's lexicon lacks or has wrong.

A line is `word TAB phonemes`, with an optional third column: a language (`en-us`), and then the
line counts in that language only, or a part of speech as the tagger names it (`VB`, `NN`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ttskit.errors import TextError, at
from ttskit.text.languages import resolve
from ttskit.text.lines import InputLine, read_lines
from ttskit.text.symbols import parse, writable

_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][A-Za-z]{2})?|characters")


@dataclass(frozen=True)
class Lexicon:
    """Pronunciations of words, whose case does not matter.

    entries : word, as `key` gives it -> part of speech ("" is any) -> phonemes
    """

    entries: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def find(self, word: str, tag: str = "") -> tuple[str, ...] | None:
        """Return the phonemes of `word`: as this part of speech, else as any."""
        roles = self.entries.get(key(word))
        if not roles:
            return None
        return roles.get(tag) or roles.get("") or next(iter(roles.values()))

    def tagged(self, word: str) -> bool:
        """Whether the part of speech matters for `word`."""
        roles = self.entries.get(key(word))
        return roles is not None and len(roles) > 1


def key(word: str) -> str:
    """Return the form of a word that all its spellings share.

    >>> key("McDonald’s")
    "mcdonald's"
    """
    return word.casefold().replace("’", "'")


def read(
    paths: Iterable[Path], language: str, table: Sequence[str], lines: Sequence[str] = ()
) -> Lexicon:
    """Read lexicon files; where two name the same word, the later one wins.

    Parameters
    ----------
    paths : files
    language : str
        Lines of another language are passed over.
    table : symbols
        Every phoneme must be in it; TextError names file, line and symbol otherwise.
    lines : lines of the lexicon of a voice
        They are read before the files.
    """
    entries: dict[str, dict[str, tuple[str, ...]]] = {}
    known = writable(table)
    of_voice = (
        InputLine(f"lexicon of the voice:{number}", line) for number, line in enumerate(lines, 1)
    )
    for place, line in chain(of_voice, *map(read_lines, paths)):
        if not line.strip() or (line.startswith("#") and "\t" not in line):
            continue
        entry = _entry(line, place, language, known)
        if entry:
            word, role, phonemes = entry
            roles = entries.setdefault(key(word), {})
            if not role:
                roles.clear()
            roles[role] = phonemes
    return Lexicon(entries)


def _entry(
    line: str, place: str, language: str, known: frozenset[str]
) -> tuple[str, str, tuple[str, ...]] | None:
    """Return word, part of speech and phonemes; None for a line of another language."""
    columns = [column.strip() for column in line.split("\t")]
    if not 2 <= len(columns) <= 3 or not columns[0] or not columns[1]:
        raise TextError(
            f"{len(columns)} column(s) in {line.strip()!r}; needs word TAB phonemes, and after "
            "another TAB a part of speech or a language if you like",
            file=place,
        )
    word, written, role = columns[0], columns[1], columns[2] if len(columns) == 3 else ""
    if _LANGUAGE.fullmatch(role):
        with at(place):
            named = resolve(role)
        if named != language:
            return None
        role = ""
    if re.search(r"\s", word):
        raise TextError(f"{word!r} is more than one word; give each word its own line", file=place)
    try:
        return word, role.upper(), parse(written, known)
    except TextError as error:
        raise TextError(f"word {word!r}: {error}", file=place) from None
