"""The rules of English for measures: numbers with units, feet and inches, fractions of them."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from ttskit.text.english_rules import NUMBER, NUMBERS, closing_stop
from ttskit.text.english_units import COUNTABLE, INVARIABLE, IRREGULAR, MODIFIED, SCALES, UNITS
from ttskit.text.rules import Reading, Rule, alternatives, before, word_after

_UNIT = alternatives(UNITS)
_SHORT = alternatives(unit for unit, name in UNITS.items() if unit.isalpha() and " " not in name)
_MINUTES = 11  # more inches than a foot has: then minutes and seconds


def _many(name: str) -> str:
    """Return the plural of a unit: the noun before `per`, `of` and `Celsius` bears it.

    >>> [_many(name) for name in ("cubic foot", "degree Celsius", "meter per second", "gigahertz")]
    ['cubic feet', 'degrees Celsius', 'meters per second', 'gigahertz']
    """
    head, *tail = re.split(r"(?= (?:per|of|Celsius|Fahrenheit)\b)", name, maxsplit=1)
    *first, noun = head.split(" ")
    if noun in INVARIABLE or noun.endswith("hertz") or name == "per mille":
        return name
    return " ".join([*first, IRREGULAR.get(noun, noun + "s")]) + "".join(tail)


def _measure(match: re.Match[str]) -> Reading:
    unit, amount, following = match["unit"], match["amount"], word_after(match)
    if unit == "m" and following in COUNTABLE:
        return [*NUMBERS.amount(amount), "million"]
    one = amount == "1" or (following in MODIFIED and unit != "%")
    name = UNITS[unit] if one else _many(UNITS[unit])
    per = ["per", *UNITS[match["per"]].split()] if match["per"] else []
    return [*NUMBERS.amount(amount), *name.split(), *per, *closing_stop(match)]


def _multitude(match: re.Match[str]) -> Reading:
    """`1,000s of`: thousands, tens of thousands."""
    *head, last = NUMBERS.cardinal(match["number"].replace(",", ""))
    head = [] if head == ["one"] else head
    return [*head, last + "s"]


def _scaled(match: re.Match[str]) -> Reading:
    """`2.5M users`, `3k runs`: thousands and millions of what is counted."""
    counted = word_after(match)
    many = re.fullmatch(r"\w{2,}[^s\W]s", counted) and counted != "this"
    if counted not in COUNTABLE and not many:
        return None
    return [*NUMBERS.amount(match["amount"]), SCALES[match["scale"]]]


def _hyphened(match: re.Match[str]) -> Reading:
    """`a 30-min walk`: one of the unit, as an adjective."""
    return [*NUMBERS.amount(match["amount"]), *UNITS[match["unit"]].split()]


def _feet(match: re.Match[str]) -> Reading:
    """`5'10"` is a height, `26′ 46″` a duration."""
    feet, inches = match["feet"], match["inches"]
    if inches and (int(inches) > _MINUTES or len(feet) > 1):
        return [*NUMBERS.cardinal(feet), "minutes", *NUMBERS.cardinal(inches), "seconds"]
    if inches:
        return [*NUMBERS.cardinal(feet), "foot", *NUMBERS.cardinal(inches)]
    return [*NUMBERS.cardinal(feet), "feet"] if len(feet) == 1 else None


def _feet_inches(match: re.Match[str]) -> Reading:
    feet, inches = match["feet"], match["inches"]
    one, other = "foot" if feet == "1" else "feet", "inch" if inches == "1" else "inches"
    return [*NUMBERS.cardinal(feet), one, *NUMBERS.cardinal(inches), other, *closing_stop(match)]


def _inches(match: re.Match[str]) -> Reading:
    """`a 6" pipe`; elsewhere the sign is a quote."""
    if word_after(match) in MODIFIED:
        return [*NUMBERS.amount(match["amount"]), "inch"]
    return None if '"' in match[0] else [*NUMBERS.amount(match["amount"]), "inches"]


def _out_of(match: re.Match[str]) -> Reading:
    """`7.5/10`: a score, which no fraction is."""
    return [*NUMBERS.amount(match["top"]), "out", "of", *NUMBERS.cardinal(match["bottom"])]


def _by(match: re.Match[str]) -> Reading:
    """`8' x 4'`."""
    return ["by"] if re.search(r"\d['’′\"″]\s?\Z", before(match)) else None


def _fraction(match: re.Match[str]) -> Reading:
    top, bottom = int(match["top"]), int(match["bottom"])
    shares = top + bottom == 100 or top == bottom
    if (shares and top > 1) or (top, bottom) in {(24, 7), (9, 11)}:
        return [*NUMBERS.cardinal(top), *NUMBERS.cardinal(bottom)]
    if bottom == 100 and 9 < top < 100:
        return [*NUMBERS.cardinal(top), "out", "of", *NUMBERS.cardinal(bottom)]
    if match["whole"]:
        part = ["a", "half"] if (top, bottom) == (1, 2) else NUMBERS.fraction(top, bottom)
        return [*NUMBERS.amount(match["whole"]), "and", *part]
    if top < bottom:
        return NUMBERS.fraction(top, bottom)
    return [*NUMBERS.cardinal(top), "over", *NUMBERS.cardinal(bottom)]


def _vulgar(match: re.Match[str]) -> Reading:
    """`½`, `2¾`."""
    value = Fraction(unicodedata.numeric(match["part"])).limit_denominator(1000)
    part = NUMBERS.fraction(value.numerator, value.denominator)
    if not match["whole"]:
        return part
    return [*NUMBERS.amount(match["whole"]), "and", *(["a", "half"] if value * 2 == 1 else part)]


OF_LETTERS: list[Rule] = [Rule(r"x(?=\s?\d)", _by)]
RULES: list[Rule] = [
    Rule(r"(?P<top>\d{1,3}\.\d{1,2})/(?P<bottom>\d{1,3})(?![\d/.])", _out_of),
    Rule(r"(?P<whole>\d{1,9})?\s?(?P<part>[¼-¾⅐-⅞])", _vulgar),
    Rule(r"(?:(?P<whole>\d{1,9})[ -])?(?P<top>\d{1,9})[/⁄](?P<bottom>\d{1,9})(?![\d/])", _fraction),
    Rule(
        r"(?P<feet>\d{1,3})\s?(?:ft|feet|foot)\.?\s?(?P<inches>\d{1,2})\s?in(?:ch(?:es)?\b|\b\.?)",
        _feet_inches,
    ),
    Rule(
        r"(?P<feet>\d{1,2})['’′](?:\s?(?P<inches>[0-5]?\d)(?:\"|”|″|'')?)?(?![\w'])",
        _feet,
    ),
    Rule(rf"(?P<amount>{NUMBER})(?:\"|”|″)(?!\w)", _inches),
    Rule(r"(?P<number>1(?:,?000){1,3}|1,?0{1,6})(?:'|’)?s(?=\s+of\b)", _multitude),
    Rule(rf"(?P<amount>{NUMBER})(?P<scale>k|M|B|bn|mn)(?=\s+[a-z])", _scaled),
    Rule(rf"(?P<amount>{NUMBER})-(?P<unit>{_SHORT})(?=\s+[a-z])", _hyphened),
    Rule(
        rf"(?P<amount>{NUMBER})\s?(?P<unit>{_UNIT})(?:/(?P<per>{_SHORT}))?(?![\w/]|[-'’]\w)",
        _measure,
    ),
]
