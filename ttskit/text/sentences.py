"""Sentences: where one ends, in time linear in the text."""

from __future__ import annotations

import re
import unicodedata

from ttskit.text.languages import resolve

# A run of marks that can end a sentence, with the quotes and brackets that close behind it; or
# an empty line.  Possessive, so that no text makes it try twice.
_END = re.compile(
    r"(?P<wide>[。！？｡]++[」』）”’\"'）\]]*+)"
    r"|(?P<marks>[.!?…؟۔।॥։።]++)(?P<closers>[\"'”’»)\]}]*+)(?=\s|\Z)"
    r"|(?P<paragraph>\n[^\S\n]*\n\s*)"
)
_SPACE = re.compile(r"\s*+")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘„«]*\Z")
_LINE_START = re.compile(r"(?:\A|\n)[ \t]*\d{1,3}\Z")
_DOTTED = re.compile(r"(?:\w\.)+\w")
_BEFORE = 40  # characters looked back for the word before a full stop

# No sentence ends after these: a name or a number follows.
_TITLES = frozenset(
    """
    mr mrs ms messrs mme mlle prof rev fr sr gen col maj capt cpt lt sgt cmdr gov sen rep hon
    pres supt ald mt vol pp fig figs ch sec eq vs viz cf e.g i.e ed eds trans approx ca
    hr fr dhr mevr drs ir ing nr bzw z.b d.h u.a o.ä v.a vgl ggf bijv b.v bv d.w.z o.a
    """.split()
)
# A sentence ends after these only if the next word looks like the start of one.
_EITHER = frozenset(
    """
    dr st jr sr etc co corp inc ltd bros dept ave blvd rd hwy a.m p.m am pm u.s u.k u.n u.s.a
    jan feb mar apr jun jul aug sep sept oct nov dec
    ph.d b.a m.a b.c a.d mon tue wed thu fri sat sun usw enz in ft lb lbs oz min hrs
    """.split()
)
_STARTERS = frozenset(
    """
    the a an this that these those he she it we they i you his her its our their my your there
    then here but and so or if when while where what who why how in on at for from with after
    before as not no yes however der die das ein eine er sie es wir ich und aber het de een hij
    zij wij ik en maar dit dat
    """.split()
)
_ORDINAL_DOT = frozenset({"de-de", "cs-cz", "lb"})  # `3. Oktober`


def sentences(text: str, language: str = "en-us") -> list[str]:
    """Cut a text into sentences, each with the white space after it: joined, they are the text.

    >>> sentences("Dr. No came. He left!")
    ['Dr. No came. ', 'He left!']
    """
    dotted = resolve(language) in _ORDINAL_DOT
    cuts, start = list[str](), 0
    for match in _END.finditer(text):
        space = _SPACE.match(text, match.end())
        end = space.end() if space else match.end()
        if end >= len(text) or end <= start:
            continue
        if match["marks"] and not _ends(text, match, end, dotted):
            continue
        cuts.append(text[start:end])
        start = end
    if start < len(text):
        cuts.append(text[start:])
    return cuts


def _ends(text: str, match: re.Match[str], after: int, dotted: bool) -> bool:
    """Whether the marks of `match` end a sentence; the next word begins at `after`."""
    following = text[after : after + _BEFORE]
    opener = following.lstrip("\"'“‘„«([¿¡—–-")
    upper = bool(opener) and (opener[0].isupper() or not _has_case(opener[0]))
    if match["marks"] != ".":
        return upper or "\n" in text[match.end() : after]
    before = _LAST_WORD.search(text, max(0, match.start() - _BEFORE), match.start())
    word = before[0] if before else ""
    plain = word.lower()
    if plain in _TITLES and not match["closers"]:
        return False
    if not upper or (plain in {"no", "nos"} and opener[0].isdigit()):  # `No. 5`
        return False
    if plain in {"dr", "st"}:  # Drive and Street follow a name, Doctor and Saint lead it
        return _starts(opener) and _after_name(text, match.start())
    initial = len(word) == 1 and word.isupper() and word != "I" and not match["closers"]
    if initial or plain in _EITHER or _DOTTED.fullmatch(word):
        return _starts(opener)
    if not plain.isdigit():
        return True
    enumerates = _LINE_START.search(text, max(0, match.start() - 8), match.start())
    return not enumerates and not (dotted and len(plain) <= 2)


def _after_name(text: str, dot: int) -> bool:
    """Whether the abbreviation before `dot` follows a capitalised word (`King Dr.`)."""
    words = text[max(0, dot - _BEFORE) : dot].split()
    return len(words) > 1 and words[-2][0].isupper()


def _starts(opener: str) -> bool:
    word = re.match(r"\w*", opener)
    return bool(word) and word[0].lower() in _STARTERS  # type: ignore[index]


def _has_case(character: str) -> bool:
    return unicodedata.category(character) in {"Lu", "Ll", "Lt"}
