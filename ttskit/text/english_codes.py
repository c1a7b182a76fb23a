"""The rules of English for figures that name something: telephone, cards, versions, models."""

from __future__ import annotations

import re

from ttskit.text import english_words as table
from ttskit.text.english_rules import NUMBERS
from ttskit.text.rules import Reading, Rule, before, grouped, letters, word_before

_NAMED = r"[A-Za-z0-9₀₁₂₃₄₅₆₇₈₉]{1,40}"
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_STATES = frozenset(
    """
    AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY
    NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC
    """.split()
)
_DIALLED = frozenset("dial dialed dialing dials call calling called phone".split())
_DIGITS = frozenset("pin code passcode password zip combination".split())
_NUMBERED = frozenset(
    """
    room flight route highway bus channel interstate suite boeing extension ext area locker gate
    """.split()
)
_VERSIONED = frozenset(
    "python java version ios android windows macos ubuntu linux firefox chrome release v ruby "
    "django torch numpy php".split()
)


def mixed(match: re.Match[str]) -> Reading:
    """Read a name of letters and figures: `MP3`, `F150`, `4x4`, `CO₂`."""
    reading: list[str] = []
    text = match[0].translate(_SUBSCRIPTS)
    for part in re.findall(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text):
        if part.isdigit():
            reading += NUMBERS.code(part)
        elif (part.isupper() and part not in table.ACRONYMS) or len(part) == 1:
            reading += letters(part)
        else:
            reading.append(part)
    return reading


def _telephone(match: re.Match[str]) -> Reading:
    plus = ["plus"] if match[0][0] == "+" else []
    groups = [_group(group) for group in re.findall(r"\d+", match[0])]
    return [*plus, *grouped(groups)]


def _group(figures: str) -> list[str]:
    """Read a group of a telephone number: 800 as eight hundred, others figure by figure."""
    toll_free = len(figures) == 3 and figures.endswith("00") and figures[0] != "0"
    return NUMBERS.cardinal(figures) if toll_free else NUMBERS.digits(figures)


def _vanity(match: re.Match[str]) -> Reading:
    groups = [_group(group) for group in re.findall(r"\d+", match["figures"])]
    return [*grouped([*groups, [match["word"]]])]


def _postal(match: re.Match[str]) -> Reading:
    state = before(match).rstrip()[-2:]
    if state not in _STATES or not re.search(r"(?<!\w)[A-Z]{2}\s\Z", before(match)):
        return None
    return grouped([NUMBERS.digits(group) for group in match[0].split("-")])


def _dialled(match: re.Match[str]) -> Reading:
    """Figures after `dial` and `PIN` are named one by one, after `room` as codes are read."""
    previous = word_before(match).lower().rstrip(".:")
    if previous in _DIALLED and (len(match[0]) > 4 or match[0].endswith("11")):
        return NUMBERS.digits(match[0])
    if previous in _DIGITS or previous == "dial":
        return NUMBERS.digits(match[0])
    return NUMBERS.code(match[0]) if previous in _NUMBERED and len(match[0]) > 2 else None


def _version(match: re.Match[str]) -> Reading:
    parts = match[0].split(".")
    if len(parts) == 2 and word_before(match).lower() not in _VERSIONED:
        return None
    between = "dot" if len(parts) == 4 else "point"
    reading = NUMBERS.code(parts[0])
    return reading + [word for part in parts[1:] for word in (between, *NUMBERS.code(part))]


def _standard(match: re.Match[str]) -> Reading:
    """`802.11ac`: a version with letters behind it."""
    whole, part = match["figures"].split(".")
    return [*NUMBERS.code(whole), "point", *NUMBERS.code(part), *letters(match["tail"])]


def _hexadecimal(match: re.Match[str]) -> Reading:
    return ["zero", "X", *(w for c in match["digits"] for w in _digit(c))]


def _digit(character: str) -> list[str]:
    return NUMBERS.digits(character) if character.isdecimal() else [character.upper()]


def _port(match: re.Match[str]) -> Reading:
    return ["colon", *NUMBERS.code(match["port"])]


OF_LETTERS: list[Rule] = [
    Rule(r"v(?=\d+\.\d)", lambda _: ["version"]),
    Rule(r"[ru]/(?=[A-Za-z]{2})", lambda match: [match[0][0].upper(), "slash"]),
    Rule(rf"(?=[A-Za-z]{{1,20}}[\d₀-₉]){_NAMED}", mixed),
]
RULES: list[Rule] = [
    Rule(r"(?P<figures>(?:1-)?\d{3}-)(?P<word>[A-Z]{4,10})(?!\w)", _vanity),
    Rule(r"(?:\+?\d{1,3}[-. ])?\(\d{3}\)\s?\d{3}[-. ]\d{4}(?!\d)", _telephone),
    Rule(r"\+\d{1,3}(?:[-. ]?\d{1,4}){2,6}(?!\d)", _telephone),
    Rule(r"(?:\d{1,3}-)?\d{3}[-.]\d{3}[-.]\d{4}(?![\d-])|\d{3}-\d{4}(?![\d-])", _telephone),
    Rule(r"0\d{2,4} \d{3,4} \d{3,4}(?![\d-])", _telephone),
    Rule(r"\d{3}-\d{2}-\d{4}(?![\d-])|\d{4}(?:[ -]\d{4}){3}(?!\d)", _telephone),
    Rule(r"\d+(?:-\d+){3,9}(?![\d-])", _telephone),
    Rule(r"\d{5}(?:-\d{4})?(?!\d)", _postal),
    Rule(r"\d{3,6}(?![\w.,:/-]*\d)(?!\w)", _dialled),
    Rule(r"0x(?P<digits>[\dA-Fa-f]{1,16})(?!\w)", _hexadecimal),
    Rule(r"\d{1,5}(?:\.\d{1,5}){1,4}(?![\w.]*\d)(?!\w)", _version),
    Rule(r"(?P<figures>\d{3}\.\d{1,2})(?P<tail>[a-z]{1,2})(?!\w)", _standard),
    Rule(r"(?<=[\da-z]):(?P<port>\d{4,5})(?!\w)", _port),
]
