"""Units, money and their sizes in English: tables, no rules."""

from __future__ import annotations

# sign -> one, many, hundredth, hundredths
MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
    "₽": ("ruble", "rubles", "kopek", "kopeks"),
    "₩": ("won", "won", "jeon", "jeon"),
    "₿": ("bitcoin", "bitcoins", "cent", "cents"),
    "¢": ("cent", "cents", "", ""),
    "Rs.": ("rupee", "rupees", "paisa", "paise"),
    "Rs": ("rupee", "rupees", "paisa", "paise"),
} | {
    sign: (f"{land} dollar", f"{land} dollars", "cent", "cents")
    for signs, land in {
        "US$ USD": "US", "CA$ C$ CAD": "Canadian", "A$ AU$ AUD": "Australian",
        "NZ$ NZD": "New Zealand", "HK$ HKD": "Hong Kong", "S$ SGD": "Singapore",
    }.items()
    for sign in signs.split()
} | {
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "JPY": ("yen", "yen", "sen", "sen"),
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "SEK": ("Swedish krona", "Swedish kronor", "öre", "öre"),
    "NOK": ("Norwegian krone", "Norwegian kroner", "øre", "øre"),
    "DKK": ("Danish krone", "Danish kroner", "øre", "øre"),
    "PLN": ("zloty", "zlotys", "grosz", "groszy"),
}  # fmt: skip
SCALES = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million",
    "bn": "billion", "b": "billion", "B": "billion", "tn": "trillion", "T": "trillion",
    "thousand": "thousand", "million": "million", "billion": "billion", "trillion": "trillion",
}  # fmt: skip

_PREFIXES = {
    "p": "pico", "n": "nano", "µ": "micro", "μ": "micro", "m": "milli", "c": "centi", "k": "kilo",
    "M": "mega", "G": "giga", "T": "tera",
}  # fmt: skip
# unit -> its name and the prefixes that it is written with
_PREFIXED = {
    "m": ("meter", "nµμmck"), "s": ("second", "pnµμm"), "g": ("gram", "nµμmk"),
    "L": ("liter", "µμmc"), "l": ("liter", "µμmc"), "Hz": ("hertz", "kMGT"),
    "V": ("volt", "µμmk"), "A": ("amp", "µμm"), "Ah": ("amp hour", "m"), "W": ("watt", "mkMG"),
    "Wh": ("watt hour", "kMGT"), "\u03a9": ("ohm", "mkM"), "\u2126": ("ohm", "mkM"),
    "J": ("joule", "kM"), "Pa": ("pascal", "kM"), "N": ("newton", "k"), "B": ("byte", "kMGT"),
    "bps": ("bit per second", "kMG"), "b/s": ("bit per second", "kMG"),
    "bit/s": ("bit per second", "kMG"), "B/s": ("byte per second", "kMG"),
    "eV": ("electronvolt", "kMG"), "F": ("farad", "pnµμ"), "cal": ("calorie", "k"),
    "m²": ("square meter", "ckm"), "m2": ("square meter", "ckm"), "m³": ("cubic meter", "cm"),
    "m3": ("cubic meter", "c"),
}  # fmt: skip
_SQUARES = {"square meter": "square {}meter", "cubic meter": "cubic {}meter"}
UNITS = {
    prefix + unit: _SQUARES.get(name, "{}" + name).format(_PREFIXES[prefix])
    for unit, (name, prefixes) in _PREFIXED.items()
    for prefix in prefixes
} | {
    unit: name for unit, (name, _) in _PREFIXED.items() if unit not in {"A", "B", "F", "bps"}
} | {
    "mi": "mile", "ft": "foot", "yd": "yard", "yds": "yard", "in.": "inch", "lb": "pound",
    "lbs": "pound", "oz": "ounce", "fl. oz.": "fluid ounce", "fl oz": "fluid ounce", "t": "ton",
    "gal": "gallon", "qt": "quart", "pt": "pint", "tsp": "teaspoon", "tbsp": "tablespoon",
    "sec": "second", "secs": "second", "min": "minute", "mins": "minute", "h": "hour",
    "hr": "hour", "hrs": "hour", "wk": "week", "wks": "week", "mo": "month", "mos": "month",
    "yr": "year", "yrs": "year", "km/h": "kilometer per hour", "kph": "kilometer per hour",
    "kmh": "kilometer per hour", "mph": "mile per hour", "m/s": "meter per second",
    "km/s": "kilometer per second", "m/s²": "meter per second squared",
    "ft/s": "foot per second", "kg/m³": "kilogram per cubic meter", "mg/L": "milligram per liter",
    "g/L": "gram per liter", "mpg": "mile per gallon", "rpm": "revolution per minute",
    "fps": "frame per second", "bpm": "beat per minute", "dpi": "dot per inch",
    "psi": "pound per square inch", "mmHg": "millimeter of mercury", "ppm": "part per million",
    "ppb": "part per billion", "hp": "horsepower", "dB": "decibel", "KB": "kilobyte",
    "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "px": "pixel", "ha": "hectare",
    "sq ft": "square foot", "sq. ft.": "square foot", "sq. mi.": "square mile",
    "sq mi": "square mile", "sq. m": "square meter", "cu ft": "cubic foot",
    "cu. ft.": "cubic foot", "cu. in.": "cubic inch", "%": "percent", "°": "degree",
    "°C": "degree Celsius", "°F": "degree Fahrenheit", "ºC": "degree Celsius",
    "ºF": "degree Fahrenheit", "℃": "degree Celsius", "℉": "degree Fahrenheit", "‰": "per mille",
}  # fmt: skip
IRREGULAR = {"foot": "feet", "inch": "inches"}
INVARIABLE = frozenset("percent mille horsepower".split())  # and all that end in hertz

# A measure before one of these is an adjective: `a 6 ft pole` is a six foot pole.
MODIFIED = frozenset(
    """
    adapter angle bag bar battery bill board bottle bulb cable camera can car charger clip coin
    dash delay dive drive drop engine exposure film flight gap glass hike hole hose interval job
    jump jug lens limit line monitor motor nail note pause phone piece pipe pizza plank plate pole
    race ride rod rope ruler run screen shift sprint stamp steak supply swim tablet tank tape timer
    timeout tower turn wait walk wall wheel window wire wrench zone
    """.split()
)
# After one of these `10m` are millions, not metres.
COUNTABLE = frozenset(
    """
    accounts books cars copies customers deaths devices dollars downloads euros fans followers
    homes households jobs kids likes listeners members men people players pounds readers records
    residents sales shares songs streams students subscribers tickets tons tonnes tourists users
    videos viewers views visitors visits voters votes women workers years
    """.split()
)
# What a price is for: `$5/month`.
PER = {
    "month": "month", "mo": "month", "year": "year", "yr": "year", "week": "week", "wk": "week",
    "day": "day", "night": "night", "hour": "hour", "hr": "hour", "h": "hour", "minute": "minute",
    "min": "minute", "second": "second", "sec": "second", "lb": "pound", "oz": "ounce",
    "kg": "kilogram", "g": "gram", "gal": "gallon", "gallon": "gallon", "L": "liter",
    "person": "person", "user": "user", "seat": "seat", "unit": "unit", "piece": "piece",
    "mile": "mile", "km": "kilometer", "sq ft": "square foot", "share": "share",
}  # fmt: skip
