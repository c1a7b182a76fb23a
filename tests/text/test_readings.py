"""Texts of each class against what a good reader would say: `tests/readings/LANGUAGE.tsv`."""

from pathlib import Path

import pytest

from tests import readings
from ttskit.text.languages import LANGUAGES
from ttskit.text.spelling import Speller

LEAST = {"en-us": 400, "nl": 200, "de-de": 200}
WRONG: dict[str, set[str]] = {  # what is read otherwise today
    "en-us": {"The 747-400 jet"},
    "nl": set(),
    "de-de": set(),
}


PAGE = Path(__file__).parents[2] / "docs" / "text.md"


def said(spells):
    return lambda text: spells.spell(text).text


def speller(language):
    package = LANGUAGES[language].package
    pytest.importorskip(f"gruut_lang_{package}", reason=f"pip install 'ttskit[{package}]'")
    return Speller(language)


@pytest.mark.parametrize("language", LEAST)
def test_all_but_known_cases_are_read_as_a_good_reader_would(language):
    spell = speller(language).spell
    said = {case: spell(case.written).text for case in readings.cases(language)}
    wrong = {case.written: text for case, text in said.items() if not readings.right(text, case)}
    assert {k: v for k, v in wrong.items() if k not in WRONG[language]} == {}
    assert set(wrong) == WRONG[language]


@pytest.mark.parametrize("language", LEAST)
def test_the_tables_are_long_and_name_no_text_twice(language):
    written = [case.written for case in readings.cases(language)]
    assert len(written) >= LEAST[language]
    assert len(set(written)) == len(written)
    assert len(written) * 0.97 <= len(written) - len(WRONG[language])


def test_the_table_in_the_docs_says_what_is_right_today():
    shares = {name: readings.shares(name, said(speller(name))) for name in LEAST}
    assert readings.table(shares) in PAGE.read_text("utf-8")
