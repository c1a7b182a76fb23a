"""What Dutch reads signs, units, abbreviations and initialisms as."""

from __future__ import annotations

from ttskit.text.numbers import Numbers
from ttskit.text.tables import Table, units, words

_NUMBERS = Numbers("nl")


def _fraction(top: int, bottom: int) -> list[str]:
    """Return the words of a fraction.

    >>> " ".join(_fraction(2, 3)), " ".join(_fraction(1, 2))
    ('twee derde', 'een half')
    """
    part = {2: ["half"], 4: ["kwart"]}.get(bottom) or _NUMBERS.ordinal(bottom)
    return [*(["een"] if top == 1 else _NUMBERS.cardinal(top)), *part]


def _mixed(whole: str, part: str) -> list[str]:
    """`anderhalf`, `tweeënhalf`, `drie en een kwart`."""
    if part != "een half":
        return [whole, "en", *part.split()]
    if whole == "één":
        return ["anderhalf"]
    return [whole + ("ënhalf" if whole.endswith("e") else "enhalf")]


DUTCH = Table(
    point="komma",
    minus="min",
    to="tot",
    clock="uur",
    times="keer",
    ordinal=r"(?P<number>\d{1,3})(?:ste|de|e)(?!\w)",
    months=tuple(
        """
        januari februari maart april mei juni juli augustus september oktober november december
        """.split()
    ),
    short_months=words(
        "jan=januari;feb=februari;febr=februari;mrt=maart;apr=april;jun=juni;jul=juli;aug=augustus;"
        "sep=september;sept=september;okt=oktober;nov=november;dec=december"
    ),
    days=words(
        "ma=maandag;di=dinsdag;wo=woensdag;do=donderdag;vr=vrijdag;za=zaterdag;zo=zondag"
    ),
    signs=words(
        "№=nummer;&=en;+=plus;@=at;%=procent;°=graden;€=euro;$=dollar;£=pond;§=paragraaf;§§=paragrafen;"
        "×=maal;÷=gedeeld door;#=hekje;/=schuine streep;\\=omgekeerde schuine streep;©=copyright;"
        "²=kwadraat;³=tot de derde;<=kleiner dan;>=groter dan;≤=kleiner dan of gelijk aan;"
        "≥=groter dan of gelijk aan;≈=ongeveer;±=plus minus;→=naar;−=min;√=wortel;∞=oneindig"
    )
    | {"=": "is", "!=": "is niet", "==": "is", "≠": "is niet", "&&": "en"},
    money=units(
        "€=euro;$=dollar;£=pond;EUR=euro;USD=dollar;GBP=pond;CHF=Zwitserse frank;¥=yen;US$=dollar"
    ),
    scales=units("mln.=miljoen;mln=miljoen;miljoen=miljoen;mld.=miljard;mld=miljard;"
                 "miljard=miljard;biljoen=biljoen;duizend=duizend"),
    units=units(
        "km/u=kilometer per uur;km/h=kilometer per uur;m/s=meter per seconde;"
        "km²=vierkante kilometer;km2=vierkante kilometer;m²=vierkante meter;m2=vierkante meter;"
        "cm²=vierkante centimeter;cm2=vierkante centimeter;m³=kubieke meter;m3=kubieke meter;"
        "cm³=kubieke centimeter;km=kilometer;dm=decimeter;cm=centimeter;mm=millimeter;"
        "µm=micrometer;m=meter;kg=kilogram;mg=milligram;g=gram;gr=gram;l=liter;L=liter;dl=deciliter;"
        "cl=centiliter;ml=milliliter;ha=hectare;°C=graden Celsius;°F=graden Fahrenheit;°=graden;"
        "%=procent;‰=promille;W=watt;kW=kilowatt;MW=megawatt;kWh=kilowattuur;V=volt;mA=milliampère;"
        "Hz=hertz;kHz=kilohertz;MHz=megahertz;GHz=gigahertz;dB=decibel;kB=kilobyte;MB=megabyte;"
        "GB=gigabyte;TB=terabyte;ct=cent;cent=cent;min.=minuut|minuten;min=minuut|minuten;"
        "sec.=seconde|seconden;sec=seconde|seconden;st.=stuk|stuks;pk=paardenkracht;"
        "kcal=kilocalorie|kilocalorieën;ton=ton"
    ),
    abbreviations=words(
        "Drs.=doctorandus;Mr.=meester;dr.=dokter;drs.=doctorandus;ir.=ingenieur;"
        "mr.=meester;prof.=professor;dhr.=de heer;"
        "Dhr.=de heer;mevr.=mevrouw;Mevr.=mevrouw;mw.=mevrouw;Mw.=mevrouw;mej.=mejuffrouw;"
        "Dr.=dokter;Prof.=professor;bijv.=bijvoorbeeld;bv.=bijvoorbeeld;Bijv.=bijvoorbeeld;"
        "d.w.z.=dat wil zeggen;o.a.=onder andere;enz.=enzovoort;etc.=et cetera;ca.=circa;"
        "nr.=nummer;Nr.=nummer;St.=Sint;t/m=tot en met;a.u.b.=alstublieft;s.v.p.=alstublieft;"
        "m.b.t.=met betrekking tot;i.v.m.=in verband met;z.o.z.=zie ommezijde;"
        "n.v.t.=niet van toepassing;m.a.w.=met andere woorden;t.a.v.=ten aanzien van;"
        "i.p.v.=in plaats van;o.l.v.=onder leiding van;i.s.m.=in samenwerking met;"
        "m.u.v.=met uitzondering van;e.d.=en dergelijke;e.a.=en anderen;m.i.=mijns inziens;"
        "o.i.d.=of iets dergelijks;p.p.=per persoon;p/st=per stuk;max.=maximaal;incl.=inclusief;"
        "excl.=exclusief;tel.=telefoon;Tel.=telefoon;vgl.=vergelijk;z.s.m.=zo spoedig mogelijk;"
        "t.o.v.=ten opzichte van;t.g.v.=ten gevolge van;t.b.v.=ten behoeve van;jl.=jongstleden;"
        "w.o.=waaronder;resp.=respectievelijk;gem.=gemiddeld;v.d.=van den;v.Chr.=voor Christus;"
        "n.Chr.=na Christus;v. Chr.=voor Christus;n. Chr.=na Christus;blz.=bladzijde;Zn.=zoon;"
        "m.n.=met name;o.b.v.=op basis van;i.t.t.=in tegenstelling tot;d.m.v.=door middel van;"
        "a.h.w.=als het ware;b.v.=bijvoorbeeld;p.m.=pro memorie;evt.=eventueel;afd.=afdeling;"
        "ong.=ongeveer;red.=redactie;jhr.=jonkheer;ing.=ingenieur;t.z.t.=te zijner tijd;"
        "m.m.v.=met medewerking van;i.o.=in opleiding;n.a.v.=naar aanleiding van;"
        "z.g.=zogenaamd;zgn.=zogenaamd;o.m.=onder meer;p.j.=per jaar;u.=uur"
    ),
    before_number=words(
        "min.=minimaal;art.=artikel;afb.=afbeelding;hfst.=hoofdstuk;no.=nummer;p.=pagina;"
        "par.=paragraaf;fig.=figuur;dl.=deel"
    ),
    suffixes=words("str.=straat"),
    fraction=_fraction,
    mixed=_mixed,
    regnal=frozenset(
        """
        Willem Lodewijk Karel Hendrik Filips Frederik Napoleon Paulus Pius Benedictus Johannes
        Elizabeth Leopold Boudewijn Albert Jacobus George Edward Peter Nicolaas Alexander Gregorius
        Innocentius Clemens Otto Ferdinand Maximiliaan
        """.split()
    ),
    article="de",
    counted=frozenset(
        "hoofdstuk deel wereldoorlog boek akte scène bijlage klasse type fase band tabel".split()
    ),
    acronyms=frozenset(
        """
        NAVO NASA UNESCO UNICEF HEMA AIDS SARS PIN RADAR NATO FIFA UEFA OPEC HAVO MAVO VUT COVID
        FOD RAM ROM BENELUX ARBO SOA
        """.split()
    ),
    initialisms=frozenset("ABN EU VS VN TV PC CD BV NV NS EK WK OM AZ IT AI AH PSV".split()),
    read_as={
        "OK": "oké", "ok": "oké", "PvdA": "P V D A", "GroenLinks": "GroenLinks", "en/of": "en of",
        "hij/zij": "hij of zij", "zijn/haar": "zijn of haar", "btw": "B T W", "tv": "T V",
        "pc": "P C", "cd": "C D", "dvd": "D V D", "tv's": "T V's", "pc's": "P C's", "cd's": "C D's",
        "dvd's": "D V D's", "wc": "W C", "sms": "S M S", "nv": "N V", "bv": "B V", "usb": "U S B",
        "gps": "G P S", "pdf": "P D F", "ov": "O V", "cao": "C A O", "mbo": "M B O", "hbo": "H B O",
        "vwo": "V W O", "ggz": "G G Z", "zzp": "Z Z P", "zzp'er": "Z Z P'er", "covid": "covid",
    },
    web=words(
        ".=punt;/=schuine streep;-=streepje;_=laag streepje;@=at;:=dubbele punt;?=vraagteken;==is;"
        "&=en;#=hekje;+=plus;%=procent;~=tilde;\\=omgekeerde schuine streep"
    )
    | {"=": "is"},
    elisions=words("s=s;t=het;n=een;k=ik;m=hem;r=er"),
    emergency=("112", "911"),
)  # fmt: skip
