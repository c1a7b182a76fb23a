"""The rules of English for what begins with a letter: abbreviations, initialisms, numerals."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from ttskit.text import addresses
from ttskit.text import english_words as table
from ttskit.text.english_rules import (
    MONTH,
    NUMBERS,
    Reading,
    Rule,
    closing_stop,
    letters,
    rule,
    word_after,
    word_before,
)
from ttskit.text.numbers import roman

Known = Callable[[str], bool]


def rules(known: Known) -> list[Rule]:
    """Return the rules in the order in which they are tried; `known`: if the lexicon has a word."""
    return [
        *addresses.RULES,
        rule(r"[A-Z]{1,2}&[A-Z](?![\w&])", _ampersand),
        rule(
            rf"(?P<month>{MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:]|[.,/]\d)",
            _month_day,
        ),
        rule(r"(?P<short>[A-Za-z]{1,20}(?:\.[A-Za-z]{1,3}){0,3})\.", _abbreviation),
        rule(r"(?:[A-Za-z]\.){2,}", _initials),
        rule(r"[A-Z]\.(?=\s)", _initial),
        rule(r"(?=[A-Za-z]{1,20}\d)[A-Za-z0-9]{1,40}", mixed),
        rule(r"(?P<roman>[IVXLCDM]+)(?P<tail>(?:['’]s)?)(?!\w|['’]\w)", _roman),
        rule(r"(?P<capitals>[A-Z]{2,})(?P<tail>['’]?s|)(?!\w|['’]\w)", partial(_capitals, known)),
        rule(r"['’](?:[A-Za-z]+)['’]?", _elision),
        rule(r"A(?![\w'’])", _letter),
        rule(r"['’](?=\d0s\b)", lambda _: []),
    ]


def mixed(match: re.Match[str]) -> Reading:
    """Read a name of letters and figures: `MP3`, `F150`, `4x4`."""
    reading: list[str] = []
    for part in re.findall(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+", match[0]):
        if part.isdigit():
            reading += NUMBERS.code(part)
        elif (part.isupper() and part not in table.ACRONYMS) or len(part) == 1:
            reading += letters(part)
        else:
            reading.append(part)
    return reading


def _ampersand(match: re.Match[str]) -> Reading:
    """`R&D` is read R and D."""
    return " ".join(match[0]).replace("&", "and").split()


def _month_day(match: re.Match[str]) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    return [table.MONTH_OF[match["month"].lower()], *NUMBERS.ordinal(match["day"])]


def _abbreviation(match: re.Match[str]) -> Reading:
    short, capital = match["short"].lower(), match["short"][0].isupper()
    if short in {"dr", "st"} and capital:
        return _title_or_street(match, short)
    if short in table.BEFORE_NUMBER and re.compile(r"\s*\d").match(match.string, match.end()):
        return [table.BEFORE_NUMBER[short]]
    if short not in table.ABBREVIATIONS:
        return None
    expansion = table.ABBREVIATIONS[short]
    named = " M" in expansion  # A M and P M are letters whatever their case
    reading = expansion if capital or named else expansion.lower()
    return reading.split() + closing_stop(match)


def _title_or_street(match: re.Match[str], short: str) -> Reading:
    """`Dr.` and `St.`: a name follows Doctor and Saint, Drive and Street follow a name."""
    title, street = {"dr": ("Doctor", "Drive"), "st": ("Saint", "Street")}[short]
    before, after = word_before(match), word_after(match)
    named = bool(before) and (before[0].isupper() or before[-2:] in {"st", "nd", "rd", "th"})
    named = named and before[-1] not in ".!?,;:" and before.lower() not in table.STARTERS
    if after[:1].isupper() and after not in table.ROOMS and after.lower() not in table.STARTERS:
        named = False
    return [street if named else title, *(closing_stop(match) if named or not after else [])]


def _initials(match: re.Match[str]) -> Reading:
    if match[0].lower() in {"a.m.", "p.m.", "e.g.", "i.e."}:
        return None
    return [*letters(match[0]), *closing_stop(match)]


def _initial(match: re.Match[str]) -> Reading:
    """`J.` before a name; elsewhere its full stop ends a sentence, and no rule reads it."""
    after = word_after(match)
    if not after[:1].isupper() or after.lower() in table.STARTERS:
        return None
    return letters(match[0])


def _roman(match: re.Match[str]) -> Reading:
    """A numeral after a king (`Henry VIII`), after a noun (`Chapter I`), or plainly one (`XIV`)."""
    value, text, before = roman(match["roman"]), match["roman"], word_before(match)
    plain = len(text) > 1 and set(text) <= set("IVX") and value < 40
    if not value:
        return None
    if before in table.REGNAL and value < 40:
        reading = ["the", *NUMBERS.ordinal(value)]
    elif before.lower() in table.COUNTED or plain:
        reading = NUMBERS.cardinal(value)
    elif len(text) > 4 and 1000 < value < 2100:
        reading = NUMBERS.year(str(value))
    else:
        return None
    return [*reading[:-1], reading[-1] + match["tail"].replace("’", "'")]


def _capitals(known: Known, match: re.Match[str]) -> Reading:
    text, tail = match["capitals"], match["tail"].replace("’", "'")
    if text in table.READ_AS:
        reading = table.READ_AS[text].split()
    elif text in table.ACRONYMS or (text not in table.INITIALISMS and known(text.lower())):
        reading = [text]
    elif _shouts(match) and (known(text.lower()) or len(text) > 5):
        return None
    elif len(text) > 5 and re.search("[AEIOUY]", text):
        reading = [text]
    else:
        reading = letters(text)
    if tail:
        reading[-1] += tail if tail[0] == "'" else "'" + tail
    return reading


def _shouts(match: re.Match[str]) -> bool:
    """Whether the words around are capitals too, so that capitals mean nothing."""
    near = match.string[max(0, match.start() - 40) : match.end() + 40]
    words = [word for word in re.findall(r"[^\W\d_]+", near) if len(word) > 1]
    return len(words) > 1 and all(word.isupper() for word in words)


def _elision(match: re.Match[str]) -> Reading:
    text = match[0].lower().replace("’", "'")
    word = table.ELISIONS.get(text.removesuffix("'")) or table.ELISIONS.get(text)
    return word.split() if word else None


def _letter(match: re.Match[str]) -> Reading:
    """`A` is the article, unless it is named as a letter: `vitamin A`, `Plan A`."""
    return ["A"] if word_before(match).lower() in table.LETTERED else None
