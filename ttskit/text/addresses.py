"""Web and e-mail addresses: where every sign is said."""

from __future__ import annotations

import re
from collections.abc import Callable

from ttskit.text.english_words import ADDRESS_SIGNS, LOWER_IN_ADDRESS

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
_TOP = "com|org|net|edu|gov|io|uk|us|de|nl|eu|co|info|ai|dev|app|fr|ca|tv|me|be|at|ch"
PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[\w.+-]{{1,64}}@{_LABEL}(?:\.{_LABEL}){{1,8}}",
        r"(?:[a-z]{2,10}://|www\.)[^\s<>\"“”()]{0,1000}[\w/]",
        rf"{_LABEL}(?:\.{_LABEL}){{0,6}}\.(?:{_TOP})(?:/[\w./?=&#%~-]{{0,500}}[\w/])?(?![\w.]*\w)",
    )
)


def read(
    address: str, letters: Callable[[str], list[str]], code: Callable[[str], list[str]]
) -> list[str]:
    """Read an address without its `https://`; `letters` and `code` name letters and figures."""
    said: list[str] = []
    for part in re.findall(r"[A-Za-z]+|\d+|.", re.sub(r"^[a-z]+://", "", address)):
        if part in ADDRESS_SIGNS:
            said += ADDRESS_SIGNS[part].split()
        elif part[0].isdigit():
            said += code(part)
        elif len(part) < 3 or not re.search("[aeiouyAEIOUY]", part):
            short = part.lower() in LOWER_IN_ADDRESS
            said += [part] if short and not part.isupper() else letters(part)
        else:
            said.append(part)
    return said
