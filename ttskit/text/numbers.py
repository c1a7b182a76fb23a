"""Numbers as words, through num2words, in any language that it knows."""

from __future__ import annotations

import re
from fractions import Fraction

from ttskit.text.symbols import LANGUAGES

_LONGEST = 15  # digits; a longer number is read digit by digit
_NOT_WORDS = re.compile(r"[-,\s\u00ad]+")
_NUM2WORDS = {"pt": "pt_BR"}  # dialects; every other language goes by its two letters


class Numbers:
    """The number words of one language.  US English says no `and` within a number."""

    def __init__(self, language: str) -> None:
        package = LANGUAGES[language].package
        self._english = package == "en"
        self._code = _NUM2WORDS.get(package, package)

    def cardinal(self, number: int | str) -> list[str]:
        """`1234` -> one thousand two hundred thirty four."""
        if len(str(number)) > _LONGEST:
            return self.digits(str(number))
        return self._say(int(number), "cardinal")

    def ordinal(self, number: int | str) -> list[str]:
        """`22` -> twenty second."""
        if len(str(number)) > _LONGEST:
            return self.digits(str(number))
        try:
            return self._say(int(number), "ordinal")
        except NotImplementedError:
            return self.cardinal(number)

    def digits(self, text: str) -> list[str]:
        """`007` -> zero zero seven."""
        return [word for digit in text if digit.isdigit() for word in self.cardinal(int(digit))]

    def whole(self, text: str) -> list[str]:
        """Read a run of digits: as a number, or digit by digit if it begins with a zero."""
        if len(text) > 1 and int(text[0]) == 0:
            return self.digits(text)
        return self.cardinal(text)

    def decimal(self, whole: str, fraction: str, point: str) -> list[str]:
        """`3`, `14`, `point` -> three point one four."""
        head = self.whole(whole) if whole else []
        return [*head, point, *self.digits(fraction)]

    def year(self, text: str) -> list[str]:
        """`1984` -> nineteen eighty four; `2007` -> two thousand seven (English only)."""
        number = int(text)
        if not self._english:
            try:
                return self._say(number, "year")
            except NotImplementedError:
                return self.cardinal(number)
        century, rest = divmod(number, 100)
        if 2000 <= number < 2010 or not 11 <= century <= 20:
            return self.cardinal(number)
        if rest == 0:
            return [*self.cardinal(century), "hundred"]
        return [*self.cardinal(century), *(["oh"] if rest < 10 else []), *self.cardinal(rest)]

    def _say(self, number: int, to: str) -> list[str]:
        from num2words import num2words

        said = num2words(number, lang=self._code, to=to)
        words = [word for word in _NOT_WORDS.split(said) if word]
        return [word for word in words if word != "and"] if self._english else words


def english_fraction(numbers: Numbers, value: Fraction | tuple[int, int]) -> list[str]:
    """`3/4` -> three quarters; what no one names by an ordinal is `over`."""
    top, bottom = value if isinstance(value, tuple) else (value.numerator, value.denominator)
    if not 2 <= bottom <= 100 or top >= 100 or top == 0:
        return [*numbers.cardinal(top), "over", *numbers.cardinal(bottom)]
    plain = {2: ["half"], 4: ["quarter"]}.get(bottom) or numbers.ordinal(bottom)
    if top > 1:
        plain = [*plain[:-1], "halves" if bottom == 2 else plain[-1] + "s"]
    return [*numbers.cardinal(top), *plain]


_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def roman(text: str) -> int:
    """Return the value of a well-formed Roman numeral, 0 for anything else."""
    if not text or not _ROMAN.fullmatch(text):
        return 0
    values = [_VALUES[letter] for letter in text]
    following = [*values[1:], 0]
    return sum(-v if v < n else v for v, n in zip(values, following, strict=True))


def plural(number: str, one: str, many: str) -> str:
    """Return the form that goes with a number as written."""
    return one if number in {"1", "-1"} else many
