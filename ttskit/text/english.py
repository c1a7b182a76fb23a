"""How English is read aloud: the rules, tried in order where a word or a number begins.

A rule is a pattern and a function that says what a match is read as, or None to decline; a
reading that ends in `|` gives back the full stop at the end of its match: it ends the sentence.
What is not a rule here is read as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ttskit.text import addresses
from ttskit.text import english_words as table
from ttskit.text.numbers import Numbers, english_fraction, plural, roman

Known = Callable[[str], bool]
Reading = list[str] | None
Rule = tuple[re.Pattern[str], Callable[["English", re.Match[str]], Reading]]

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_MONTH = "|".join(sorted((m.capitalize() for m in table.MONTH_OF), key=len, reverse=True))
_MONEY = "|".join(sorted(map(re.escape, table.MONEY), key=len, reverse=True))
_SCALE = "|".join(sorted(table.SCALES, key=len, reverse=True))
_UNIT = "|".join(sorted(map(re.escape, table.UNITS), key=len, reverse=True))
_ENDS_LINE = re.compile(r"[\"'”’)\]]*(?:\s+[\"'“‘(]?[A-Z]|\s*\Z)")


class English:
    """The reader of English: `read` gives the words of what begins at a place in a text."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.numbers = Numbers("en-us")

    def read(self, text: str, at: int) -> tuple[int, list[str]] | None:
        """Return the end and the reading of what begins at `at`; None if no rule wants it."""
        first = text[at]
        for pattern, rule in _LETTERS if first.isalpha() or first in "'’" else _FIGURES:
            match = pattern.match(text, at)
            if match and (said := rule(self, match)) is not None:
                if said and said[-1] == "|":
                    return match.end() - 1, said[:-1]
                return match.end(), said
        return None

    def amount(self, text: str) -> list[str]:
        """Read `1,234.5`, with no thought for years."""
        whole, _, fraction = text.replace(",", "").partition(".")
        if fraction:
            return self.numbers.decimal(whole, fraction, "point")
        return self.numbers.whole(whole)

    def letters(self, text: str) -> list[str]:
        """Name the letters."""
        return [letter.upper() for letter in text if letter.isalpha()]

    def code(self, digits: str) -> list[str]:
        """Read the figures of a name: `F150` one fifty, `B101` one oh one, `MP3` three."""
        if digits[0] == "0" or len(digits) > 4:
            return self.numbers.digits(digits)
        if len(digits) < 3 or digits.endswith("00"):
            return self.numbers.cardinal(digits)
        head, tail = digits[:-2], digits[-2:]
        oh = ["oh"] if tail[0] == "0" else []
        return [*self.numbers.cardinal(head), *oh, *self.numbers.cardinal(int(tail))]


def _spelt(text: str) -> list[str]:
    return text.split()


def _before(match: re.Match[str]) -> str:
    """Return the word before a match, "" at the start of a text or after a sentence's end."""
    words = match.string[max(0, match.start() - 40) : match.start()].rstrip(" \t").split()
    return words[-1].strip("\"'“‘(") if words else ""


def _after(match: re.Match[str]) -> str:
    found = re.compile(r"[ \t]+(\w+)").match(match.string, match.end())
    return found[1] if found else ""


def _stops(match: re.Match[str]) -> list[str]:
    """`["|"]` where the full stop that ends the match ends the sentence too."""
    dot = match[0].endswith(".") and _ENDS_LINE.match(match.string, match.end())
    if not dot or (_after(match) and _after(match).lower() not in table.STARTERS):
        return []
    return ["|"]


def _address(english: English, match: re.Match[str]) -> Reading:
    return addresses.read(match[0], english.letters, english.code)


