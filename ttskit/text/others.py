"""How languages other than English are read aloud: rules that take their words from a table.

num2words gives the words of numbers.  A language without a table still reads numbers; signs that
it has no word for are reported as dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

from ttskit.text import addresses
from ttskit.text.dutch import DUTCH
from ttskit.text.german import GERMAN
from ttskit.text.numbers import Numbers, plural, roman
from ttskit.text.rules import (
    Reading,
    Rule,
    after,
    alternatives,
    apply,
    before,
    grouped,
    letters,
    word_before,
)
from ttskit.text.tables import SHORT, Table

SPEAKS_NUMBERS = frozenset("de-de nl fr-fr es-es it-it pt ru-ru sv-se cs-cz ca-ce ar fa".split())
_TABLES = {"de-de": GERMAN, "nl": DUTCH, **SHORT}
_OPERATION = r"\s[\w.,(²³]+\s?[=<>+*/×÷]"
_RANGE_ENDS = r"(?:\A|[\s(\[„“\"'€$£])\d[\d.,:]*(?:\s?(?:[%€$£]|°C|[a-z]{1,2}))?\s?\Z"


class Other:
    """The reader of a language with a table: `read` gives the words of what begins at a place.

    Parameters
    ----------
    language : str
    known : function
        Whether the lexicon has a word.
    """

    def __init__(self, language: str, known: Callable[[str], bool]) -> None:
        self.table = _TABLES.get(language, Table())
        self.signs = self.table.signs
        self.numbers = Numbers(language)
        self.speaks_numbers = language in SPEAKS_NUMBERS
        self._known = known
        short = addresses.Naming(self.table.web, (), self._code, known)
        web = addresses.rules(short) if self.table.web else []
        self._words = [*web, *self._of_abbreviations(), *self._of_letters()]
        numbers = [*self._of_dates(), *self._of_codes(), *self._of_amounts(), *self._of_numbers()]
        self._figures = [*web, *numbers] if self.speaks_numbers else web

    def read(self, text: str, at: int) -> tuple[int, list[str]] | None:
        """Return the end and the reading of what begins at `at`; None if no rule reads it."""
        return apply(self._words if text[at].isalpha() else self._figures, text, at)

    def _number(self) -> str:
        group = re.escape(self.table.group)
        return (
            rf"(?P<whole>\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)"
            rf"(?:{self.table.decimal}(?P<part>\d+))?"
        )

    def _of_abbreviations(self) -> list[Rule]:
        table = self.table
        days, months = alternatives(table.days), alternatives(table.short_months)
        return [
            Rule(rf"(?:{alternatives(table.read_as)})(?![\w/]|['’]\w)", self._read_as),
            self._money_first(alternatives(sign for sign in table.money if sign.isalpha())),
            Rule(rf"(?:{alternatives(table.before_number)})(?=\s?\d)", self._before_number),
            Rule(rf"(?P<name>{days})(?!\w)\.?", self._day),
            Rule(rf"(?P<name>{months})(?!\w)\.?", self._month),
            Rule(rf"(?:{alternatives(table.abbreviations)})(?!\w)", self._abbreviation),
            Rule(rf"(?P<stem>\w{{2,30}})(?P<tail>{alternatives(table.suffixes)})", self._suffix),
        ]

    def _of_letters(self) -> list[Rule]:
        if not self.table.web:  # the names of letters are known where addresses are read
            return []
        return [
            Rule(r"[A-Z]{1,2}&[A-Z](?![\w&])", self._ampersand),
            Rule(
                r"(?P<roman>[IVXLCDM]+)(?P<tail>(?<=\w\w)(?:e|ste|de)|\.)?(?![\w'’])", self._roman
            ),
            Rule(r"(?P<capitals>[A-ZÄÖÜ]{2,})(?P<tail>['’]?s|)(?!\w|['’]\w)", self._capitals),
            Rule(r"(?=[A-Z]{1,10}\d)[A-Z]+\d+[A-Za-z]?(?!\w)", self._mixed),
            Rule(r"(?P<name>[A-Z]{2,6})(?=-\d)", self._mixed),
            Rule(r"(?!U\s)[A-Z](?![\w'’])", lambda match: [match[0]]),
        ]

    def _of_dates(self) -> list[Rule]:
        days = alternatives(self.table.days)
        return [
            Rule(r"(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{4})(?!\d)", self._date),
            Rule(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)", self._date),
            Rule(r"(?P<day>\d{1,2})\.(?P<month>1[0-2]|0?[1-9])\.(?P<year>)(?!\d)", self._date),
            Rule(
                r"(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?:\s*(?:Uhr|uur|heures|u|h)\b)?(?![\d:])",
                self._time,
            ),
            Rule(
                r"(?P<hour>\d{1,2})\.(?P<minute>[0-5]\d)(?:\s*(?:Uhr|uur|u)\b|(?=\s?(?:[-–]|tot|bis|en|und)\s?"
                r"\d{1,2}\.[0-5]\d\s*(?:Uhr|uur|u)\b))",
                self._time,
            ),
            Rule(r"(?P<hour>\d{1,2})\s?u\s?(?P<minute>[0-5]\d)(?!\w)", self._time),
            Rule(r"(?P<hour>\d{1,2})\s?u(?:\.(?=\s[a-z]))?(?!\w)(?P<minute>)", self._time),
            Rule(self.table.ordinal, self._ordinal),
            Rule(r"['’]?(?P<decade>\d0|1\d\d0)er(?P<ending>n?)(?!\w)", self._decade),
            Rule(rf"[-–](?=(?:{days})\b)", self._between_days),
        ]

    def _of_codes(self) -> list[Rule]:
        return [
            Rule(r"\+\d{1,3}(?:[-. ]?\d{1,5}){2,6}(?!\d)", self._telephone),
            Rule(r"0\d{1,4}[-/ ]\d{3,9}(?:[- ]\d{2,4}){0,3}(?![\d-])", self._telephone),
            Rule(r"\d{5}(?=\s[A-ZÄÖÜ][a-zäöüß])|\d{4}(?=\s[A-Z]{2}(?!\w))", self._postal),
            Rule(rf"(?:{alternatives(self.table.emergency)})(?![\d.,]*\d)(?!\w)", self._emergency),
        ]

    def _of_amounts(self) -> list[Rule]:
        table, number = self.table, self._number()
        money, scales = alternatives(table.money), alternatives(table.scales)
        scale = self._scales()
        return [
            Rule(r"[-−/*]", self._operator),
            self._money_first(money),
            Rule(rf"{number}(?:,[-–—])?(?P<upto>)?{scale}\s?(?P<sign>{money})(?!\w)", self._money),
            Rule(rf"{number}\s?(?P<scale>{scales})(?!\w)", self._scaled),
            Rule(
                r"(?:(?P<whole>\d{1,9})\s)?(?P<top>\d{1,9})[/⁄](?P<bottom>\d{1,9})(?![\d/])",
                self._fraction,
            ),
            Rule(r"(?P<whole>\d{1,9})?\s?(?P<vulgar>[¼-¾⅐-⅞])", self._fraction),
            Rule(rf"{number}\s?(?P<unit>{alternatives(table.units)})(?!\w)", self._measure),
            Rule(rf"{number}[x×](?!\w)", self._fold),
        ]

    def _scales(self) -> str:
        return rf"(?:\s?(?P<scale>{alternatives(self.table.scales)})(?!\w))?"

    def _money_first(self, sign: str) -> Rule:
        """Return the rule of amounts after one of these signs: `€ 5,-`, `EUR 10-20`."""
        upto = r"(?:\s?[-–]\s?(?P<upto>\d+)(?!\d))?"
        return Rule(
            rf"(?P<sign>{sign})\s?{self._number()}(?:,[-–—])?{upto}{self._scales()}", self._money
        )

    def _of_numbers(self) -> list[Rule]:
        number, elided = self._number(), alternatives(self.table.elisions)
        return [
            Rule(r"(?P<number>\d{1,3}):(?=\d{1,3}(?![\d:]))", self._score),
            Rule(r"[-–](?=\s?[€$£]?\d)", self._upto),
            Rule(r"(?:1[1-9]\d\d|20\d\d)(?![\d.,]*\d)", lambda m: self.numbers.year(m[0])),
            Rule(r"1(?=\s[A-ZÄÖÜ][a-zäöüß])(?!\d)", self._article),
            Rule(number, self._amount),
            Rule(r"[-−](?=\d)(?<!\w[-−])", lambda _: self._word(self.table.minus)),
            Rule(r"#(?=\d)", lambda _: self._word(self.signs.get("№", ""))),
            Rule(r"['’](?=\d0(?!\d))", lambda _: []),
            Rule(rf"(?<![\w'’])['’](?P<elided>{elided})(?!\w)", self._elided),
            Rule(r"(?<![\w&])#(?=\w)", lambda _: ["hashtag"] if self.table.web else None),
        ]

    @staticmethod
    def _word(word: str) -> Reading:
        return [word] if word else None

    def _code(self, figures: str) -> list[str]:
        """Read the figures of a name or an address."""
        return self.numbers.whole(figures)

    # abbreviations and letters

    def _read_as(self, match: re.Match[str]) -> Reading:
        if match[0] + after(match)[:1] in self.table.abbreviations:
            return None
        return self.table.read_as[match[0]].split()

    def _elided(self, match: re.Match[str]) -> Reading:
        return self.table.elisions[match["elided"]].split()

    def _before_number(self, match: re.Match[str]) -> Reading:
        return self.table.before_number[match[0]].split()

    def _abbreviation(self, match: re.Match[str]) -> Reading:
        final = match[0].endswith(".") and not after(match).strip()
        return [*self.table.abbreviations[match[0]].split(), *(["|"] if final else [])]

    def _suffix(self, match: re.Match[str]) -> Reading:
        stop = [] if re.match(r"\s*[\da-z,]", after(match)) else ["|"]
        return [match["stem"] + self.table.suffixes[match["tail"]], *stop]

    def _day(self, match: re.Match[str]) -> Reading:
        """A day is one beside another, or before a date: `ma-vr`, `Mo., 3. Juni`."""
        days = alternatives(self.table.days)
        linked = rf"\.?\s?(?:[-–/,&]|t/m|en|und|bis|tot)\s?(?:{days})(?!\w)"
        follows = re.match(rf"{linked}|,?\s\d{{1,2}}(?:\.|\s[a-zA-Z])", after(match))
        precedes = re.search(
            rf"(?<!\w)(?:{days})\.?\s?(?:[-–/,&]|t/m|en|und|bis|tot)\s?\Z", before(match)
        )
        stop = ["|"] if match[0].endswith(".") and not after(match).strip() else []
        return [self.table.days[match["name"]], *stop] if follows or precedes else None

    def _month(self, match: re.Match[str]) -> Reading:
        """A month is one after a day, or beside another month: `van jan. t/m mrt.`."""
        months = rf"(?<!\w)(?:{alternatives(self.table.short_months)})\.?"
        link = r"(?:\s?[-–/]\s?|\s(?:t/m|tot|en|bis|und)\s)"
        precedes = re.search(rf"\d\.?\s\Z|{months}{link}\Z", before(match))
        if not precedes and not re.match(rf"{link}{months}(?!\w)", after(match)):
            return None
        stop = ["|"] if match[0].endswith(".") and not after(match).strip() else []
        return [self.table.short_months[match["name"]], *stop]

    def _ampersand(self, match: re.Match[str]) -> Reading:
        return " ".join(match[0]).replace("&", self.signs["&"]).split()

    def _roman(self, match: re.Match[str]) -> Reading:
        value, previous = roman(match["roman"]), word_before(match)
        plain = len(match["roman"]) > 1 and set(match["roman"]) <= set("IVX") and value < 40
        stop = ["|"] if match["tail"] == "." and not after(match).strip() else []
        if not value or match["roman"] in self.table.initialisms:
            return None
        ordinal = self.numbers.ordinal(value)
        if previous in self.table.regnal and value < 40:
            return [self.table.article, *ordinal]
        if match["tail"] not in {None, "."}:
            return ordinal
        if previous.lower() in self.table.counted or plain:
            dot = ["|"] if match["tail"] else stop
            return [*self.numbers.cardinal(value), *dot]
        return None

    def _capitals(self, match: re.Match[str]) -> Reading:
        text, tail = match["capitals"], match["tail"].replace("’", "'")
        whole = text.capitalize() if text in self.table.acronyms else text
        named = text in self.table.initialisms
        if text not in self.table.acronyms and (named or not self._known(text.lower())):
            if len(text) > 5 or self._shouts(match):
                return None
            reading = letters(text)
            return [*reading[:-1], reading[-1] + (tail and "'" + tail.lstrip("'"))]
        return [whole + tail]

    def _shouts(self, match: re.Match[str]) -> bool:
        """Whether all words around are capitals, and one of them is a word."""
        near = match.string[max(0, match.start() - 40) : match.end() + 40]
        words = [word for word in re.findall(r"[^\W\d_]+", near) if len(word) > 1]
        others = set(words) - {match["capitals"]} - self.table.initialisms
        return all(w.isupper() for w in words) and any(self._known(w.lower()) for w in others)

    def _mixed(self, match: re.Match[str]) -> Reading:
        reading: list[str] = []
        for part in re.findall(r"\d+|[A-Za-z]+", match[0]):
            word = part in self.table.acronyms
            reading += self._code(part) if part.isdigit() else [part] if word else letters(part)
        return reading

    # dates and times

    def _date(self, match: re.Match[str]) -> Reading:
        day, month = int(match["day"]), int(match["month"])
        if not (self.table.months and 1 <= month <= 12 and 1 <= day <= 31):
            return None
        year = self.numbers.year(match["year"]) if match["year"] else []
        return [*self._day_of_month(day, match), self.table.months[month - 1], *year]

    def _day_of_month(self, day: int, match: re.Match[str]) -> list[str]:
        """German says `dritter Oktober`, Dutch `drie oktober`."""
        if self.table is GERMAN:
            return self.table.inflected(self.numbers.ordinal(day), before(match).lower().split())
        return self.numbers.cardinal(day)

    def _time(self, match: re.Match[str]) -> Reading:
        if int(match["hour"]) > 24 or not self.table.clock:
            return None
        hour = self._one(self.numbers.cardinal(int(match["hour"])))
        minute = match["minute"]
        minutes = self.numbers.cardinal(int(minute)) if minute and int(minute) else []
        return [*hour, self.table.clock, *minutes]

    def _ordinal(self, match: re.Match[str]) -> Reading:
        words = self.numbers.ordinal(int(match["number"]))
        return self.table.inflected(words, before(match).lower().split())

    def _decade(self, match: re.Match[str]) -> Reading:
        figures = match["decade"]
        words = self.numbers.year(figures) if len(figures) > 2 else self.numbers.cardinal(figures)
        return [*words[:-1], words[-1] + "er" + match["ending"]]

    def _between_days(self, match: re.Match[str]) -> Reading:
        days = alternatives(self.table.days)
        return [self.table.to] if re.search(rf"(?<!\w)(?:{days})\s?\Z", before(match)) else None

    # figures that name something

    def _telephone(self, match: re.Match[str]) -> Reading:
        plus = [self.signs["+"]] if match[0][0] == "+" and "+" in self.signs else []
        groups = [self.numbers.digits(group) for group in re.findall(r"\d+", match[0])]
        return [*plus, *grouped(groups)]

    def _postal(self, match: re.Match[str]) -> Reading:
        """Five figures before a town are named one by one, four before two letters in pairs."""
        if len(match[0]) == 5:
            return self.numbers.digits(match[0]) if self.table is GERMAN else None
        if self.table is not DUTCH:
            return None
        return self.numbers.whole(match[0][:2]) + self.numbers.whole(match[0][2:])

    def _emergency(self, match: re.Match[str]) -> Reading:
        called = word_before(match).lower() in {"bel", "notruf", "rufen", "unter", "via", "nummer"}
        return self.numbers.digits(match[0]) if called else None

    # amounts

    def _amount(self, match: re.Match[str]) -> list[str]:
        whole, part = re.sub(r"\D", "", match["whole"]), match["part"]
        if part and self.table.point:
            return self.numbers.decimal(whole, part, self.table.point)
        return self.numbers.whole(whole) + (self.numbers.digits(part) if part else [])

    def _scale(self, match: re.Match[str]) -> list[str]:
        """Return an amount of thousands, millions: German `eine Million`, `zwei Millionen`."""
        one, many = self.table.scales[match["scale"]]
        single = match["whole"] == "1" and not match["part"]
        if single and one != many:
            return ["eine", one]
        return [*self._amount(match), one if single else many]

    def _scaled(self, match: re.Match[str]) -> Reading:
        return self._scale(match)

    def _money(self, match: re.Match[str]) -> Reading:
        one, many = self.table.money[match["sign"]]
        whole, part = re.sub(r"\D", "", match["whole"]), match["part"]
        noun = plural(whole, one, many).split()
        if match["scale"]:
            return [*self._scale(match), *noun]
        if match["upto"]:
            return [*self._amount(match), self.table.to, *self.numbers.whole(match["upto"]), *noun]
        if part and len(part) == 2:
            cents = self.numbers.cardinal(int(part)) if int(part) else []
            return [*self._one(self.numbers.whole(whole)), *noun, *cents]
        return [*self._one(self._amount(match)), *noun]

    def _measure(self, match: re.Match[str]) -> Reading:
        one, many = self.table.units[match["unit"]]
        dot = ["|"] if match[0].endswith(".") and not after(match).strip() else []
        if match["whole"] != "1" or match["part"]:
            return [*self._amount(match), *many.split(), *dot]
        if one.startswith("eine "):  # one that has a gender brings its article
            return [*one.split(), *dot]
        return [*self._one(self._amount(match)), *one.split(), *dot]

    def _one(self, number: list[str]) -> list[str]:
        """Return a number as it stands before a noun: German `ein Euro`, not `eins Euro`."""
        return [self.table.one] if number == ["eins"] and self.table.one else number

    def _article(self, _: re.Match[str]) -> Reading:
        """`1 Tag` in German, where a noun is known by its capital."""
        return [self.table.one] if self.table.one else None

    def _fraction(self, match: re.Match[str]) -> Reading:
        if not self.table.fraction:
            return None
        if "vulgar" in match.re.groupindex:
            value = Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(1000)
            top, bottom = value.numerator, value.denominator
        else:
            top, bottom = int(match["top"]), int(match["bottom"])
        if (top > 1 and top + bottom == 100) or (top, bottom) == (24, 7):
            return self.numbers.cardinal(top) + self.numbers.cardinal(bottom)
        if top >= bottom or bottom > 100:
            return None
        part, whole = self.table.fraction(top, bottom), match["whole"]
        if not whole or not self.table.mixed:
            return part
        return self.table.mixed(" ".join(self.numbers.cardinal(whole)), " ".join(part))

    def _fold(self, match: re.Match[str]) -> Reading:
        return [*self._amount(match), self.table.times] if self.table.times else None

    def _score(self, match: re.Match[str]) -> Reading:
        between = self.table.ratio
        return [*self.numbers.cardinal(match["number"]), between] if between else None

    def _operator(self, match: re.Match[str]) -> Reading:
        """A sign with spaces around it between two operands: `5 - 3 = 2`."""
        left = re.search(r"(?:\A|[\s(=])[\w.,)²³]+\s\Z", before(match))
        if not left or not re.match(_OPERATION, after(match)):
            return None
        name = {"-": "−", "*": "×", "/": "÷"}.get(match[0], match[0])
        return self.signs[name].split() if name in self.signs else None

    def _upto(self, match: re.Match[str]) -> Reading:
        clock = self.table.clock and re.search(r"\d\s?(?:u|uur|Uhr)\s?\Z", before(match))
        listed = re.search(r"[,:;]\s+\Z", before(match))  # `3, -5`
        if clock or (not listed and re.search(_RANGE_ENDS, before(match))):
            return self._word(self.table.to)
        return None
