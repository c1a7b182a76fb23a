"""What English abbreviations, signs and initialisms are read as: tables, no rules."""

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
    "chap": "chapter", "avg": "average", "ln": "lane", "pkwy": "parkway", "tel": "telephone",
    "ext": "extension", "yr": "year", "yrs": "years", "hrs": "hours", "mins": "minutes",
    "qty": "quantity", "temp": "temperature", "univ": "university", "inst": "institute",
    "intl": "international", "natl": "national", "attn": "attention", "encl": "enclosed",
    "et al": "et al", "op. cit": "op cit", "loc. cit": "loc cit", "ibid": "ibid",
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thur": "Thursday",
    "fri": "Friday", "ed. by": "edited by",
}  # fmt: skip

# Read so only before a number: `No. 5`, `pp. 3`.
BEFORE_NUMBER = {
    "no": "number", "nos": "numbers", "vol": "volume", "ch": "chapter", "fig": "figure",
    "figs": "figures", "p": "page", "pp": "pages", "sec": "section", "eq": "equation",
    "ed": "edition", "op": "opus", "rm": "room", "ext": "extension", "jan": "January",
    "mar": "March", "jun": "June", "jul": "July", "sep": "September", "ver": "version",
    "eqs": "equations", "secs": "sections", "vols": "volumes", "chs": "chapters", "art": "article",
    "c": "circa", "ca": "circa", "max": "maximum", "min": "minimum", "para": "paragraph",
    "d": "died", "b": "born", "fl": "flourished", "rs": "rupees", "v": "version",
}  # fmt: skip

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
MONTH_OF = {name.lower(): name for name in MONTHS} | {
    name[:3].lower(): name for name in MONTHS
} | {"sept": "September"}  # fmt: skip

SIGNS = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "°": "degrees",
    "$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "¢": "cent", "©": "copyright",
    "®": "registered", "™": "trademark", "×": "times", "÷": "divided by", "±": "plus or minus",
    "<": "less than", ">": "greater than", "≤": "less than or equal to",
    "≥": "greater than or equal to", "≠": "not equal to", "≈": "approximately",
    "~": "approximately", "−": "minus", "√": "square root of", "∞": "infinity", "§": "section",
    "¶": "paragraph", "#": "hash", "№": "number", "²": "squared", "³": "cubed", "→": "to",
    "/": "slash", "\\": "backslash", "^": "caret", "₹": "rupee",
    "§§": "sections", "!=": "not equal to", "==": "equals", "<=": "less than or equal to",
    ">=": "greater than or equal to", "->": "to", "=>": "to", "←": "from", "⇒": "to",
    "&&": "and", "||": "or", "++": "plus plus", "<-": "from", "∑": "sum of", "∫": "integral of",
    "∂": "partial", "∈": "in", "∴": "therefore",
}  # fmt: skip

# In an address every sign is named.
ADDRESS_SIGNS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon",
    "?": "question mark", "=": "equals", "&": "and", "#": "hash", "+": "plus", "%": "percent",
    "~": "tilde", "\\": "backslash",
}  # fmt: skip

# In capitals and yet read as words; named letter by letter although they are words too.
ACRONYMS = frozenset(
    """
    NASA NATO AIDS UNESCO UNICEF OPEC FIFA NAFTA SWAT COVID SARS OSHA FEMA PIN RAM ROM
    GIF JPEG LASER RADAR SCUBA SONAR TASER ZIP ASCII LAN WAN RAID NASDAQ DARPA JSON YAML NAND
    UNIX LINUX BASIC COBOL FORTRAN CRISPR SIM MOMA CAPTCHA WASP YOLO FOMO PETA BAFTA
    """.split()
)
INITIALISMS = frozenset(
    """
    US UK EU UN IT AI TV PC ID UV IQ PR HR ER OR PS PM AM DC LA VIP CV CD SOS EST PST CST MST EDT
    PDT AD BC CE BCE CA PA MA MO DE AL AR AK IL ND NE MIT IRA NFL ADHD ATM GRE DIY FAQ CEO CFO CTO
    COO MS MD BA BS JD RN EMT ICU IV PT AC ML NLP APA MLA AMA ACLU DOJ DOD DMV IRS TSA BP LED IP OS
    UI UX QA HQ ETA AKA
    """.split()
)
# Initialisms only after an article: `the WHO`; elsewhere words in capitals: `WHO did?`
ARTICLED = frozenset("WHO SAT ACT ADD".split())
# Written as it is here, and read otherwise.
READ_AS = {
    "OK": "okay",
    "TTS": "T T S",
    "PhD": "P H D",
    "PhDs": "P H D's",
    "BSc": "B S C",
    "MSc": "M S C",
    "iOS": "I O S",
    "LaTeX": "Latech",
    "WWI": "World War one",
    "WWII": "World War two",
    "WW1": "World War one",
    "WW2": "World War two",
    "kB": "kilobyte",
    "w/o": "without",
    "w/": "with",
    "b/c": "because",
    "c/o": "care of",
    "n/a": "N A",
    "N/A": "N A",
    "he/she": "he or she",
    "she/he": "she or he",
    "s/he": "she or he",
    "his/her": "his or her",
    "him/her": "him or her",
    "vs": "versus",
    "Ltd": "limited",
    "Ctrl": "Control",
} | {
    word: " ".join(word.upper())
    for word in """
    brb omg lol tbh imo imho idk afk ttyl lmk smh fyi faq btw html css xml php sql ssh ftp http
    https url usb pdf cpu gpu dvd tbd diy rsvp nsfw wtf
    """.split()
}

# A Roman numeral after one of these is an ordinal (`Henry VIII`) ...
REGNAL = frozenset(
    """
    Henry Louis George Elizabeth Edward Charles James Richard William Philip Pius Benedict Paul
    John Napoleon Alexander Nicholas Catherine Peter Leo Gregory Clement Innocent Urban Frederick
    Ferdinand Mary Ivan Albert Leopold Gustav Christian Margaret Wilhelm Otto Constantine
    Boniface Sixtus Julius Ramses Ptolemy Darius Xerxes Robert David Alfonso
    """.split()
)
# ... and after one of these a cardinal, however short it is.
COUNTED = frozenset(
    """
    war chapter part volume book act scene section article title type phase stage level class
    figure table appendix bowl apollo rocky grade amendment vol mark version parts acts scenes
    chapters volumes books sections articles phases types wars
    """.split()
)
# The A after one of these is the letter.
LETTERED = frozenset(
    "vitamin plan grade type letter group hepatitis section class option an straight".split()
)
LOWER_IN_ADDRESS = frozenset("me be at my go do we to of is in no so up on us co".split())
STARTERS = frozenset("the he she it they we i you this that but and there then in on a an".split())
ROOMS = frozenset("Suite Apt Apartment Unit Room Floor NE NW SE SW North South East West".split())
ELISIONS = {"'em": "them", "'n'": "and", "'tis": "it is", "'twas": "it was", "'cause": "because",
            "'til": "until", "'bout": "about", "'round": "around"}  # fmt: skip
