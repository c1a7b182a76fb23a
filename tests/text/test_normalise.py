"""Readings written by hand: what a person would say."""

import pytest

from ttskit.text.spelling import Speller

READINGS = [
    # numbers
    ("7", "seven"),
    ("I have 21 cats.", "I have twenty one cats."),
    ("101 dogs", "one hundred one dogs"),
    ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
    ("0.5", "zero point five"),
    ("3.14", "three point one four"),
    (".5", "point five"),
    ("-3 degrees", "minus three degrees"),
    ("agent 007", "agent zero zero seven"),
    ("12345678901234567", "one two three four five six seven eight nine zero one two three four "
     "five six seven"),
    ("pages 10-20", "pages ten to twenty"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("#5", "number five"),
    ("No. 5", "number five"),
    ("No. I won't.", "No. I won't."),
    # ordinals and fractions
    ("1st", "first"),
    ("the 22nd", "the twenty second"),
    ("103rd Street", "one hundred third Street"),
    ("1/2", "one half"),
    ("3/4 cup", "three quarters cup"),
    ("2/3", "two thirds"),
    ("2 1/2 miles", "two and a half miles"),
    ("½ cup", "one half cup"),
    ("open 24/7", "open twenty four seven"),
    # years and dates
    ("in 1984", "in nineteen eighty four"),
    ("in 1905", "in nineteen oh five"),
    ("in 1900", "in nineteen hundred"),
    ("in 2007", "in two thousand seven"),
    ("in 2015", "in twenty fifteen"),
    ("the 1990s", "the nineteen nineties"),
    ("the '80s", "the eighties"),
    ("1914-1918", "nineteen fourteen to nineteen eighteen"),
    ("3/14/2015", "March fourteenth twenty fifteen"),
    ("2015-03-14", "March fourteenth twenty fifteen"),
    ("July 4, 1776", "July fourth, seventeen seventy six"),
    ("Dec. 25", "December twenty fifth"),
    ("on 14 March", "on the fourteenth of March"),
    # times
    ("at 4:05pm", "at four oh five P M"),
    ("at 5 p.m.", "at five P M."),
    ("at 9 a.m. sharp", "at nine A M sharp"),
    ("16:30", "sixteen thirty"),
    ("at 7:00", "at seven o'clock"),
    # money
    ("$5", "five dollars"),
    ("$1", "one dollar"),
    ("$5.20", "five dollars and twenty cents"),
    ("$0.99", "ninety nine cents"),
    ("$1.5 million", "one point five million dollars"),
    ("$3M", "three million dollars"),
    ("£20", "twenty pounds"),
    ("€9.50", "nine euros and fifty cents"),
    ("$5-10", "five to ten dollars"),
    ("50¢", "fifty cents"),
    # units
    ("50%", "fifty percent"),
    ("5km", "five kilometers"),
    ("1 kg", "one kilogram"),
    ("60 mph", "sixty miles per hour"),
    ("20°C", "twenty degrees Celsius"),
    ("5'10\"", "five foot ten"),
    ("100 m²", "one hundred square meters"),
    ("8GB", "eight gigabytes"),
    # abbreviations
    ("Dr. Smith lives on King Dr. in town.", "Doctor Smith lives on King Drive in town."),
    ("12 Dr. King Dr.", "twelve Doctor King Drive."),
    ("St. Louis, Main St.", "Saint Louis, Main Street."),
    ("Mr. and Mrs. Jones", "Mister and Missus Jones"),
    ("e.g. this, i.e. that, etc.", "for example this, that is that, et cetera."),
    ("cats vs. dogs", "cats versus dogs"),
    ("J. R. R. Tolkien", "J R R Tolkien"),
    # acronyms
    ("NASA and the FBI", "NASA and the F B I"),
    ("the U.S.A. today", "the U S A today"),
    ("the U.S. The end.", "the U S. The end."),
    ("IT and US law", "I T and U S law"),
    ("STOP IT NOW", "STOP IT NOW"),
    ("OK", "okay"),
    ("the FBI's files", "the F B I's files"),
    ("an MP3", "an M P three"),
    ("H2O", "H two O"),
    ("COVID-19", "COVID nineteen"),
    ("vitamin A", "vitamin A"),
    # Roman numerals
    ("Henry VIII", "Henry the eighth"),
    ("World War II", "World War two"),
    ("Elizabeth I", "Elizabeth the first"),
    ("Chapter IV", "Chapter four"),
    ("I think I am", "I think I am"),
    ("in MCMXCIX", "in nineteen ninety nine"),
    # contractions, possessives, hyphens
    ("I don't", "I don't"),
    ("it’s John’s", "it's John's"),
    ("the dogs' beds", "the dogs' beds"),
    ("rock 'n' roll", "rock and roll"),
    ("a well-known fact", "a well known fact"),
    ("either/or", "either or"),
    # addresses
    ("http://www.example.com", "W W W dot example dot com"),
    ("see example.org/page.", "see example dot org slash page."),
    ("mail me@home.org", "mail me at home dot org"),
    # telephone
    ("555-1234", "five five five one two three four"),
    ("(555) 123-4567", "five five five one two three four five six seven"),
    ("192.168.0.1", "one ninety two dot one sixty eight dot zero dot one"),
    # signs, scripts, nothing
    ("R&D", "R and D"),
    ("AT&T", "A T and T"),
    ("C# and Node.js", "C sharp and Node dot js"),
    ("Louis XIV's palace", "Louis the fourteenth's palace"),
    ("5 × 3", "five times three"),
    ("Great 👍 job", "Great job"),
    ("Привет world", "world"),
    ("a café", "a café"),
    ("say [[h ə l ˈoʊ]] now", "say [[h ə l ˈoʊ]] now"),
    ('"Hello," (she) said…', '"Hello," (she) said…'),
    ("", ""),
    (" \t ", ""),
]  # fmt: skip

GERMAN = [
    ("Am 3. Oktober 1990", "Am dritten Oktober neunzehnhundertneunzig"),
    ("3,5 kg", "drei Komma fünf Kilogramm"),
    ("z.B. 1.000 €", "zum Beispiel eintausend Euro"),
    ("Dr. Weiß, 50%", "Doktor Weiß, fünfzig Prozent"),
    ("um 14:30 Uhr", "um vierzehn Uhr dreißig"),
    ("1 €", "ein Euro"),
]
DUTCH = [
    ("5 km", "vijf kilometer"),
    ("€ 2,50", "twee euro vijftig"),
    ("de 3e keer", "de derde keer"),
    ("bijv. 14:30 uur", "bijvoorbeeld veertien uur dertig"),
]


@pytest.fixture(scope="module")
def english():
    return Speller("en-us")


def test_the_table_is_long_enough():
    assert len(READINGS) >= 80


@pytest.mark.parametrize(("written", "read"), READINGS)
def test_reads_english_as_a_person_would(english, written, read):
    assert english.spell(written).text == read


@pytest.mark.parametrize(
    ("language", "written", "read"),
    [("de", *case) for case in GERMAN] + [("nl", *case) for case in DUTCH],
)
def test_reads_other_languages_as_a_person_would(language, written, read):
    pytest.importorskip(f"gruut_lang_{language}", reason=f"pip install 'ttskit[{language}]'")
    assert Speller(language).spell(written).text == read
