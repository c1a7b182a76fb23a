"""The rules of English for what begins with a figure or a sign: numbers, dates, money, units."""

from __future__ import annotations

import re

from ttskit.text import addresses
from ttskit.text import english_words as table
from ttskit.text.english_letters import mixed
from ttskit.text.english_rules import (
    MONTH,
    NUMBERS,
    Reading,
    Rule,
    closing_stop,
    rule,
    word_before,
)
from ttskit.text.numbers import plural

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_HALF = r"(?P<half>\s?(?:[ap]m\b|[ap]\.m\.|[AP]M\b|[AP]\.M\.))"
_MONEY = "|".join(sorted(map(re.escape, table.MONEY), key=len, reverse=True))
_SCALE = "|".join(sorted(table.SCALES, key=len, reverse=True))
_UNIT = "|".join(sorted(map(re.escape, table.UNITS), key=len, reverse=True))


def _clock(match: re.Match[str]) -> Reading:
    hour, minute = int(match["hour"]), match["minute"]
    if hour > 24:
        return None
    reading = NUMBERS.cardinal(hour)
    if minute == "00" and not match["half"] and not match["second"]:
        reading += ["o'clock"] if 0 < hour < 13 else ["hundred", "hours"]
    elif minute and minute != "00":
        reading += [*(["oh"] if minute[0] == "0" else []), *NUMBERS.cardinal(int(minute))]
    if match["second"]:
        reading += ["and", *NUMBERS.cardinal(int(match["second"])), "seconds"]
    if match["half"]:
        reading += [match["half"].strip()[0].upper(), "M", *closing_stop(match)]
    return reading


def _hour(match: re.Match[str]) -> Reading:
    half = match["half"].strip()[0].upper()
    return [*NUMBERS.cardinal(match["hour"]), half, "M", *closing_stop(match)]


def _date(match: re.Match[str]) -> Reading:
    month, day, year = int(match["month"]), int(match["day"]), match["year"]
    if month > 12 >= day and "/" in match[0]:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if len(year) == 2:
        year = ("20" if int(year) < 50 else "19") + year
    return [table.MONTHS[month - 1], *NUMBERS.ordinal(day), *NUMBERS.year(year)]


def _day_month(match: re.Match[str]) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    the = [] if word_before(match).lower() == "the" else ["the"]
    return [*the, *NUMBERS.ordinal(match["day"]), *([] if match["of"] else ["of"])]


def _telephone(match: re.Match[str]) -> Reading:
    return [*(["plus"] if match[0][0] == "+" else []), *NUMBERS.digits(match[0])]


def _money(match: re.Match[str]) -> Reading:
    one, many, cent, cents = table.MONEY[match["sign"]]
    amount, scale = match["amount"].replace(",", ""), match["scale"]
    whole, _, fraction = amount.partition(".")
    minus = ["minus"] if match["minus"] else []
    upto = ["to", *NUMBERS.amount(match["upto"])] if match["upto"] else []
    if scale or upto or len(fraction) not in {0, 2} or (fraction and not cent):
        reading = [*NUMBERS.amount(amount), *upto, *([table.SCALES[scale]] if scale else [])]
        return [*minus, *reading, *many.split()]
    nothing = not any(map(int, whole))
    reading = [] if nothing and int(fraction or 0) else NUMBERS.amount(whole)
    reading += plural(whole, one, many).split() if reading else []
    if int(fraction or 0):
        small = [*NUMBERS.cardinal(int(fraction)), cent if int(fraction) == 1 else cents]
        reading += (["and", *small]) if reading else small
    return [*minus, *reading]


def _money_after(match: re.Match[str]) -> Reading:
    one, many, _, _ = table.MONEY[match["sign"]]
    return [*NUMBERS.amount(match["amount"]), *plural(match["amount"], one, many).split()]


def _version(match: re.Match[str]) -> Reading:
    parts = match[0].split(".")
    between = "dot" if len(parts) == 4 else "point"
    reading = NUMBERS.code(parts[0])
    return reading + [word for part in parts[1:] for word in (between, *NUMBERS.code(part))]


def _fraction(match: re.Match[str]) -> Reading:
    top, bottom = int(match["top"]), int(match["bottom"])
    if (top, bottom) in {(24, 7), (9, 11), (50, 50)}:
        return [*NUMBERS.cardinal(top), *NUMBERS.cardinal(bottom)]
    if match["whole"]:
        part = ["a", "half"] if (top, bottom) == (1, 2) else NUMBERS.fraction(top, bottom)
        return [*NUMBERS.amount(match["whole"]), "and", *part]
    if top < bottom:
        return NUMBERS.fraction(top, bottom)
    return [*NUMBERS.cardinal(top), "over", *NUMBERS.cardinal(bottom)]


def _height(match: re.Match[str]) -> Reading:
    inches = NUMBERS.cardinal(match["inches"]) if match["inches"] else []
    return [*NUMBERS.cardinal(match["feet"]), "foot" if inches else "feet", *inches]


