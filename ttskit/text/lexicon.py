"""The user's lexicon: how words are pronounced that are not, or are wrong, in gruut's.

A line is `word TAB phonemes`, with an optional third column: a language (`en-us`), and then the
line counts in that language only, or a part of speech as the tagger names it (`VB`, `NN`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ttskit.errors import TextError
from ttskit.text.symbols import parse, resolve, writable

_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][A-Za-z]{2})?|characters")


@dataclass(frozen=True)
class Lexicon:
    """Words in any case -> part of speech ("" is any) -> phonemes."""

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
    """Return the form under which a word is kept."""
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
    lines : those of a voice, before the files
    """
    entries: dict[str, dict[str, tuple[str, ...]]] = {}
    known = writable(table)
    sources = ((str(path), lines_of(path)) for path in paths)
    for name, listed in chain([("lexicon of the voice", lines)], sources):
        for number, line in enumerate(listed, start=1):
            if not line.strip() or (line.startswith("#") and "\t" not in line):
                continue
            found = _entry(line, f"{name}:{number}", language, known)
            if found:
                word, role, phonemes = found
                roles = entries.setdefault(key(word), {})
                if not role:
                    roles.clear()
                roles[role] = phonemes
    return Lexicon(entries)


def _entry(
    line: str, where: str, language: str, known: frozenset[str]
) -> tuple[str, str, tuple[str, ...]] | None:
    columns = [column.strip() for column in line.split("\t")]
    if not 2 <= len(columns) <= 3 or not columns[0] or not columns[1]:
        raise TextError(
            f"{where}: {len(columns)} column(s) in {line.strip()!r}; right would be "
            "word TAB phonemes, with a part of speech or a language after another TAB if you like"
        )
    word, written, role = columns[0], columns[1], columns[2] if len(columns) == 3 else ""
    if _LANGUAGE.fullmatch(role):
        try:
            named = resolve(role)
        except TextError as error:
            raise TextError(f"{where}: {error}") from None
        if named != language:
            return None
        role = ""
    if re.search(r"\s", word):
        raise TextError(f"{where}: {word!r} is more than one word; give each word its own line")
    try:
        return word, role.upper(), parse(written, known)
    except TextError as error:
        raise TextError(f"{where}: word {word!r}: {error}") from None


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file in UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TextError(f"{path}: {error.strerror or error}") from None
    lines = list[str]()
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            lines.append(raw.decode("utf-8").rstrip("\r"))
        except UnicodeDecodeError as error:
            raise TextError(
                f"{path}:{number}: byte 0x{raw[error.start]:02x} is not UTF-8; convert the file "
                "to UTF-8 first"
            ) from None
    return lines
