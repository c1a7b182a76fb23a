"""The symbol table of each language: fixed, so that models of one language share it.

A table holds the special symbols, then the phonemes.  Stress (in Swedish: tone) is part of the
symbol: `æ`, `ˈæ` and `ˌæ` are three symbols, because that is how the lexicon marks it and a model
then needs no rule about what the mark belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ttskit.errors import TextError
from ttskit.text.languages import CHARACTERS, LANGUAGES, resolve

PAD, BEGIN, END, BOUNDARY = "<pad>", "<begin>", "<end>", "#"
PUNCTUATION = (*'.,!?;:…—()"', "¿", "¡")
SPECIAL = (PAD, BEGIN, END, BOUNDARY, *PUNCTUATION)
HASH = "＃"  # how a `#` of the text is written in `characters`, where `#` is the boundary


def symbols(language: str) -> tuple[str, ...]:
    """Return the fixed symbol table of `language`; the place of a symbol is its number.

    >>> symbols("en-us")[:5], symbols("en-us").index("ˈæ"), len(symbols("en-us"))
    (('<pad>', '<begin>', '<end>', '#', '.'), 60, 89)
    """
    name = resolve(language)
    if name == CHARACTERS:
        raise TextError(
            "language 'characters' has no fixed symbol table: it comes from the texts of a corpus "
            "(ttskit.text.spelling.character_symbols) and is passed on with the model"
        )
    return (*SPECIAL, *LANGUAGES[name].phonemes())


def writable(table: Iterable[str]) -> frozenset[str]:
    """Return the symbols of a table that written phonemes may contain: no mark, no end."""
    return frozenset(table).difference(SPECIAL) | {BOUNDARY}


def parse(phonemes: str, known: frozenset[str]) -> tuple[str, ...]:
    """Split written phonemes into symbols.

    Parameters
    ----------
    phonemes : str
        Apart (`h ə l ˈoʊ`) or together (`həlˈoʊ`: the longest symbol wins).  A stress mark before
        a consonant (`həˈloʊ`) moves on to the next symbol that can bear it.
    known : symbols
        The `writable` ones of a table; TextError names a symbol that is not among them.

    >>> parse("həˈloʊ", writable(symbols("en-us")))
    ('h', 'ə', 'l', 'ˈoʊ')
    """
    parsed, stress = list[str](), ""
    for chunk in phonemes.split():
        while chunk:
            symbol = _longest(chunk, known)
            if not symbol and not stress and chunk[0] in "ˈˌ":
                stress, chunk = chunk[0], chunk[1:]
                continue
            if not symbol:
                raise TextError(_unknown(chunk, known))
            if stress and stress + symbol in known:
                parsed.append(stress + symbol)
                stress = ""
            else:
                parsed.append(symbol)
            chunk = chunk[len(symbol) :]
    if stress:
        raise TextError(f"the stress mark {stress!r} has no vowel after it")
    return tuple(parsed)


def _longest(chunk: str, known: frozenset[str]) -> str:
    return next((chunk[:size] for size in range(5, 0, -1) if chunk[:size] in known), "")


def _unknown(chunk: str, known: frozenset[str]) -> str:
    from difflib import get_close_matches

    bare = chunk.lstrip("ˈˌ")
    contained = [symbol for symbol in sorted(known) if symbol.lstrip("ˈˌ²'") in bare and symbol]
    near = get_close_matches(chunk, sorted(known), 3, 0.3) or contained[:3]
    hint = f"; near it are {' '.join(near)}" if near else ""
    return f"symbol {chunk!r} is not in the symbol table{hint}"


def language_of(table: Sequence[str]) -> str:
    """Return the language that a table of symbols is of; "" if of none, or of several.

    A table of single characters, which depends on a corpus, is of `characters`.

    >>> language_of(symbols("nl"))
    'nl'
    """
    table = tuple(table)
    own = table[len(SPECIAL) :]
    if table[: len(SPECIAL)] != SPECIAL or not own:
        return ""
    for name, language in LANGUAGES.items():
        if own == language.phonemes():
            return name
    return CHARACTERS if all(len(symbol) == 1 for symbol in own) else ""
