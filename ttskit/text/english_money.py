"""The rules of English for money."""

from __future__ import annotations

import re

from ttskit.text.english_rules import NUMBER, NUMBERS
from ttskit.text.english_units import MODIFIED, MONEY, PER, SCALES
from ttskit.text.numbers import plural
from ttskit.text.rules import Reading, Rule, alternatives, before, word_after

_SIGN = alternatives(MONEY)
_LETTERS = alternatives(sign for sign in MONEY if sign[0].isalpha())
_SCALE = "|".join(sorted(SCALES, key=len, reverse=True))
_AMOUNT = rf"(?P<amount>\d{{1,6}},\d\d(?![\d,])|{NUMBER}|\.\d\d(?!\d))"
_END = rf"(?:(?:\s(?=\w\w\w))?(?P<scale>{_SCALE})\b)?"
_PRICE = rf"(?:[\d¢]|(?<=\d)(?:{_SCALE})|\s(?:million|billion))\Z"


def _plain(amount: str) -> str:
    """Return an amount with a point and without other signs: `1,234.5` and `3,50` alike."""
    return re.sub(r",(?=\d\d\Z)", ".", amount).replace(",", "")


def _money(match: re.Match[str]) -> Reading:
    one, many, cent, cents = MONEY[match["sign"]]
    amount, scale = _plain(match["amount"]), match["scale"]
    whole, _, fraction = amount.partition(".")
    minus = ["minus"] if match["minus"] else []
    upto = ["to", *NUMBERS.amount(match["upto"])] if match["upto"] else []
    if scale or upto or len(fraction) not in {0, 2} or (fraction and not cent):
        reading = [*NUMBERS.amount(amount), *upto, *([SCALES[scale]] if scale else [])]
        return [*minus, *reading, *many.split()]
    if not fraction and word_after(match) in MODIFIED:
        return [*minus, *NUMBERS.amount(whole), *one.split()]
    nothing = not any(map(int, whole))
    reading = [] if nothing and int(fraction or 0) else NUMBERS.amount(whole)
    reading += plural(whole, one, many).split() if reading else []
    if int(fraction or 0):
        small = [*NUMBERS.cardinal(int(fraction)), cent if int(fraction) == 1 else cents]
        reading += (["and", *small]) if reading else small
    return [*minus, *reading]


def _per(match: re.Match[str]) -> Reading:
    """`$5/month`: what a price is for."""
    return ["per", *PER[match["per"]].split()] if re.search(_PRICE, before(match)) else None


def _before(sign: str) -> Rule:
    return Rule(
        rf"(?P<minus>[-−])?(?P<sign>{sign})\s?{_AMOUNT}"
        rf"(?:[-–](?P<upto>{NUMBER})(?![\d-])(?!{_SIGN}))?{_END}",
        _money,
    )


OF_LETTERS: list[Rule] = [_before(_LETTERS)]
RULES: list[Rule] = [
    _before(_SIGN),
    Rule(
        rf"(?P<minus>[-−])?{_AMOUNT}(?P<upto>(?!))?{_END}\s?(?P<sign>{_SIGN})(?![\w$€£])",
        _money,
    ),
    Rule(rf"/(?P<per>{alternatives(PER)})(?!\w)", _per),
]
