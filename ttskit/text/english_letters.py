"""The rules of English for abbreviations, initials, initialisms and words that lack letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from ttskit.text import english_words as table
from ttskit.text.english_rules import closing_stop
from ttskit.text.rules import Reading, Rule, after, alternatives, letters, word_after, word_before

Known = Callable[[str], bool]
_GRADED = frozenset("a an the got get gets earned his her my your their grade of or".split())


_NUMBER_FOLLOWS = r"\s*\d|\s(?!I\b)[IVXLC]{1,9}(?!\w)"


def rules(known: Known) -> list[Rule]:
    """Return the rules in the order in which they are tried; `known`: if the lexicon has a word."""
    return [
        Rule(r"(?P<ampersand>[A-Z]{1,2}&[A-Z])(?P<tail>(?:['’]s)?)(?![\w&])", _ampersand),
        Rule(rf"(?P<short>{_PHRASES})\.", _abbreviation),
        Rule(r"(?P<short>[A-Za-z]{1,20}(?:\.[A-Za-z]{1,3}){0,3})\.", _abbreviation),
        Rule(r"(?:[A-Za-z]\.){2,}", _initials),
        Rule(r"[A-Z]\.(?=\s)", _initial),
        Rule(r"(?P<capitals>[A-Z]{2,})(?P<tail>['’]?s|)(?!\w|['’]\w)", partial(_capitals, known)),
        Rule(r"['’](?:[A-Za-z]+)['’]?", _elision),
        Rule(r"(?P<grade>[A-F])(?P<sign>[-−+])(?=[\s.,;:!?)]|\Z)", _grade),
        Rule(r"A(?![\w'’])", _letter),
        Rule(r"['’](?=\d0s\b)", lambda _: []),
    ]


_PHRASES = alternatives(short for short in table.ABBREVIATIONS if " " in short)


def _grade(match: re.Match[str]) -> Reading:
    """`a B- grade`, `an A+`."""
    if word_before(match).lower() not in _GRADED:
        return None
    return [match["grade"], "plus" if match["sign"] == "+" else "minus"]


def _ampersand(match: re.Match[str]) -> Reading:
    """`R&D` is read R and D."""
    *reading, last = " ".join(match["ampersand"]).replace("&", "and").split()
    return [*reading, last + match["tail"].replace("’", "'")]


def _abbreviation(match: re.Match[str]) -> Reading:
    if match["short"] == "EST" and not re.match(_NUMBER_FOLLOWS, after(match)):
        return None  # the time zone, at the end of a sentence
    short, capital = match["short"].lower(), match["short"][0].isupper()
    if short in {"dr", "st"} and capital:
        return _title_or_street(match, short)
    if short == "ft":
        return ["Fort"] if capital and word_after(match)[:1].isupper() else None
    if short in table.BEFORE_NUMBER and re.match(_NUMBER_FOLLOWS, after(match)):
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


def _capitals(known: Known, match: re.Match[str]) -> Reading:
    text, tail = match["capitals"], match["tail"].replace("’", "'")
    articled = text in table.ARTICLED and word_before(match).lower() in {"the", "a", "an"}
    if text in table.ACRONYMS or (
        text not in table.INITIALISMS and not articled and known(text.lower())
    ):
        reading = [text]
    elif _shouts(known, match) and (known(text.lower()) or len(text) > 5):
        return None
    elif len(text) > 5 and re.search("[AEIOUY]", text):
        reading = [text]
    else:
        reading = letters(text)
    if tail:
        reading[-1] += tail if tail[0] == "'" else "'" + tail
    return reading


def _shouts(known: Known, match: re.Match[str]) -> bool:
    """Whether the words around are capitals too, so that capitals mean nothing."""
    near = match.string[max(0, match.start() - 40) : match.end() + 40]
    words = [word for word in re.findall(r"[^\W\d_]+", near) if len(word) > 1]
    others = set(words) - {match["capitals"]} - table.INITIALISMS
    return all(word.isupper() for word in words) and any(known(w.lower()) for w in others)


def _elision(match: re.Match[str]) -> Reading:
    text = match[0].lower().replace("’", "'")
    word = table.ELISIONS.get(text.removesuffix("'")) or table.ELISIONS.get(text)
    return word.split() if word else None


def _letter(match: re.Match[str]) -> Reading:
    """`A` is the article, unless it is named as a letter: `vitamin A`, `Plan A`."""
    return ["A"] if word_before(match).lower() in table.LETTERED else None


def _read_as(match: re.Match[str]) -> Reading:
    dotted = match.string[match.end() : match.end() + 1] == "."
    if dotted and match[0].lower() in table.ABBREVIATIONS:
        return None
    return table.READ_AS[match[0]].split()


FIXED: list[Rule] = [
    Rule(rf"(?:{alternatives(table.READ_AS)})(?![\w/]|['’]\w)", _read_as),
]
