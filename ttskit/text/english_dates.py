"""The rules of English for times, dates, months, days of the week, decades and years."""

from __future__ import annotations

import re

from ttskit.text import english_words as table
from ttskit.text.english_rules import MONTH, NUMBERS, closing_stop
from ttskit.text.numbers import plural
from ttskit.text.rules import Reading, Rule, after, before, word_after, word_before

_HALF = r"(?P<half>\s?(?:[ap]m\b|[ap]\.m\.|[AP]M\b|[AP]\.M\.))"
_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_DAY = "Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun"
# What is around an abbreviated day or month where it is one, whatever else the letters spell.
_DATE_FOLLOWS = (
    rf"\s?[-–—/]\s?(?:{_DAY}|{MONTH})|,?\s(?:{MONTH})\b|,?\s\d|\s(?:and|to|or|&)\s(?:{_DAY})\b"
)
_DATE_PRECEDES = rf"(?:{_DAY}|{MONTH})\.?\s?(?:[-–—/,&]|and|to|or)\s?\Z"
_MONTH_FOLLOWS = rf"\s?[-–—/]\s?(?:{MONTH})\b|\s(?:19|20)\d\d\b"
_DATED = frozenset("on by due from since until till before after dated born starting".split())
_YEARED = frozenset(
    "in since by until till year circa c. ca. before after around from spring summer fall winter "
    "autumn early late mid".split()
)
_TIMED = frozenset("in for within after every about under".split())
_LASTS = frozenset("timer delay timeout interval exposure limit clip break pause".split())


def _clock(match: re.Match[str]) -> Reading:
    hour, minute, second = int(match["hour"]), match["minute"], match["second"]
    if hour > 24:
        return None
    if second and not match["half"] and len(match["hour"]) < 2 + (hour == 0):
        return _duration(hour, int(minute), int(second))
    reading = NUMBERS.cardinal(hour)
    if minute == "00" and not match["half"] and not second:
        reading += ["o'clock"] if 0 < hour < 13 else ["hundred", "hours"]
    elif minute != "00":
        reading += [*(["oh"] if minute[0] == "0" else []), *NUMBERS.cardinal(int(minute))]
    if second:
        reading += ["and", *NUMBERS.cardinal(int(second)), "seconds"]
    if match["half"]:
        reading += [match["half"].strip()[0].upper(), "M", *closing_stop(match)]
    return reading


def _duration(*parts: int) -> list[str]:
    """Return the words of hours, minutes and seconds; what is 0 is left out."""
    units = [("hour", "hours"), ("minute", "minutes"), ("second", "seconds")]
    spoken = [
        [*NUMBERS.cardinal(part), plural(str(part), *unit)]
        for part, unit in zip(parts, units, strict=True)
        if part
    ]
    last = ["and", *spoken.pop()] if len(spoken) > 1 else []
    return [word for part in spoken for word in part] + last


def _hour(match: re.Match[str]) -> Reading:
    half = match["half"].strip()[0].upper()
    return [*NUMBERS.cardinal(match["hour"]), half, "M", *closing_stop(match)]


def _hours_minutes(match: re.Match[str]) -> Reading:
    """`1h 30m` and `45m 10s`: together the letters can only be units of time."""
    names = {"h": "hour", "m": "minute", "s": "second"}
    return [
        word
        for amount, unit in re.findall(r"(\d+)\s?([hms])", match[0])
        for word in (
            *NUMBERS.cardinal(amount),
            plural(amount, names[unit], names[unit] + "s"),
        )
    ]


def _date(match: re.Match[str]) -> Reading:
    month, day, year = int(match["month"]), int(match["day"]), match["year"]
    if month > 12 >= day and "/" in match[0]:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if len(year) == 2:
        year = ("20" if int(year) < 50 else "19") + year
    return [table.MONTHS[month - 1], *NUMBERS.ordinal(day), *NUMBERS.year(year)]


def _slashed(match: re.Match[str]) -> Reading:
    """`12/25` after `on` and the like is a day; elsewhere a fraction."""
    month, day = int(match["month"]), int(match["day"])
    if word_before(match).lower() not in _DATED or not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return [table.MONTHS[month - 1], *NUMBERS.ordinal(day)]


