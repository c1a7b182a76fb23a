"""What English abbreviations, units, signs and initialisms are read as: tables, no rules."""

from __future__ import annotations

# Read so whatever follows.  The full stop belongs to the abbreviation.
ABBREVIATIONS = {
    "mr": "Mister", "mrs": "Missus", "ms": "Miz", "messrs": "Messers", "prof": "Professor",
    "rev": "Reverend", "gen": "General", "col": "Colonel", "maj": "Major", "capt": "Captain",
    "lt": "Lieutenant", "sgt": "Sergeant", "cpl": "Corporal", "cmdr": "Commander",
    "gov": "Governor", "sen": "Senator", "rep": "Representative", "hon": "Honorable",
    "pres": "President", "supt": "Superintendent", "jr": "Junior", "sr": "Senior",
    "mt": "Mount", "vs": "versus", "etc": "et cetera", "approx": "approximately",
    "dept": "department", "corp": "corporation", "co": "company", "inc": "incorporated",
    "ltd": "limited", "bros": "brothers", "ave": "avenue", "blvd": "boulevard", "rd": "road",
    "hwy": "highway", "apt": "apartment", "ph.d": "P H D", "e.g": "for example",
    "i.e": "that is", "viz": "namely", "cf": "compare", "a.m": "A M", "p.m": "P M",
    "jan": "January", "feb": "February", "apr": "April", "aug": "August",
    "sept": "September", "oct": "October", "nov": "November", "dec": "December",
    "tues": "Tuesday", "thurs": "Thursday", "esq": "Esquire", "misc": "miscellaneous",
    "est": "established", "govt": "government", "assn": "association", "atty": "attorney",
}  # fmt: skip

# Read so only before a number: `No. 5`, `pp. 3`.
BEFORE_NUMBER = {
    "no": "number", "nos": "numbers", "vol": "volume", "ch": "chapter", "fig": "figure",
    "figs": "figures", "p": "page", "pp": "pages", "sec": "section", "eq": "equation",
    "ed": "edition", "op": "opus", "rm": "room", "ext": "extension", "jan": "January",
    "mar": "March", "jun": "June", "jul": "July", "sep": "September", "ver": "version",
}  # fmt: skip

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
MONTH_OF = {name.lower(): name for name in MONTHS} | {
    name[:3].lower(): name for name in MONTHS
} | {"sept": "September"}  # fmt: skip

# sign -> one, many, hundredth, hundredths
MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "US$": ("US dollar", "US dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₽": ("ruble", "rubles", "kopek", "kopeks"),
    "₩": ("won", "won", "jeon", "jeon"),
    "₿": ("bitcoin", "bitcoins", "cent", "cents"),
    "¢": ("cent", "cents", "", ""),
}
SCALES = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million",
    "bn": "billion", "b": "billion", "B": "billion", "tn": "trillion", "T": "trillion",
    "thousand": "thousand", "million": "million", "billion": "billion", "trillion": "trillion",
}  # fmt: skip

UNITS = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer",
    "µm": "micrometer", "μm": "micrometer", "mi": "mile", "ft": "foot", "yd": "yard",
    "yds": "yard", "in.": "inch", "kg": "kilogram", "g": "gram", "mg": "milligram",
    "lb": "pound", "lbs": "pound", "oz": "ounce", "l": "liter", "L": "liter", "ml": "milliliter",
    "mL": "milliliter", "cl": "centiliter", "s": "second", "sec": "second", "ms": "millisecond",
    "min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "km/h": "kilometer per hour", "kph": "kilometer per hour", "kmh": "kilometer per hour",
    "mph": "mile per hour", "m/s": "meter per second", "mpg": "mile per gallon",
    "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "dB": "decibel",
    "V": "volt", "W": "watt", "kW": "kilowatt", "MW": "megawatt", "kWh": "kilowatt hour",
    "mA": "milliamp", "Ω": "ohm", "N": "newton", "J": "joule", "kJ": "kilojoule",
    "cal": "calorie", "kcal": "kilocalorie", "Pa": "pascal", "kPa": "kilopascal",
    "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte",
    "Mbps": "megabit per second", "Gbps": "gigabit per second", "px": "pixel",
    "m²": "square meter", "km²": "square kilometer", "cm²": "square centimeter",
    "m³": "cubic meter", "cm³": "cubic centimeter", "m2": "square meter",
    "km2": "square kilometer", "sq ft": "square foot", "%": "percent", "°": "degree",
    "°C": "degree Celsius", "°F": "degree Fahrenheit", "ºC": "degree Celsius",
    "ºF": "degree Fahrenheit", "℃": "degree Celsius", "℉": "degree Fahrenheit", "‰": "per mille",
}  # fmt: skip
IRREGULAR = {
    "foot": "feet",
    "inch": "inches",
    "hertz": "hertz",
    "percent": "percent",
    "per mille": "per mille",
}

