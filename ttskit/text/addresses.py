"""Web and e-mail addresses: where every sign is named."""

from __future__ import annotations

import re

from ttskit.text.english_rules import NUMBERS, Rule, letters
from ttskit.text.english_words import ADDRESS_SIGNS, LOWER_IN_ADDRESS

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
_TOP = "com|org|net|edu|gov|io|uk|us|de|nl|eu|co|info|ai|dev|app|fr|ca|tv|me|be|at|ch"
_PARTS = re.compile(r"[A-Za-z]+|\d+|.")


def read(address: str) -> list[str]:
    """Return the words of an address, without its `https://`.

    >>> " ".join(read("https://example.org/a1"))
    'example dot org slash A one'
    """
    reading: list[str] = []
    for part in _PARTS.findall(re.sub(r"^[a-z]+://", "", address)):
        if part in ADDRESS_SIGNS:
            reading += ADDRESS_SIGNS[part].split()
        elif part.isdecimal():
            reading += NUMBERS.code(part)
        elif len(part) < 3 or not re.search("[aeiouyAEIOUY]", part):
            short = part.lower() in LOWER_IN_ADDRESS and not part.isupper()
            reading += [part] if short else letters(part)
        else:
            reading.append(part)
    return reading


def _read(match: re.Match[str]) -> list[str]:
    return read(match[0])


RULES: tuple[Rule, ...] = tuple(
    (re.compile(pattern), _read)
    for pattern in (
        rf"[\w.+-]{{1,64}}@{_LABEL}(?:\.{_LABEL}){{1,8}}",
        r"(?:[a-z]{2,10}://|www\.)[^\s<>\"“”()]{0,1000}[\w/]",
        rf"{_LABEL}(?:\.{_LABEL}){{0,6}}\.(?:{_TOP})(?:/[\w./?=&#%~-]{{0,500}}[\w/])?(?![\w.]*\w)",
    )
)