def _clock(english: English, match: re.Match[str]) -> Reading:
    hour, minute = int(match["hour"]), match["minute"]
    if hour > 24:
        return None
    said = english.numbers.cardinal(hour)
    if minute == "00" and not match["half"] and not match["second"]:
        said += ["o'clock"] if 0 < hour < 13 else ["hundred", "hours"]
    elif minute and minute != "00":
        said += [*(["oh"] if minute[0] == "0" else []), *english.numbers.cardinal(int(minute))]
    if match["second"]:
        said += ["and", *english.numbers.cardinal(int(match["second"])), "seconds"]
    if match["half"]:
        said += [match["half"].strip()[0].upper(), "M", *_stops(match)]
    return said


def _hour(english: English, match: re.Match[str]) -> Reading:
    half = match["half"].strip()[0].upper()
    return [*english.numbers.cardinal(match["hour"]), half, "M", *_stops(match)]


def _date(english: English, match: re.Match[str]) -> Reading:
    month, day, year = int(match["month"]), int(match["day"]), match["year"]
    if month > 12 >= day and "/" in match[0]:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if len(year) == 2:
        year = ("20" if int(year) < 50 else "19") + year
    return [table.MONTHS[month - 1], *english.numbers.ordinal(day), *english.numbers.year(year)]


def _month_day(english: English, match: re.Match[str]) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    return [table.MONTH_OF[match["month"].lower()], *english.numbers.ordinal(match["day"])]


def _day_month(english: English, match: re.Match[str]) -> Reading:
    if not 1 <= int(match["day"]) <= 31:
        return None
    the = [] if _before(match).lower() == "the" else ["the"]
    return [*the, *english.numbers.ordinal(match["day"]), *([] if match["of"] else ["of"])]


def _telephone(english: English, match: re.Match[str]) -> Reading:
    return [*(["plus"] if match[0][0] == "+" else []), *english.numbers.digits(match[0])]


def _money(english: English, match: re.Match[str]) -> Reading:
    one, many, cent, cents = table.MONEY[match["sign"]]
    amount, scale = match["amount"].replace(",", ""), match["scale"]
    whole, _, fraction = amount.partition(".")
    minus = ["minus"] if match["minus"] else []
    upto = ["to", *english.amount(match["upto"])] if match["upto"] else []
    if scale or upto or len(fraction) not in {0, 2} or (fraction and not cent):
        said = [*english.amount(amount), *upto, *([table.SCALES[scale]] if scale else [])]
        return [*minus, *said, *_spelt(many)]
    said = [] if int(whole) == 0 and int(fraction or 0) else english.amount(whole)
    said += _spelt(plural(whole, one, many)) if said else []
    if int(fraction or 0):
        small = [*english.numbers.cardinal(int(fraction)), cent if int(fraction) == 1 else cents]
        said += (["and", *small]) if said else small
    return [*minus, *said]


def _money_after(english: English, match: re.Match[str]) -> Reading:
    one, many, _, _ = table.MONEY[match["sign"]]
    return [*english.amount(match["amount"]), *_spelt(plural(match["amount"], one, many))]


def _version(english: English, match: re.Match[str]) -> Reading:
    parts = match[0].split(".")
    between = "dot" if len(parts) == 4 else "point"
    said = english.code(parts[0])
    return said + [word for part in parts[1:] for word in (between, *english.code(part))]


def _fraction(english: English, match: re.Match[str]) -> Reading:
    top, bottom = int(match["top"]), int(match["bottom"])
    if (top, bottom) in {(24, 7), (9, 11), (50, 50)}:
        return [*english.numbers.cardinal(top), *english.numbers.cardinal(bottom)]
    if not match["whole"]:
        return english_fraction(english.numbers, (top, bottom)) if top < bottom else [
            *english.numbers.cardinal(top), "over", *english.numbers.cardinal(bottom)]  # fmt: skip
    part = (
        ["a", "half"]
        if (top, bottom) == (1, 2)
        else english_fraction(english.numbers, (top, bottom))
    )
    return [*english.amount(match["whole"]), "and", *part]


def _height(english: English, match: re.Match[str]) -> Reading:
    inches = english.numbers.cardinal(match["inches"]) if match["inches"] else []
    return [*english.numbers.cardinal(match["feet"]), "foot" if inches else "feet", *inches]