SIGNS = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "°": "degrees",
    "$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "¢": "cent", "©": "copyright",
    "®": "registered", "™": "trademark", "×": "times", "÷": "divided by", "±": "plus or minus",
    "<": "less than", ">": "greater than", "≤": "less than or equal to",
    "≥": "greater than or equal to", "≠": "not equal to", "≈": "approximately",
    "~": "approximately", "−": "minus", "√": "square root of", "∞": "infinity", "§": "section",
    "¶": "paragraph", "#": "hash", "№": "number", "²": "squared", "³": "cubed", "→": "to",
    "/": "slash", "\\": "backslash", "^": "caret", "_": "underscore", "₹": "rupee",
    "µ": "micro", "μ": "mu", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta",
    "Δ": "delta", "ε": "epsilon", "θ": "theta", "λ": "lambda", "π": "pi", "σ": "sigma",
    "Σ": "sigma", "φ": "phi", "ω": "omega", "Ω": "omega",
}  # fmt: skip

# In an address every sign is named.
ADDRESS_SIGNS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon",
    "?": "question mark", "=": "equals", "&": "and", "#": "hash", "+": "plus", "%": "percent",
    "~": "tilde",
}  # fmt: skip

# In capitals and yet read as words; named letter by letter although they are words too.
ACRONYMS = frozenset(
    """
    NASA NATO AIDS UNESCO UNICEF OPEC FIFA NAFTA SWAT COVID SARS OSHA FEMA PIN RAM ROM
    GIF JPEG LASER RADAR SCUBA SONAR TASER ZIP ASCII LAN WAN RAID NASDAQ OK DARPA
    """.split()
)
INITIALISMS = frozenset(
    "US UK EU UN IT AI TV PC ID UV IQ PR HR ER OR PS PM AM DC LA VIP CV CD SOS".split()
)
READ_AS = {"OK": "okay", "TTS": "T T S"}

# A Roman numeral after one of these is an ordinal (`Henry VIII`) ...
REGNAL = frozenset(
    """
    Henry Louis George Elizabeth Edward Charles James Richard William Philip Pius Benedict Paul
    John Napoleon Alexander Nicholas Catherine Peter Leo Gregory Clement Innocent Urban Frederick
    Ferdinand Mary Ivan Albert Leopold Gustav Christian Margaret Wilhelm Otto Constantine
    Boniface Sixtus Julius Ramses Ptolemy Darius Xerxes Robert David Malcolm Alfonso
    """.split()
)
# ... and after one of these a cardinal, however short it is.
COUNTED = frozenset(
    """
    war chapter part volume book act scene section article title type phase stage level class
    figure table appendix bowl apollo rocky grade amendment vol mark version
    """.split()
)
# The A after one of these is the letter.
LETTERED = frozenset(
    "vitamin plan grade type letter group hepatitis section class option an straight".split()
)
LOWER_IN_ADDRESS = frozenset("me be at my go do we to of is in".split())
STARTERS = frozenset("the he she it they we i you this that but and there then in on a an".split())
ROOMS = frozenset("Suite Apt Apartment Unit Room Floor NE NW SE SW North South East West".split())
ELISIONS = {"'em": "them", "'n'": "and", "'tis": "it is", "'twas": "it was", "'cause": "because",
            "'til": "until", "'bout": "about", "'round": "around"}  # fmt: skip
