"""Numbers as words, through num2words, in any language that it knows."""

from __future__ import annotations

import re

from ttskit.text.languages import LANGUAGES

_LONGEST = 15  # digits; a longer number is read digit by digit
_NOT_WORDS = re.compile(r"[-,\s\u00ad]+")
_NUM2WORDS = {"pt": "pt_BR"}  # for the other languages, the name of their package
_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


class Numbers:
    """The number words of one language.

    >>> Numbers("de-de").cardinal(3), Numbers("nl").decimal("3", "14", "komma")
    (['drei'], ['drie', 'komma', 'één', 'vier'])
    """

    def __init__(self, language: str) -> None:
        package = LANGUAGES[language].package
        self._code = _NUM2WORDS.get(package, package)

    def cardinal(self, number: int | str) -> list[str]:
        """Return the words of a whole number."""
        if len(str(number)) > _LONGEST:
            return self.digits(str(number))
        return self._words(int(number), "cardinal")

    def ordinal(self, number: int | str) -> list[str]:
        """Return the words of an ordinal; of the number where the language has none."""
        if len(str(number)) > _LONGEST:
            return self.digits(str(number))
        try:
            return self._words(int(number), "ordinal")
        except NotImplementedError:
            return self.cardinal(number)

    def digits(self, text: str) -> list[str]:
        """Read digit by digit, without what is between the digits."""
        return [word for digit in text if digit.isdecimal() for word in self.cardinal(int(digit))]

    def whole(self, text: str) -> list[str]:
        """Read a run of digits: as a number, or digit by digit if it begins with a zero."""
        if len(text) > 1 and int(text[0]) == 0:
            return self.digits(text)
        return self.cardinal(text)

    def decimal(self, whole: str, fraction: str, point: str) -> list[str]:
        """Return the words of a decimal number; `point` is the word between its parts."""
        head = self.whole(whole) if whole else []
        return [*head, point, *self.digits(fraction)]

    def year(self, text: str) -> list[str]:
        """Return the words of a year; of the number where the language reads it no other way."""
        try:
            return self._words(int(text), "year")
        except NotImplementedError:
            return self.cardinal(int(text))

    def _words(self, number: int, form: str) -> list[str]:
        from num2words import num2words

        written = num2words(number, lang=self._code, to=form)
        return [word for word in _NOT_WORDS.split(written) if word]


class EnglishNumbers(Numbers):
    """The number words of US English, which says no `and` within a number.

    >>> numbers = EnglishNumbers()
    >>> " ".join(numbers.cardinal(1234))
    'one thousand two hundred thirty four'
    >>> numbers.ordinal(22), numbers.digits("007")
    (['twenty', 'second'], ['zero', 'zero', 'seven'])
    """

    def __init__(self) -> None:
        super().__init__("en-us")

    def year(self, text: str) -> list[str]:
        """Return the words of a year.

        >>> numbers = EnglishNumbers()
        >>> [" ".join(numbers.year(year)) for year in ("1984", "1905", "2007")]
        ['nineteen eighty four', 'nineteen oh five', 'two thousand seven']
        """
        number = int(text)
        century, rest = divmod(number, 100)
        if 2000 <= number < 2010 or not 11 <= century <= 20:
            return self.cardinal(number)
        if rest == 0:
            return [*self.cardinal(century), "hundred"]
        return [*self.cardinal(century), *(["oh"] if rest < 10 else []), *self.cardinal(rest)]

    def amount(self, text: str) -> list[str]:
        """Read a number that is not a year, with commas between thousands or without.

        >>> " ".join(EnglishNumbers().amount("1,984.5"))
        'one thousand nine hundred eighty four point five'
        """
        whole, _, fraction = text.replace(",", "").partition(".")
        return self.decimal(whole, fraction, "point") if fraction else self.whole(whole)

    def code(self, digits: str) -> list[str]:
        """Read the figures of a name.

        >>> [" ".join(EnglishNumbers().code(figures)) for figures in ("150", "101", "3", "007")]
        ['one fifty', 'one oh one', 'three', 'zero zero seven']
        """
        if digits[0] == "0" or len(digits) > 4:
            return self.digits(digits)
        if len(digits) < 3 or digits.endswith("00"):
            return self.cardinal(digits)
        head, tail = digits[:-2], digits[-2:]
        oh = ["oh"] if tail[0] == "0" else []
        return [*self.cardinal(head), *oh, *self.cardinal(int(tail))]

    def fraction(self, top: int, bottom: int) -> list[str]:
        """Return the words of a fraction; `over` where no ordinal names the lower number.

        >>> [" ".join(EnglishNumbers().fraction(*parts)) for parts in ((3, 4), (1, 2), (5, 128))]
        ['three quarters', 'one half', 'five over one hundred twenty eight']
        """
        if not 2 <= bottom <= 100 or top >= 100 or top == 0:
            return [*self.cardinal(top), "over", *self.cardinal(bottom)]
        part = {2: ["half"], 4: ["quarter"]}.get(bottom) or self.ordinal(bottom)
        part = ["hundredth"] if bottom == 100 else part
        if top > 1:
            part = [*part[:-1], "halves" if bottom == 2 else part[-1] + "s"]
        return [*self.cardinal(top), *part]

    def _words(self, number: int, form: str) -> list[str]:
        return [word for word in super()._words(number, form) if word != "and"]


def roman(text: str) -> int:
    """Return the value of a well-formed Roman numeral, 0 for anything else.

    >>> roman("XIV"), roman("IIII")
    (14, 0)
    """
    if not text or not _ROMAN.fullmatch(text):
        return 0
    values = [_VALUES[letter] for letter in text]
    following = [*values[1:], 0]
    return sum(-v if v < n else v for v, n in zip(values, following, strict=True))


def plural(number: str, one: str, many: str) -> str:
    """Return the form that goes with a number as written."""
    return one if number in {"1", "-1"} else many
