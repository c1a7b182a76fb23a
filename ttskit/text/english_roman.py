"""The rules of English for Roman numerals."""

from __future__ import annotations

import re

from ttskit.text import english_words as table
from ttskit.text.english_rules import NUMBERS
from ttskit.text.numbers import roman
from ttskit.text.rules import Reading, Rule, after, before, word_after, word_before

_LISTED = r"(?:,\s*(?:and\s+)?|\s(?:and|to|or)\s|\s?[-–]\s?)(?P<next>[IVX]+)(?!\w)"
_IN_LIST = r"(?<!\w)(?P<last>[IVX]+)(?:,\s*(?:and\s+)?|\s(?:and|to|or)\s|\s?[-–]\s?)\Z"
_LETTERS_BEFORE = frozenset("drip drips line lines fluid fluids bag therapy antibiotics".split())
_SMALL_AFTER = table.COUNTED | {"page", "pages", "pp.", "p."}


def _numeral(match: re.Match[str]) -> Reading:
    """A numeral after a king (`Henry VIII`), after a noun (`Chapter I`), or plainly one (`XIV`)."""
    value, text, previous = roman(match["roman"]), match["roman"], word_before(match)
    plain = len(text) > 1 and set(text) <= set("IVX") and value < 40
    if not value or (text == "IV" and word_after(match) in _LETTERS_BEFORE):
        return None
    if previous in table.REGNAL and value < 40:
        reading = ["the", *NUMBERS.ordinal(value)]
    elif plain and word_after(match) in {"century", "centuries"}:
        reading = NUMBERS.ordinal(value)
    elif previous.lower() in table.COUNTED or plain or _in_list(match, value):
        reading = NUMBERS.cardinal(value)
    elif len(text) > 4 and 1000 < value < 2100:
        reading = NUMBERS.year(str(value))
    else:
        return None
    return [*reading[:-1], reading[-1] + match["tail"].replace("’", "'")]


def _in_list(match: re.Match[str], value: int) -> bool:
    """Whether the numeral after it or before it is the next one: `I, II, III`, `IV and V`."""
    follows, precedes = re.match(_LISTED, after(match)), re.search(_IN_LIST, before(match))
    near = [roman(follows["next"])] if follows else []
    near += [roman(precedes["last"])] if precedes else []
    return any(abs(value - neighbour) == 1 for neighbour in near)


def _small(match: re.Match[str]) -> Reading:
    """`Scene ii`, `page xii`."""
    value = roman(match[0].upper())
    named = word_before(match).lower() in _SMALL_AFTER
    return NUMBERS.cardinal(value) if value and named else None


RULES: list[Rule] = [
    Rule(r"(?P<roman>[IVXLCDM]+)(?P<tail>(?:['’]s)?)(?!\w|['’]\w)", _numeral),
    Rule(r"[ivx]{1,7}(?![\w'’])", _small),
]