def _measure(match: re.Match[str]) -> Reading:
    unit, amount = table.UNITS[match["unit"]], match["amount"]
    head, *tail = unit.split(" per ") if unit != "per mille" else [unit]
    if amount != "1":
        noun, *rest = head.split(" ") if head.startswith("degree") else [head]
        last = noun.split(" ")[-1]
        many = table.IRREGULAR.get(last, last + "s")
        head = " ".join([noun[: len(noun) - len(last)] + many, *rest])
    unit = " per ".join([head, *tail])
    return [*NUMBERS.amount(amount), *unit.split()]


def _ordinal(match: re.Match[str]) -> Reading:
    return NUMBERS.ordinal(match["number"].replace(",", ""))


def _decade(match: re.Match[str]) -> Reading:
    years = match["years"]
    *head, last = NUMBERS.year(years) if len(years) == 4 else NUMBERS.cardinal(years)
    return [*head, last[:-1] + "ies" if last.endswith("y") else last + "s"]


def _score(match: re.Match[str]) -> Reading:
    return [*NUMBERS.amount(match["left"]), "to"]


def _range(match: re.Match[str]) -> Reading:
    left = match["left"]
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", left):
        return [*NUMBERS.year(left), "to"]
    return [*NUMBERS.amount(left), "to"]


def _minus(match: re.Match[str]) -> Reading:
    before = match.string[match.start() - 1 : match.start()]
    return ["minus"] if not before or before in " \t\n(=+*/^" else None


def _times(match: re.Match[str]) -> Reading:
    return [*NUMBERS.amount(match["left"]), "times" if " " in match[0] else "by"]


def _year(match: re.Match[str]) -> Reading:
    return NUMBERS.year(match[0])


def _plain_number(match: re.Match[str]) -> Reading:
    return NUMBERS.amount(match[0])


RULES: list[Rule] = [
    *addresses.RULES,
    rule(
        rf"(?P<hour>\d{{1,2}}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:]){_HALF}?",
        _clock,
    ),
    rule(rf"(?P<hour>1[0-2]|[1-9]){_HALF}", _hour),
    rule(r"(?P<left>\d{1,3}):(?=\d{1,3}(?![\d:]))", _score),
    rule(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d\d)(?![\d/])", _date),
    rule(r"(?P<year>[12]\d{3})-(?P<month>\d\d)-(?P<day>\d\d)(?![\d-])", _date),
    rule(rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?P<of>\s+of)?(?=\s+(?:{MONTH})\b)", _day_month),
    rule(r"(?:\+?\d{1,3}[-. ])?\(\d{3}\)\s?\d{3}[-. ]\d{4}(?!\d)", _telephone),
    rule(r"\+\d{1,3}(?:[-. ]?\d{1,4}){2,6}(?!\d)", _telephone),
    rule(r"(?:\d{1,3}-)?\d{3}[-.]\d{3}[-.]\d{4}(?![\d-])|\d{3}-\d{4}(?![\d-])", _telephone),
    rule(r"\d+(?:-\d+){3,9}(?![\d-])", _telephone),
    rule(
        rf"(?P<minus>[-−])?(?P<sign>{_MONEY})\s?(?P<amount>{_NUMBER})"
        rf"(?:[-–](?:{_MONEY})?(?P<upto>{_NUMBER})(?![\d-]))?"
        rf"(?:(?:\s(?=\w\w\w))?(?P<scale>{_SCALE})\b)?",
        _money,
    ),
    rule(rf"(?P<amount>{_NUMBER})\s?(?P<sign>{_MONEY})(?!\d)", _money_after),
    rule(r"\d{1,5}(?:\.\d{1,5}){2,4}(?![\w.]*\d)", _version),
    rule(r"(?:(?P<whole>\d{1,9})[ -])?(?P<top>\d{1,9})[/⁄](?P<bottom>\d{1,9})(?![\d/])", _fraction),
    rule(r"(?P<feet>\d)['’′](?:\s?(?P<inches>1[01]|\d)(?:\"|”|″|'')?)?(?![\w'])", _height),
    rule(r"(?P<years>(?:1\d|20)\d0|[2-9]0)(?:'|’)?s(?!\w)", _decade),
    rule(rf"(?P<amount>{_NUMBER})\s?(?P<unit>{_UNIT})(?!\w)", _measure),
    rule(r"(?P<number>\d[\d,]{0,18})(?:st|nd|rd|th)(?!\w)", _ordinal),
    rule(rf"(?P<left>{_NUMBER})[-–—](?=\d)(?!\d+-\d)(?!0\d)", _range),
    rule(r"(?P<left>\d{1,5})\s?[x×]\s?(?=\d)", _times),
    rule(r"(?:1[1-9]|20)\d\d(?![\d.,]*\d)(?!\w)", _year),
    rule(r"(?=[0-9]{0,20}[A-Za-z])[A-Za-z0-9]{1,40}", mixed),
    rule(rf"{_NUMBER}|\d+", _plain_number),
    rule(r"\.\d+", _plain_number),
    rule(r"[-−](?=[.\d])", _minus),
    rule(r"#(?=\d)", lambda _: ["number"]),
    rule(r"(?<=\b[A-G])#(?!\w)", lambda _: ["sharp"]),
    rule(r"(?<=\w)\.(?=[a-z])|(?<!\S)\.(?=[A-Za-z])", lambda _: ["dot"]),
]