def _day_month(match: re.Match[str]) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    bare = not match["ending"]
    the = ["the"] if bare and word_before(match).lower() != "the" else []
    return [*the, *NUMBERS.ordinal(match["day"]), "of"]


def _month_day(match: re.Match[str]) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    return [table.MONTH_OF[match["month"].lower()], *NUMBERS.ordinal(match["day"])]


def _weekday(match: re.Match[str]) -> Reading:
    """`Mon–Fri`, `Sat., May 3`: where a date is around, or a full stop shows what it is."""
    day, dotted = match["name"], match[0].endswith(".")
    neighbours = re.match(_DATE_FOLLOWS, after(match)) or re.search(_DATE_PRECEDES, before(match))
    if neighbours or (dotted and day != "Sun" and word_before(match).lower() in {"on", "next"}):
        return [_DAYS[day], *closing_stop(match)]
    return None


def _month(match: re.Match[str]) -> Reading:
    """`Jan-Mar`, `Mar 2020`; a month alone may be a name (`Jan`)."""
    follows = re.match(_MONTH_FOLLOWS, after(match))
    precedes = rf"(?:{MONTH})\.?(?:\s?[-–—/]\s?|\s(?:to|through|until|and)\s)\Z"
    if not follows and not re.search(precedes, before(match)):
        return None
    return [table.MONTH_OF[match["name"].lower()]]


def _decade(match: re.Match[str]) -> Reading:
    years, previous = match["years"], word_before(match).lower()
    if years == "1000" and word_after(match) == "of":
        return None
    lasts = word_after(match) in _LASTS or previous in _TIMED
    if lasts and len(years) < 4 and "'" not in match[0]:
        return [*NUMBERS.cardinal(years), "second" if word_after(match) in _LASTS else "seconds"]
    *head, last = NUMBERS.year(years) if len(years) == 4 else NUMBERS.cardinal(years)
    return [*head, last[:-1] + "ies" if last.endswith("y") else last + "s"]


def _year(match: re.Match[str]) -> Reading:
    """Four figures from 1100 to 2099 are a year, others only after `in` and the like."""
    number, previous = int(match[0]), word_before(match).lower()
    era = re.match(r"\s?(?:AD|BC|CE|BCE)\b", after(match)) or word_before(match) == "AD"
    if 1100 <= number < 2100:
        return NUMBERS.year(match[0])
    if not era and previous not in _YEARED:
        return None
    return NUMBERS.code(match[0])


OF_LETTERS: list[Rule] = [
    Rule(
        rf"(?P<month>{MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:]|[.,/]\d)",
        _month_day,
    ),
    Rule(rf"(?P<name>{_DAY})(?!\w)\.?", _weekday),
    Rule(rf"(?P<name>{MONTH})(?!\w)\.?", _month),
]
RULES: list[Rule] = [
    Rule(
        rf"(?P<hour>\d{{1,2}}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:]){_HALF}?",
        _clock,
    ),
    Rule(rf"(?P<hour>1[0-2]|[1-9]){_HALF}", _hour),
    Rule(
        r"\d{1,3}\s?h(?:rs?)?\s?\d{1,2}\s?m(?:ins?)?(?!\w)(?:\s?\d{1,2}\s?s(?:ecs?)?(?!\w))?"
        r"|\d{1,3}\s?m(?:in)?\s?\d{1,2}\s?s(?:ec)?(?!\w)",
        _hours_minutes,
    ),
    Rule(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d\d)(?![\d/])", _date),
    Rule(
        r"(?P<year>[12]\d{3})(?P<mark>[-/])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?![\d/-])", _date
    ),
    Rule(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})(?![\d/])", _slashed),
    Rule(
        rf"(?P<day>\d{{1,2}})(?P<ending>st|nd|rd|th)?(?:\s+of)?(?=\s+(?:{MONTH})\b)",
        _day_month,
    ),
    Rule(r"(?P<years>(?:1\d|20)\d0|[2-9]0)(?:'|’)?s(?!\w)", _decade),
]
YEARS: list[Rule] = [Rule(r"[1-9]\d{3}(?![\d.,]*\d)(?!\w)", _year)]
