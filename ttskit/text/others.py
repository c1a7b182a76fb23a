"""How languages other than English read numbers, signs and abbreviations: a table for each.

num2words gives the words of numbers.  A language without a table here still reads numbers; signs
that it has no word for are reported as dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ttskit.text.numbers import Numbers, plural

Reading = list[str] | None


@dataclass(frozen=True)
class Table:
    """The words and signs of one language; "" where it has none."""

    point: str = ""  # the word for the decimal sign
    minus: str = ""
    to: str = ""  # the word between the ends of a range
    clock: str = ""  # the word after the hour
    decimal: str = ","  # the decimal sign
    group: str = "."  # the sign between thousands
    ordinal: str = r"(?!)"  # the pattern of an ordinal in figures
    months: tuple[str, ...] = ()  # in order
    signs: dict[str, str] = field(default_factory=dict)
    money: dict[str, tuple[str, str]] = field(default_factory=dict)  # sign -> one, many
    units: dict[str, tuple[str, str]] = field(default_factory=dict)  # unit -> one, many
    abbreviations: dict[str, str] = field(default_factory=dict)


def _units(written: str) -> dict[str, tuple[str, str]]:
    """Read `km=Kilometer;Std=Stunde/Stunden`: the form for one and, after a slash, for many."""
    units = {}
    for entry in written.split(";"):
        unit, _, forms = entry.strip().partition("=")
        one, _, many = forms.partition("/")
        units[unit] = (one, many or one)
    return units


def _words(written: str) -> dict[str, str]:
    """Read `Dr.=Doktor;ca.=circa`."""
    return {
        left.strip(): right.strip()
        for left, _, right in (entry.partition("=") for entry in written.split(";"))
    }


_DE = Table(
    point="Komma",
    minus="minus",
    to="bis",
    clock="Uhr",
    ordinal=r"(?P<number>\d{1,3})\.(?=\s+(?:Januar|Februar|März|April|Mai|Juni|Juli|August|"
    r"September|Oktober|November|Dezember|Jahrhundert|Klasse|Platz|Mal|Stock)\b)",
    months=tuple(
        """
        Januar Februar März April Mai Juni Juli August September Oktober November Dezember
        """.split()
    ),
    signs=_words(
        "&=und;+=plus;@=ät;%=Prozent;°=Grad;€=Euro;$=Dollar;£=Pfund;§=Paragraf;==gleich;×=mal;"
        "#=Raute;/=Schrägstrich;©=Copyright;_=Unterstrich;²=Quadrat"
    )
    | {"=": "gleich"},
    money=_units("€=Euro;$=Dollar;£=Pfund;EUR=Euro;CHF=Franken"),
    units=_units(
        "km/h=Kilometer pro Stunde;km²=Quadratkilometer;m²=Quadratmeter;m³=Kubikmeter;km=Kilometer;"
        "cm=Zentimeter;mm=Millimeter;m=Meter;kg=Kilogramm;mg=Milligramm;g=Gramm;l=Liter;"
        "ml=Milliliter;°C=Grad Celsius;°=Grad;%=Prozent;kW=Kilowatt;GB=Gigabyte;MB=Megabyte;"
        "Std=Stunde/Stunden;Min=Minute/Minuten"
    ),
    abbreviations=_words(
        "Dr.=Doktor;Prof.=Professor;Hr.=Herr;Fr.=Frau;z.B.=zum Beispiel;z. B.=zum Beispiel;"
        "d.h.=das heißt;d. h.=das heißt;u.a.=unter anderem;u. a.=unter anderem;"
        "usw.=und so weiter;bzw.=beziehungsweise;ca.=circa;Nr.=Nummer;St.=Sankt;Str.=Straße;"
        "vgl.=vergleiche;ggf.=gegebenenfalls;evtl.=eventuell;Mio.=Millionen;Mrd.=Milliarden;"
        "inkl.=inklusive;Tel.=Telefon;Jh.=Jahrhundert"
    ),
)
_NL = Table(
    point="komma",
    minus="min",
    to="tot",
    clock="uur",
    ordinal=r"(?P<number>\d{1,3})(?:ste|de|e)\b",
    months=tuple(
        """
        januari februari maart april mei juni juli augustus september oktober november december
        """.split()
    ),
    signs=_words(
        "&=en;+=plus;@=at;%=procent;°=graden;€=euro;$=dollar;£=pond;§=paragraaf;×=maal;"
        "#=hekje;/=schuine streep;©=copyright;_=laag streepje;²=kwadraat"
    )
    | {"=": "is"},
    money=_units("€=euro;$=dollar;£=pond;EUR=euro"),
    units=_units(
        "km/u=kilometer per uur;km/h=kilometer per uur;km²=vierkante kilometer;"
        "m²=vierkante meter;m³=kubieke meter;km=kilometer;cm=centimeter;mm=millimeter;m=meter;"
        "kg=kilogram;mg=milligram;g=gram;l=liter;ml=milliliter;°C=graden Celsius;°=graden;"
        "%=procent;kW=kilowatt;GB=gigabyte;MB=megabyte"
    ),
    abbreviations=_words(
        "dr.=dokter;drs.=doctorandus;ir.=ingenieur;mr.=meester;prof.=professor;dhr.=de heer;"
        "mevr.=mevrouw;bijv.=bijvoorbeeld;bv.=bijvoorbeeld;d.w.z.=dat wil zeggen;"
        "o.a.=onder andere;enz.=enzovoort;ca.=circa;nr.=nummer;St.=Sint;t/m=tot en met;"
        "a.u.b.=alstublieft;m.b.t.=met betrekking tot;i.v.m.=in verband met;z.o.z.=zie ommezijde"
    ),
)
TABLES = {
    "de-de": _DE,
    "nl": _NL,
    "fr-fr": Table(
        "virgule", "moins", "à", "heures", group=" ",
        signs=_words("&=et;+=plus;@=arobase;%=pour cent;€=euros;$=dollars") | {"=": "égale"},
        money=_units("€=euro/euros;$=dollar/dollars;£=livre/livres"),
        units=_units("km=kilomètre/kilomètres;kg=kilogramme/kilogrammes;%=pour cent"),
        abbreviations=_words("M.=monsieur;Mme=madame;Mlle=mademoiselle;etc.=et cetera"),
    ),
    "es-es": Table(
        "coma", "menos", "a", "horas",
        signs=_words("&=y;+=más;@=arroba;%=por ciento;€=euros;$=dólares") | {"=": "igual a"},
        money=_units("€=euro/euros;$=dólar/dólares;£=libra/libras"),
        units=_units("km=kilómetro/kilómetros;kg=kilogramo/kilogramos;m=metro/metros;%=por ciento"),
        abbreviations=_words("Sr.=señor;Sra.=señora;Dr.=doctor;Dra.=doctora;etc.=etcétera"),
    ),
    "it-it": Table(
        "virgola", "meno", "a", "",
        signs=_words("&=e;+=più;@=chiocciola;%=per cento;€=euro;$=dollari") | {"=": "uguale"},
        money=_units("€=euro;$=dollaro/dollari;£=sterlina/sterline"),
        units=_units("km=chilometro/chilometri;kg=chilogrammo/chilogrammi;%=per cento"),
        abbreviations=_words("Sig.=signor;Dott.=dottor;ecc.=eccetera"),
    ),
    "pt": Table(
        "vírgula", "menos", "a", "horas",
        signs=_words("&=e;+=mais;@=arroba;%=por cento;€=euros;$=dólares") | {"=": "igual a"},
        money=_units("€=euro/euros;$=dólar/dólares;R$=real/reais"),
        units=_units("km=quilômetro/quilômetros;kg=quilograma/quilogramas;%=por cento"),
        abbreviations=_words("Sr.=senhor;Sra.=senhora;Dr.=doutor;etc.=etcétera"),
    ),
}  # fmt: skip
SPEAKS_NUMBERS = frozenset("de-de nl fr-fr es-es it-it pt ru-ru sv-se cs-cz ca-ce ar fa".split())


class Other:
    """The reader of a language with a table: `read` gives the words of what begins at a place."""

    def __init__(self, language: str) -> None:
        self.table = TABLES.get(language, Table())
        self.signs = self.table.signs
        self.numbers = Numbers(language)
        self.speaks_numbers = language in SPEAKS_NUMBERS
        self._rules = self._compiled() if language in SPEAKS_NUMBERS else []
        self._abbreviation = re.compile(rf"(?:{_alternatives(self.table.abbreviations)})(?!\w)")

    def read(self, text: str, at: int) -> tuple[int, list[str]] | None:
        """Return the end and the reading of what begins at `at`; None if no rule reads it."""
        if text[at].isalpha():
            match = self._abbreviation.match(text, at)
            if not match:
                return None
            final = match[0].endswith(".") and not text[match.end() : match.end() + 80].strip()
            return match.end() - final, self.table.abbreviations[match[0]].split()
        for pattern, rule in self._rules:
            match = pattern.match(text, at)
            if match and (reading := rule(match)) is not None:
                return match.end(), reading
        return None

    def _compiled(self) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], Reading]]]:
        table, group = self.table, re.escape(self.table.group)
        number = (
            rf"(?P<whole>\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)(?:{table.decimal}(?P<part>\d+))?"
        )
        units, money = _alternatives(table.units), _alternatives(table.money)
        return [
            (re.compile(pattern), rule)
            for pattern, rule in (
                (r"(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{4})(?!\d)", self._date),
                (
                    r"(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?:\s+(?:Uhr|uur|heures)\b)?(?![\d:])",
                    self._time,
                ),
                (table.ordinal, self._ordinal),
                (rf"(?P<sign>{money})\s?{number}", self._money),
                (rf"{number}\s?(?P<sign>{money})(?!\w)", self._money),
                (rf"{number}\s?(?P<unit>{units})(?!\w)", self._measure),
                (r"(?P<number>\d+)[-–](?=\d)", self._upto),
                (r"(?:1[1-9]\d\d|20\d\d)(?![\d.,]*\d)", lambda m: self.numbers.year(m[0])),
                (number, self._amount),
                (r"[-−](?=\d)(?<!\w[-−])", lambda _: [table.minus] if table.minus else None),
            )
        ]

    def _amount(self, match: re.Match[str]) -> list[str]:
        whole, part = re.sub(r"\D", "", match["whole"]), match["part"]
        if part and self.table.point:
            return self.numbers.decimal(whole, part, self.table.point)
        return self.numbers.whole(whole) + (self.numbers.digits(part) if part else [])

    def _money(self, match: re.Match[str]) -> Reading:
        one, many = self.table.money[match["sign"]]
        whole, part = re.sub(r"\D", "", match["whole"]), match["part"]
        noun = plural(whole, one, many)
        if part and len(part) == 2:
            cents = self.numbers.cardinal(int(part)) if int(part) else []
            return [*self._one(self.numbers.whole(whole)), noun, *cents]
        return [*self._one(self._amount(match)), noun]

    def _measure(self, match: re.Match[str]) -> Reading:
        one, many = self.table.units[match["unit"]]
        noun = one if match["whole"] == "1" and not match["part"] else many
        return [*self._one(self._amount(match)), *noun.split()]

    def _one(self, number: list[str]) -> list[str]:
        """Return a number as it stands before a noun: German `ein Euro`, not `eins Euro`."""
        return ["ein"] if number == ["eins"] else number

    def _date(self, match: re.Match[str]) -> Reading:
        day, month = int(match["day"]), int(match["month"])
        if not (self.table.months and 1 <= month <= 12 and 1 <= day <= 31):
            return None
        dutch = self.table is _NL
        first = self.numbers.cardinal(day) if dutch else self._inflected(day)
        return [*first, self.table.months[month - 1], *self.numbers.year(match["year"])]

    def _time(self, match: re.Match[str]) -> Reading:
        if int(match["hour"]) > 24 or not self.table.clock:
            return None
        hour = self._one(self.numbers.cardinal(int(match["hour"])))
        minute = self.numbers.cardinal(int(match["minute"])) if int(match["minute"]) else []
        return [*hour, self.table.clock, *minute]

    def _ordinal(self, match: re.Match[str]) -> Reading:
        return self._inflected(int(match["number"]))

    def _inflected(self, number: int) -> list[str]:
        """Return an ordinal as it most often stands: German `am dritten Oktober`."""
        words = self.numbers.ordinal(number)
        return [*words[:-1], words[-1] + "n"] if self.table is _DE else words

    def _upto(self, match: re.Match[str]) -> Reading:
        number = match["number"]
        year = re.fullmatch(r"1[1-9]\d\d|20\d\d", number)
        words = self.numbers.year(number) if year else self.numbers.whole(number)
        return [*words, self.table.to] if self.table.to else None


def _alternatives(names: Iterable[str]) -> str:
    """Return the pattern of any of these names, the longest first; of nothing if there is none."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)"
