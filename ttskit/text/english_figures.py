"""The rules of English for numbers, mathematics, ranges, and the signs that belong to them."""

from __future__ import annotations

import re

from ttskit.text.english_codes import mixed
from ttskit.text.english_dates import YEARS
from ttskit.text.english_rules import MONTH, NUMBER, NUMBERS
from ttskit.text.rules import Reading, Rule, after, before, word_before

_END = (  # what a range begins with
    r"(?:(?:^|[\s(\[“\"'])(?:[$€£¥]|[A-Z]{0,2}\$)?\d[\d,.:]*[½¼¾]?"
    r"(?:\s?(?:[KkMmBTh%]|bn|st|nd|rd|th|°[CF]?|[ap]\.?m\.?|[AP]\.?M\.?|′|″|¢|€|£))?"
    r"|\b(?:[Nn]oon|[Mm]idnight|(?:Mon|Tues?|Wed(?:nes)?|Th(?:u(?:rs?)?)|Fri|Sat(?:ur)?|Sun)(?:day)?"
    rf"|{MONTH}))\.?\s?\Z"
)
_START = (  # and what it ends with
    r"\s?(?:(?:[$€£¥]|[A-Z]{0,2}\$)?\d|(?:[Nn]oon|[Mm]idnight|[Pp]resent|[Nn]ow"
    rf"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)|{MONTH})(?![a-ce-z]))"
)
_OPERAND = r"(?:\A|[\s(=])[\w.,)²³]+\s\Z"
_EQUATION = r"\s[\w.,(²³]+\s?[=<>+*/×÷]"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_LOVERS = frozenset("i we you they".split())


def _ordinal(match: re.Match[str]) -> Reading:
    return NUMBERS.ordinal(match["number"].replace(",", ""))


def _score(match: re.Match[str]) -> Reading:
    return [*NUMBERS.amount(match["left"]), "to"]


def _upto(match: re.Match[str]) -> Reading:
    """A dash between the ends of a range is `to`: numbers, times, money, days, months."""
    if re.search(r"[,:;]\s+\Z", before(match)):  # `3, -5` is a list
        return None
    ends = re.search(_END, before(match)) and re.match(_START, after(match))
    left, right = re.search(r"(?<!\S)\d{3,}\Z", before(match)), re.match(r"\d{3,}", after(match))
    falls = left and right and len(left[0]) == len(right[0]) and left[0] > right[0]
    return ["to"] if ends and not falls else None  # `747-400` is no range


def _minus(match: re.Match[str]) -> Reading:
    previous = match.string[match.start() - 1 : match.start()]
    return ["minus"] if not previous or previous in " \t\n(=+*/^" else None


def _operator(match: re.Match[str]) -> Reading:
    """A sign with spaces around it between two operands: `6 / 2 = 3`."""
    name = {"-": "minus", "−": "minus", "/": "divided by", "*": "times", "x": "times"}[match[0]]
    left, right = re.search(_OPERAND, before(match)), re.match(_EQUATION, after(match))
    if match[0] in "-−" and not (right or re.search(r"[=+*/×÷]\s\S+\s\Z", before(match))):
        return None
    return name.split() if left and re.match(r"\s[\w(.]", after(match)) else None


def _times(match: re.Match[str]) -> Reading:
    left = match["left"]
    screen = len(left) > 3 and not match[0].count(" ")
    return [
        *(NUMBERS.code(left) if screen else NUMBERS.amount(left)),
        "times" if " " in match[0] else "by",
    ]


def _resolution(match: re.Match[str]) -> Reading:
    """The second figure of `1920x1080`."""
    return NUMBERS.code(match[0]) if re.search(r"\d{4}\s?[x×]\Z", before(match)) else None


def _fold(match: re.Match[str]) -> Reading:
    return [*NUMBERS.amount(match["number"]), "times"]


def _power(match: re.Match[str]) -> Reading:
    exponent = match["power"].translate(_SUPERSCRIPTS)
    named = {"2": ["squared"], "3": ["cubed"]}.get(exponent)
    if named:
        return named
    minus = ["minus"] if exponent[0] == "-" else []
    digits = exponent.lstrip("-")
    return ["to", "the", *minus, *(NUMBERS.cardinal(digits) if digits.isdecimal() else [digits])]


def _scientific(match: re.Match[str]) -> Reading:
    sign = {"-": ["minus"], "−": ["minus"], "+": ["plus"], "": []}[match["sign"]]
    return [*NUMBERS.amount(match["number"]), "E", *sign, *NUMBERS.cardinal(match["power"])]


def _european(match: re.Match[str]) -> Reading:
    whole, _, part = match[0].replace(".", "").partition(",")
    return NUMBERS.decimal(whole, part, "point")


def _plain_number(match: re.Match[str]) -> Reading:
    return NUMBERS.amount(match[0])


def _heart(match: re.Match[str]) -> Reading:
    return ["love"] if word_before(match).lower() in _LOVERS else None


BETWEEN: list[Rule] = [
    Rule(r"[-−/*]", _operator),
    Rule(r"[-–—~]", _upto),
]
RULES: list[Rule] = [
    Rule(r"(?P<left>\d{1,3}):(?=\d{1,3}(?![\d:]))", _score),
    Rule(r"(?P<number>\d[\d,]{0,18})(?:st|nd|rd|th|ST|ND|RD|TH)(?!\w)", _ordinal),
    Rule(rf"(?P<number>{NUMBER})[eE](?P<sign>[-−+]?)(?P<power>\d{{1,4}})(?!\w)", _scientific),
    Rule(r"(?P<left>\d{1,5})\s?[x×]\s?(?=\d)", _times),
    Rule(r"\d{4}(?!\w)", _resolution),
    Rule(rf"(?P<number>{NUMBER})[x×](?!\w)", _fold),
    *YEARS,
    Rule(r"(?=[0-9]{0,20}[A-Za-z])[A-Za-z0-9]{1,40}", mixed),
    Rule(r"\d{1,3}(?:\.\d{3})+,\d{1,4}(?!\d)|\d{1,9},\d{1,2}(?![\d,])", _european),
    Rule(rf"{NUMBER}|\d+", _plain_number),
    Rule(r"\.\d+", _plain_number),
    Rule(r"[-−](?=[.\d])", _minus),
    Rule(r"(?P<power>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6})", _power),
    Rule(r"\^\s?(?P<power>-?\d{1,6}|[A-Za-z](?!\w))", _power),
    Rule(r"(?<=[\dnk])!(?=\s*[=+*/×÷)])|(?<=\bn)!", lambda _: ["factorial"]),
    Rule(r"<3(?!\w)", _heart),
    Rule(r"#(?=\d)", lambda _: ["number"]),
    Rule(r"(?<=\b[A-G])#(?!\w)", lambda _: ["sharp"]),
    Rule(r"(?<![\w&])#(?=[A-Za-z])", lambda _: ["hashtag"]),
    Rule(r"(?<![\w$])\$(?=[A-Z]{1,5}(?!\w))", lambda _: []),
    Rule(r"(?<!\S)--(?=[a-z])", lambda _: ["dash", "dash"]),
    Rule(r"(?<!\S)~(?=\d)", lambda _: ["approximately"]),
    Rule(r"(?<=\w)\.(?=[a-z])|(?<!\S)\.(?=[A-Za-z])", lambda _: ["dot"]),
]
