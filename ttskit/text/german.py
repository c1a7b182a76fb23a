"""What German reads signs, units, abbreviations and initialisms as."""

from __future__ import annotations

from ttskit.text.numbers import Numbers
from ttskit.text.tables import Table, units, words

_NUMBERS = Numbers("de-de")
_MONTHS = tuple(
    """
    Januar Februar März April Mai Juni Juli August September Oktober November Dezember
    """.split()
)
_DATIVE = frozenset(
    """
    am im vom zum beim dem den des einem einen seit ab bis nach vor zur in ersten meinem seinem
    diesem jedem
    """.split()
)
_PREPOSITIONS = frozenset("in an auf aus bei mit nach seit von vor zu unter über".split())
_NOMINATIVE = frozenset("der die das dieser diese".split())


def _inflected(ordinal: list[str], before: list[str]) -> list[str]:
    """Return an ordinal as it stands after words: `am dritten`, `der dritte`, `dritter`."""
    *head, last = ["", *before] if before else ["", ""]
    nominative = last in _NOMINATIVE and head[-1] not in _PREPOSITIONS
    ending = "" if nominative else "n" if last in _DATIVE | _NOMINATIVE else "r"
    return [*ordinal[:-1], ordinal[-1] + ending]


def _fraction(top: int, bottom: int) -> list[str]:
    """Return the words of a fraction.

    >>> " ".join(_fraction(3, 4)), " ".join(_fraction(1, 20))
    ('drei viertel', 'ein zwanzigstel')
    """
    part = "halb" if bottom == 2 else " ".join(_NUMBERS.ordinal(bottom)).removesuffix("e") + "el"
    return [*(["ein"] if top == 1 else _NUMBERS.cardinal(top)), part]


def _mixed(whole: str, part: str) -> list[str]:
    """`eineinhalb`, `zweieinviertel`."""
    return [("ein" if whole == "eins" else whole) + part.replace(" ", "")]


