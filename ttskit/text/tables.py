"""The words and signs of a language other than English, as a table; the short tables.

A language with a long table has a file of its own: `dutch.py`, `german.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_NONE = frozenset[str]()


@dataclass(frozen=True)
class Table:
    """The words and signs of one language; "" where it has none."""

    point: str = ""  # the word for the decimal sign
    minus: str = ""
    to: str = ""  # the word between the ends of a range
    clock: str = ""  # the word after the hour
    decimal: str = ","  # the decimal sign
    group: str = "."  # the sign between thousands
    months: tuple[str, ...] = ()  # in order
    signs: Mapping[str, str] = field(default_factory=dict)
    money: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # sign -> one, many
    units: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # unit -> one, many
    scales: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # `mln` -> one, many
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    before_number: Mapping[str, str] = field(default_factory=dict)  # `S.` is a page before 12
    suffixes: Mapping[str, str] = field(default_factory=dict)  # `Hauptstr.`
    days: Mapping[str, str] = field(default_factory=dict)  # short -> whole
    short_months: Mapping[str, str] = field(default_factory=dict)
    times: str = ""  # `10x`
    ratio: str = ""  # the word between the parts of `3:1`; "": that of a range
    ordinal: str = r"(?!)"  # the pattern of an ordinal in figures, with a group `number`
    inflected: Callable[[list[str], list[str]], list[str]] = lambda ordinal, _: ordinal
    fraction: Callable[[int, int], list[str]] | None = None  # words of top and bottom
    mixed: Callable[[str, str], list[str]] | None = None  # whole and fraction, both as words
    regnal: frozenset[str] = _NONE  # names that a Roman ordinal follows
    article: str = ""  # before such an ordinal
    counted: frozenset[str] = _NONE  # nouns that a Roman cardinal follows
    acronyms: frozenset[str] = _NONE  # in capitals and yet read as words
    initialisms: frozenset[str] = _NONE  # named letter by letter although they are words too
    read_as: Mapping[str, str] = field(default_factory=dict)
    elisions: Mapping[str, str] = field(default_factory=dict)  # what follows an apostrophe
    web: Mapping[str, str] = field(default_factory=dict)  # how signs are named in an address
    emergency: tuple[str, ...] = ()  # numbers that are named figure by figure
    one: str = ""  # how 1 is read before a noun, where nouns have a capital


def units(written: str) -> dict[str, tuple[str, str]]:
    """Read `km=Kilometer;Std=Stunde/Stunden`: the form for one and, after `|`, for many.

    >>> units("m/s=Meter;Std=Stunde|Stunden")
    {'m/s': ('Meter', 'Meter'), 'Std': ('Stunde', 'Stunden')}
    """
    forms = {}
    for unit, form in words(written).items():
        one, _, many = form.partition("|")
        forms[unit] = (one, many or one)
    return forms


def words(written: str) -> dict[str, str]:
    """Read `Dr.=Doktor;ca.=circa`."""
    return {
        left.strip(): right.strip()
        for left, _, right in (entry.partition("=") for entry in written.split(";"))
        if left.strip()
    }


SHORT = {
    "fr-fr": Table(
        "virgule", "moins", "à", "heures", group=" ",
        signs=words("&=et;+=plus;@=arobase;%=pour cent;€=euros;$=dollars") | {"=": "égale"},
        money=units("€=euro|euros;$=dollar|dollars;£=livre|livres"),
        units=units("km=kilomètre|kilomètres;kg=kilogramme|kilogrammes;%=pour cent"),
        abbreviations=words("M.=monsieur;Mme=madame;Mlle=mademoiselle;etc.=et cetera"),
    ),
    "es-es": Table(
        "coma", "menos", "a", "horas",
        signs=words("&=y;+=más;@=arroba;%=por ciento;€=euros;$=dólares") | {"=": "igual a"},
        money=units("€=euro|euros;$=dólar|dólares;£=libra|libras"),
        units=units("km=kilómetro|kilómetros;kg=kilogramo|kilogramos;m=metro|metros;%=por ciento"),
        abbreviations=words("Sr.=señor;Sra.=señora;Dr.=doctor;Dra.=doctora;etc.=etcétera"),
    ),
    "it-it": Table(
        "virgola", "meno", "a", "",
        signs=words("&=e;+=più;@=chiocciola;%=per cento;€=euro;$=dollari") | {"=": "uguale"},
        money=units("€=euro;$=dollaro|dollari;£=sterlina|sterline"),
        units=units("km=chilometro|chilometri;kg=chilogrammo|chilogrammi;%=per cento"),
        abbreviations=words("Sig.=signor;Dott.=dottor;ecc.=eccetera"),
    ),
    "pt": Table(
        "vírgula", "menos", "a", "horas",
        signs=words("&=e;+=mais;@=arroba;%=por cento;€=euros;$=dólares") | {"=": "igual a"},
        money=units("€=euro|euros;$=dólar|dólares;R$=real|reais"),
        units=units("km=quilômetro|quilômetros;kg=quilograma|quilogramas;%=por cento"),
        abbreviations=words("Sr.=senhor;Sra.=senhora;Dr.=doutor;etc.=etcétera"),
    ),
}  # fmt: skip