def _measure(english: English, match: re.Match[str]) -> Reading:
    unit, amount = table.UNITS[match["unit"]], match["amount"]
    head, *tail = unit.split(" per ") if unit != "per mille" else [unit]
    if amount != "1":
        noun, *rest = head.split(" ") if head.startswith("degree") else [head]
        last = noun.split(" ")[-1]
        many = table.IRREGULAR.get(last, last + "s")
        head = " ".join([noun[: len(noun) - len(last)] + many, *rest])
    unit = " per ".join([head, *tail])
    return [*english.amount(amount), *_spelt(unit)]


def _ordinal(english: English, match: re.Match[str]) -> Reading:
    return english.numbers.ordinal(match["number"].replace(",", ""))


def _decade(english: English, match: re.Match[str]) -> Reading:
    figures = match["years"]
    if len(figures) == 4 and figures.endswith("00"):
        head = english.numbers.year(figures)
    else:
        head = (
            english.numbers.year(figures)
            if len(figures) == 4
            else english.numbers.cardinal(figures)
        )
    last = head[-1]
    return [*head[:-1], last[:-1] + "ies" if last.endswith("y") else last + "s"]


def _score(english: English, match: re.Match[str]) -> Reading:
    return [*english.amount(match["left"]), "to"]


def _range(english: English, match: re.Match[str]) -> Reading:
    left = match["left"]
    if re.fullmatch(r"1[1-9]\d\d|20\d\d", left):
        return [*english.numbers.year(left), "to"]
    return [*english.amount(left), "to"]


def _minus(_: English, match: re.Match[str]) -> Reading:
    before = match.string[match.start() - 1 : match.start()]
    return ["minus"] if not before or before in " \t\n(=+*/^" else None


def _times(english: English, match: re.Match[str]) -> Reading:
    return [*english.amount(match["left"]), "times" if " " in match[0] else "by"]


def _year(english: English, match: re.Match[str]) -> Reading:
    return english.numbers.year(match[0])


def _plain_number(english: English, match: re.Match[str]) -> Reading:
    return english.amount(match[0])


