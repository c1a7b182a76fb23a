"""Which symbol of one table sounds most like a symbol of another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from unicodedata import normalize

from ttskit.text.symbols import SPECIAL

MARKS = "ˈˌ²'"  # stress and tone, in front of a symbol
LENGTHS = "ːˑ"
NASAL = "\u0303"  # the tilde, which a letter may have in it


def alike(wanted: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return, for each wanted symbol, the nearest of the known ones; marks have only themselves.

    A symbol stands for itself where it is known.  Else the nearest one has the same stress if it
    can, and the fewest features of articulation that differ.

    >>> alike(["#", "p", "ˈaː", "x"], ["#", "p", "ˈɑ", "ɑ", "h"])
    {'#': '#', 'p': 'p', 'ˈaː': 'ˈɑ', 'x': 'h'}
    """
    there, sounds = set(known), [symbol for symbol in known if symbol not in SPECIAL]
    near = {symbol: symbol for symbol in wanted if symbol in there}
    for symbol in wanted:
        if symbol not in there and symbol not in SPECIAL and sounds:
            near[symbol] = min(sounds, key=lambda other, own=symbol: _distance(own, other))  # type: ignore[misc]
    return {symbol: near[symbol] for symbol in wanted if symbol in near}


def _distance(one: str, other: str) -> tuple[float, bool, int, str]:
    """Return how far two symbols are apart: in their sounds, then stress, then length."""
    first, second = _sounds(_bare(one)), _sounds(_bare(other))
    apart = sum(_apart(a, b) for a, b in zip(first, second, strict=False))
    apart += 4.0 * abs(len(first) - len(second))
    return apart, _stress(one) != _stress(other), abs(len(one) - len(other)), other


def _bare(symbol: str) -> str:
    return symbol.lstrip(MARKS)


def _stress(symbol: str) -> str:
    return symbol[: len(symbol) - len(_bare(symbol))]


@cache
def _sounds(symbol: str) -> tuple[Any, ...]:
    """Return the letters of a symbol without marks, each by its features where these are known."""
    from gruut_ipa.features import string_to_symbol, to_vector

    sounds = []
    for letter in normalize("NFD", symbol) if NASAL in normalize("NFD", symbol) else symbol:
        if letter in LENGTHS or not letter.isalpha():
            continue
        try:
            sounds.append((letter, tuple(to_vector(string_to_symbol(letter)))))
        except (KeyError, ValueError, AttributeError):
            sounds.append((letter, ()))
    return tuple(sounds)


def _apart(one: tuple[str, tuple[float, ...]], other: tuple[str, tuple[float, ...]]) -> float:
    if one[0] == other[0]:
        return 0.0
    if not one[1] or not other[1]:
        return 6.0  # more than two vowels or two consonants are apart
    return sum(abs(a - b) for a, b in zip(one[1], other[1], strict=True))