GERMAN = Table(
    point="Komma",
    minus="minus",
    to="bis",
    clock="Uhr",
    times="mal",
    ratio="zu",
    one="ein",
    ordinal=r"(?P<number>\d{1,3})\.(?=\s+(?:" + "|".join(_MONTHS) + "|Jan|Feb|Apr|Aug|Sept?|Okt|Nov"
    r"|Dez|Jahrhundert|Jh|Klasse|Platz|Mal|Stock|Tag|Woche|Jahr|Kapitel|Weltkrieg|Runde|Lebensjahr"
    r"|Geburtstag|Bundesliga|Etage|Auflage|Semester|Halbzeit|Minute|Teil|Quartal)|(?:,|\s+(?:bis|und))\s"
    r"\d{1,2}\.)",
    inflected=_inflected,
    months=_MONTHS,
    short_months=words(
        "Jan=Januar;Feb=Februar;Apr=April;Jun=Juni;Jul=Juli;Aug=August;Sep=September;"
        "Sept=September;Okt=Oktober;Nov=November;Dez=Dezember"
    ),
    days=words(
        "Mo=Montag;Di=Dienstag;Mi=Mittwoch;Do=Donnerstag;Fr=Freitag;Sa=Samstag;So=Sonntag"
    ),
    signs=words(
        "№=Nummer;&=und;+=plus;@=ät;%=Prozent;°=Grad;€=Euro;$=Dollar;£=Pfund;§=Paragraf;§§=Paragrafen;"
        "×=mal;÷=geteilt durch;#=Raute;/=Schrägstrich;\\=umgekehrter Schrägstrich;©=Copyright;"
        "²=Quadrat;³=hoch drei;<=kleiner als;>=größer als;≤=kleiner gleich;≥=größer gleich;"
        "≈=ungefähr;±=plus minus;→=nach;−=minus;√=Wurzel aus;∞=unendlich"
    )
    | {"=": "gleich", "!=": "ungleich", "==": "gleich", "≠": "ungleich", "&&": "und"},
    money=units(
        "€=Euro;$=Dollar;£=Pfund;EUR=Euro;USD=US Dollar;GBP=Pfund;CHF=Franken;¥=Yen;US$=US Dollar"
    ),
    scales=units(
        "Mio.=Million|Millionen;Mio=Million|Millionen;Million=Million;Millionen=Millionen;"
        "Mrd.=Milliarde|Milliarden;Mrd=Milliarde|Milliarden;Milliarde=Milliarde;"
        "Milliarden=Milliarden;Tsd.=tausend"
    ),
    units=units(
        "km/h=Kilometer pro Stunde;m/s=Meter pro Sekunde;km²=Quadratkilometer;"
        "km2=Quadratkilometer;m²=Quadratmeter;m2=Quadratmeter;qm=Quadratmeter;"
        "cm²=Quadratzentimeter;m³=Kubikmeter;m3=Kubikmeter;cm³=Kubikzentimeter;km=Kilometer;"
        "dm=Dezimeter;cm=Zentimeter;mm=Millimeter;µm=Mikrometer;m=Meter;kg=Kilogramm;"
        "mg=Milligramm;g=Gramm;t=eine Tonne|Tonnen;l=Liter;L=Liter;cl=Zentiliter;ml=Milliliter;"
        "ha=Hektar;°C=Grad Celsius;°F=Grad Fahrenheit;°=Grad;%=Prozent;‰=Promille;W=Watt;"
        "kW=Kilowatt;MW=Megawatt;kWh=eine Kilowattstunde|Kilowattstunden;V=Volt;mA=Milliampere;"
        "Hz=Hertz;kHz=Kilohertz;MHz=Megahertz;GHz=Gigahertz;dB=Dezibel;kB=Kilobyte;MB=Megabyte;"
        "GB=Gigabyte;TB=Terabyte;ct=Cent;Std.=eine Stunde|Stunden;Std=eine Stunde|Stunden;"
        "h=eine Stunde|Stunden;Min.=eine Minute|Minuten;Min=eine Minute|Minuten;"
        "min=eine Minute|Minuten;Sek.=eine Sekunde|Sekunden;Sek=eine Sekunde|Sekunden;"
        "s=eine Sekunde|Sekunden;EL=Esslöffel;TL=Teelöffel;kcal=Kilokalorie|Kilokalorien;"
        "Stk.=Stück"
    ),
    abbreviations=words(
        "Dr.=Doktor;ff.=folgende;Prof.=Professor;Hr.=Herr;Hrn.=Herrn;Fr.=Frau;Dipl.=Diplom;Ing.=Ingenieur;"
        "z.B.=zum Beispiel;z. B.=zum Beispiel;d.h.=das heißt;d. h.=das heißt;u.a.=unter anderem;"
        "u. a.=unter anderem;usw.=und so weiter;usf.=und so fort;etc.=et cetera;"
        "bzw.=beziehungsweise;ca.=circa;Nr.=Nummer;St.=Sankt;Str.=Straße;vgl.=vergleiche;"
        "ggf.=gegebenenfalls;evtl.=eventuell;Mio.=Millionen;Mrd.=Milliarden;inkl.=inklusive;"
        "exkl.=exklusive;Tel.=Telefon;Jh.=Jahrhundert;v. Chr.=vor Christus;n. Chr.=nach Christus;"
        "v.Chr.=vor Christus;n.Chr.=nach Christus;geb.=geborene;o.ä.=oder ähnliches;"
        "o.Ä.=oder Ähnliches;o. Ä.=oder Ähnliches;o. ä.=oder ähnliches;u.v.m.=und vieles mehr;"
        "u.U.=unter Umständen;u. U.=unter Umständen;i.d.R.=in der Regel;i. d. R.=in der Regel;"
        "i.A.=im Auftrag;i. A.=im Auftrag;m.E.=meines Erachtens;s.o.=siehe oben;s. o.=siehe oben;"
        "s.u.=siehe unten;s. u.=siehe unten;zzgl.=zuzüglich;max.=maximal;mind.=mindestens;"
        "Std.=Stunden;Min.=Minuten;bspw.=beispielsweise;sog.=sogenannt;allg.=allgemein;"
        "z.T.=zum Teil;z. T.=zum Teil;z.Zt.=zur Zeit;zzt.=zurzeit;v.a.=vor allem;"
        "v. a.=vor allem;ebd.=ebenda;Hrsg.=Herausgeber;Abt.=Abteilung;gez.=gezeichnet;"
        "u.Ä.=und Ähnliches;dgl.=dergleichen;einschl.=einschließlich;bes.=besonders;"
        "d.i.=das ist;i.e.S.=im engeren Sinne;o.g.=oben genannt;u.g.=unten genannt;"
        "Aufl.=Auflage;gegr.=gegründet;gest.=gestorben;jmd.=jemand;jdn.=jemanden"
    ),
    before_number=words(
        "S.=Seite;Abb.=Abbildung;Abs.=Absatz;Art.=Artikel;Bd.=Band;Kap.=Kapitel;min.=minimal;"
        "Tab.=Tabelle;Fig.=Figur;Ziff.=Ziffer;No.=Nummer"
    ),
    suffixes=words("str.=straße"),
    fraction=_fraction,
    mixed=_mixed,
    regnal=frozenset(
        """
        Ludwig Wilhelm Karl Heinrich Friedrich Otto Franz Joseph Leopold Napoleon Paul Pius Benedikt
        Johannes Elisabeth Georg Eduard Peter Nikolaus Alexander Gregor Innozenz Clemens Ferdinand
        Maximilian Philipp Jakob Katharina Konrad Albrecht August
        """.split()
    ),
    article="der",
    counted=frozenset(
        "kapitel teil weltkrieg band buch akt szene klasse typ phase stufe tabelle anhang".split()
    ),
    acronyms=frozenset(
        """
        UNO NATO NASA UNESCO UNICEF AIDS SARS PIN RADAR FIFA UEFA OPEC BAFÖG RAM ROM COVID
        EDEKA HARIBO ADIDAS IKEA LIDL SCHUFA
        """.split()
    ),
    initialisms=frozenset(
        "EU USA AG KG WM EM TV PC CD DB VW UN IT KI AB ADAC BMW EDV LKW PKW PS ICE ARD ZDF".split()
    ),
    read_as={
        "OK": "okay", "ok": "okay", "GmbH": "G M B H", "und/oder": "und oder",
        "er/sie": "er oder sie", "TÜV": "Tüff", "Lkw": "L K W", "Pkw": "P K W", "BSc": "B S C",
        "MSc": "M S C", "kWh": "Kilowattstunde", "pdf": "P D F", "usb": "U S B",
    },
    web=words(
        ".=Punkt;/=Schrägstrich;-=Bindestrich;_=Unterstrich;@=ät;:=Doppelpunkt;?=Fragezeichen;"
        "&=und;#=Raute;+=plus;%=Prozent;~=Tilde;\\=umgekehrter Schrägstrich"
    )
    | {"=": "gleich"},
    emergency=("110", "112"),
)  # fmt: skip
