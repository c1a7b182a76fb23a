"""Emoji by their names, from the lists of the package `emoji`, which are Unicode's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ttskit.errors import TextError
from ttskit.text.languages import LANGUAGES

LONGEST = 16  # code points, of a family with skin tones or the flag of a region
FIRST = "\u203c"  # what comes before, such as digits and ©, is read as text

# from a text and a place to where an emoji ends that begins there, and its name
Names: TypeAlias = Callable[[str, int], tuple[int, tuple[str, ...]] | None]


def names(language: str) -> Names:
    """Return what names the emoji of a text in a language.

    >>> names("en-us")("so 👍🏽", 3)
    (5, ('thumbs', 'up', 'medium', 'skin', 'tone'))
    """
    code = LANGUAGES[language].package if language in LANGUAGES else ""
    try:
        import emoji
    except ImportError:
        raise TextError("names of emoji need pip install 'ttskit[emoji]'") from None
    if code not in emoji.LANGUAGES:
        able = (name for name, one in LANGUAGES.items() if one.package in emoji.LANGUAGES)
        raise TextError(f"no names of emoji in {language}; there are some in {', '.join(able)}")
    emoji.config.load_language(code)

    def named(text: str, at: int) -> tuple[int, tuple[str, ...]] | None:
        if text[at] < FIRST:
            return None
        first = next(emoji.analyze(text[at : at + LONGEST], non_emoji=True))
        if not isinstance(first.value, emoji.EmojiMatch):
            return None
        listed = first.value.data or {}
        name = str(listed.get(code, listed["en"]))
        return at + len(first.chars), tuple(name.strip(":").replace("_", " ").split())

    return named
