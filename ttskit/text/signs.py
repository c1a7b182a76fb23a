"""Signs that mean the same in every language: punctuation, Greek letters, markup."""

from __future__ import annotations

import re

MARKS = {
    **dict.fromkeys(".。．｡۔।॥።։", "."),
    **dict.fromkeys(",，、､،٫", ","),
    **dict.fromkeys("!！﹗", "!"),
    **dict.fromkeys("?？؟﹖", "?"),
    **dict.fromkeys(";；؛", ";"),
    **dict.fromkeys(":：", ":"),
    **dict.fromkeys("…⋯", "…"),
    **dict.fromkeys("—–―‒|", "—"),
    **dict.fromkeys("([{（［【「『〔", "("),
    **dict.fromkeys(")]}）］】」』〕", ")"),
    **dict.fromkeys("\"“”„‟«»‹›‘’‚'`´＂〝〞″′", '"'),
    "¿": "¿",
    "¡": "¡",
}
HYPHENS = "-‐‑·"
UNSPOKEN = "_*`~"  # signs of Markdown, where they stand at a word

_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma "
    "sigma tau upsilon phi chi psi omega"
).split()
GREEK = dict(zip("αβγδεζηθικλμνξοπρςστυφχψω", _NAMES, strict=True))
GREEK |= {letter.upper(): name for letter, name in GREEK.items()} | {
    "\u2126": "omega",
    "∆": "delta",
}

_TAGS = (
    "a|abbr|b|big|blockquote|body|br|center|cite|code|del|div|em|font|h[1-6]|head|hr|html|i|img|"
    "ins|li|mark|ol|p|pre|q|s|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|title|tr|"
    "tt|u|ul"
)
TAG = re.compile(
    rf"</(?:{_TAGS})\s?>|<(?:{_TAGS})(?:\s+[\w:-]{{1,40}}=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))*"
    r"\s?/?>|<!--[^<>]*-->",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}[1-4]?|#\d{1,6}|#[xX][\dA-Fa-f]{1,5});")


def entity(text: str, at: int) -> tuple[int, str] | None:
    """Return the end of an entity of HTML that begins at `at`, and the character it stands for.

    >>> entity("a &lt; b", 2)
    (6, '<')
    """
    match = _ENTITY.match(text, at)
    if not match:
        return None
    from html import unescape

    character = unescape(match[0])
    return (match.end(), character) if len(character) == 1 else None


def greek(text: str, at: int) -> str:
    """Return the name of a Greek letter that stands for itself; "" within a Greek word."""
    name = GREEK.get(text[at], "")
    near = text[at - 1 : at] + text[at + 1 : at + 2]
    return "" if any("\u0370" <= character <= "\u03ff" for character in near) else name