def _mixed(english: English, match: re.Match[str]) -> Reading:
    said: list[str] = []
    for part in re.findall(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+", match[0]):
        if part.isdigit():
            said += english.code(part)
        elif (part.isupper() and part not in table.SPOKEN) or len(part) == 1:
            said += english.letters(part)
        else:
            said.append(part)
    return said


def _abbreviation(_: English, match: re.Match[str]) -> Reading:
    short = match["short"].lower()
    if short in {"dr", "st"} and match["short"][0].isupper():
        return _doctor_or_drive(match, short)
    if short in table.BEFORE_NUMBER and re.compile(r"\s*\d").match(match.string, match.end()):
        return [table.BEFORE_NUMBER[short]]
    if short not in table.ABBREVIATIONS:
        return None
    said = table.ABBREVIATIONS[short]
    return _spelt(
        said if match["short"][0].isupper() else said.lower() if " M" not in said else said
    ) + (_stops(match))


def _doctor_or_drive(match: re.Match[str], short: str) -> Reading:
    """A name follows a Doctor and a Saint; a Drive and a Street follow a name."""
    leads, follows = {"dr": ("Doctor", "Drive"), "st": ("Saint", "Street")}[short]
    before, after = _before(match), _after(match)
    street = bool(before) and (before[0].isupper() or before[-2:] in {"st", "nd", "rd", "th"})
    street = street and before[-1] not in ".!?,;:" and before.lower() not in table.STARTERS
    if after[:1].isupper() and after not in table.ROOMS and after.lower() not in table.STARTERS:
        street = False
    return [follows if street else leads, *(_stops(match) if street or not after else [])]


def _initials(english: English, match: re.Match[str]) -> Reading:
    if match[0].lower() in {"a.m.", "p.m.", "e.g.", "i.e."}:
        return None
    return [*english.letters(match[0]), *_stops(match)]


def _initial(english: English, match: re.Match[str]) -> Reading:
    """`J.` before a name; at the end of a sentence the stop is the sentence's."""
    if not _after(match)[:1].isupper() or _after(match).lower() in table.STARTERS:
        return None
    return english.letters(match[0])


def _roman(english: English, match: re.Match[str]) -> Reading:
    value, text, before = roman(match["roman"]), match["roman"], _before(match)
    tail = match["tail"]
    if not value:
        return None
    if before in table.REGNAL and value < 40:
        said = ["the", *english.numbers.ordinal(value)]
    elif before.lower() in table.COUNTED or (
        len(text) > 1 and set(text) <= set("IVX") and value < 40
    ):
        said = english.numbers.cardinal(value)
    elif len(text) > 4 and 1000 < value < 2100:
        said = english.numbers.year(str(value))
    else:
        return None
    return [*said[:-1], said[-1] + tail.replace("’", "'")]


def _capitals(english: English, match: re.Match[str]) -> Reading:
    text, tail = match["capitals"], match["tail"].replace("’", "'")
    if text in table.MEANT:
        said = _spelt(table.MEANT[text])
    elif text in table.SPOKEN or (text not in table.SPELLED and english.known(text.lower())):
        said = [text]
    elif _shouts(match) and (english.known(text.lower()) or len(text) > 5):
        return None
    elif len(text) > 5 and re.search("[AEIOUY]", text):
        said = [text]
    else:
        said = english.letters(text)
    if tail:
        said[-1] += tail if tail[0] == "'" else "'" + tail
    return said


def _shouts(match: re.Match[str]) -> bool:
    """Whether the words around are capitals too, so that capitals mean nothing."""
    near = match.string[max(0, match.start() - 40) : match.end() + 40]
    words = [word for word in re.findall(r"[^\W\d_]+", near) if len(word) > 1]
    return len(words) > 1 and all(word.isupper() for word in words)


def _elision(_: English, match: re.Match[str]) -> Reading:
    found = table.ELISIONS.get(match[0].lower().replace("’", "'").removesuffix("'"))
    found = found or table.ELISIONS.get(match[0].lower().replace("’", "'"))
    return _spelt(found) if found else None


def _letter(_: English, match: re.Match[str]) -> Reading:
    """`A` is the article, unless it is named as a letter: `vitamin A`, `Plan A`."""
    named = _before(match).lower() in table.LETTERED
    return ["A"] if named else None


def _rule(pattern: str, function: Callable[[English, re.Match[str]], Reading]) -> Rule:
    return re.compile(pattern), function


_ADDRESS = [(pattern, _address) for pattern in addresses.PATTERNS]
_TH = "(?:st|nd|rd|th)"
_HALF = r"(?P<half>\s?(?:[ap]m\b|[ap]\.m\.|[AP]M\b|[AP]\.M\.))"
_FIGURES = [
    *_ADDRESS,
    _rule(
        rf"(?P<hour>\d{{1,2}}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:]){_HALF}?",
        _clock,
    ),
    _rule(rf"(?P<hour>1[0-2]|[1-9]){_HALF}", _hour),
    _rule(r"(?P<left>\d{1,3}):(?=\d{1,3}(?![\d:]))", _score),
    _rule(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d\d)(?![\d/])", _date),
    _rule(r"(?P<year>[12]\d{3})-(?P<month>\d\d)-(?P<day>\d\d)(?![\d-])", _date),
    _rule(rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?P<of>\s+of)?(?=\s+(?:{_MONTH})\b)", _day_month),
    _rule(r"(?:\+?\d{1,3}[-. ])?\(\d{3}\)\s?\d{3}[-. ]\d{4}(?!\d)", _telephone),
    _rule(r"\+\d{1,3}(?:[-. ]?\d{1,4}){2,6}(?!\d)", _telephone),
    _rule(r"(?:\d{1,3}-)?\d{3}[-.]\d{3}[-.]\d{4}(?![\d-])|\d{3}-\d{4}(?![\d-])", _telephone),
    _rule(r"\d+(?:-\d+){3,9}(?![\d-])", _telephone),
    _rule(
        rf"(?P<minus>[-−])?(?P<sign>{_MONEY})\s?(?P<amount>{_NUMBER})"
        rf"(?:[-–](?:{_MONEY})?(?P<upto>{_NUMBER})(?![\d-]))?"
        rf"(?:(?:\s(?=\w\w\w))?(?P<scale>{_SCALE})\b)?",
        _money,
    ),
    _rule(rf"(?P<amount>{_NUMBER})\s?(?P<sign>{_MONEY})(?!\d)", _money_after),
    _rule(r"\d{1,5}(?:\.\d{1,5}){2,4}(?![\w.]*\d)", _version),
    _rule(
        r"(?:(?P<whole>\d{1,9})[ -])?(?P<top>\d{1,9})[/⁄](?P<bottom>\d{1,9})(?![\d/])", _fraction
    ),
    _rule(r"(?P<feet>\d)['’′](?:\s?(?P<inches>1[01]|\d)(?:\"|”|″|'')?)?(?![\w'])", _height),
    _rule(r"(?P<years>(?:1\d|20)\d0|[2-9]0)(?:'|’)?s(?!\w)", _decade),
    _rule(rf"(?P<amount>{_NUMBER})\s?(?P<unit>{_UNIT})(?!\w)", _measure),
    _rule(r"(?P<number>\d[\d,]{0,18})(?:st|nd|rd|th)(?!\w)", _ordinal),
    _rule(rf"(?P<left>{_NUMBER})[-–—](?=\d)(?!\d+-\d)(?!0\d)", _range),
    _rule(r"(?P<left>\d{1,5})\s?[x×]\s?(?=\d)", _times),
    _rule(r"(?:1[1-9]|20)\d\d(?![\d.,]*\d)(?!\w)", _year),
    _rule(r"(?=[0-9]{0,20}[A-Za-z])[A-Za-z0-9]{1,40}", _mixed),
    _rule(rf"{_NUMBER}|\d+", _plain_number),
    _rule(r"\.\d+", _plain_number),
    _rule(r"[-−](?=[.\d])", _minus),
    _rule(r"#(?=\d)", lambda _, __: ["number"]),
    _rule(r"(?<=\b[A-G])#(?!\w)", lambda _, __: ["sharp"]),
    _rule(r"(?<=\w)\.(?=[a-z])|(?<!\S)\.(?=[A-Za-z])", lambda _, __: ["dot"]),
]
_LETTERS = [
    *_ADDRESS,
    _rule(r"[A-Z]{1,2}&[A-Z](?![\w&])", lambda _, m: _spelt(" ".join(m[0]).replace("&", "and"))),
    _rule(rf"(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}}){_TH}?(?![\w:]|[.,/]\d)", _month_day),
    _rule(r"(?P<short>[A-Za-z]{1,20}(?:\.[A-Za-z]{1,3}){0,3})\.", _abbreviation),
    _rule(r"(?:[A-Za-z]\.){2,}", _initials),
    _rule(r"[A-Z]\.(?=\s)", _initial),
    _rule(r"(?=[A-Za-z]{1,20}\d)[A-Za-z0-9]{1,40}", _mixed),
    _rule(r"(?P<roman>[IVXLCDM]+)(?P<tail>(?:['’]s)?)(?!\w|['’]\w)", _roman),
    _rule(r"(?P<capitals>[A-Z]{2,})(?P<tail>['’]?s|)(?!\w|['’]\w)", _capitals),
    _rule(r"['’](?:[A-Za-z]+)['’]?", _elision),
    _rule(r"A(?![\w'’])", _letter),
    _rule(r"['’](?=\d0s\b)", lambda _, __: []),
]  # fmt: skip
