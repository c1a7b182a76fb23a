import pytest

from ttskit.text.likeness import alike
from ttskit.text.symbols import SPECIAL, symbols

ENGLISH = symbols("en-us")


@pytest.mark.parametrize("language", ["nl", "de", "fr", "es", "ru"])
def test_every_symbol_of_a_language_begins_as_one_of_english_and_known_ones_as_themselves(language):
    wanted = symbols(language)
    near = alike(wanted, ENGLISH)
    assert list(near) == list(wanted)
    assert set(near.values()) <= set(ENGLISH)
    assert all(near[symbol] == symbol for symbol in wanted if symbol in ENGLISH)


def test_a_new_sound_begins_as_the_one_of_nearest_articulation():
    near = alike(["ʁ", "ç", "aː", "ˈuː", "g", "ã"], ENGLISH)
    assert near == {"ʁ": "ɹ", "ç": "ʃ", "aː": "æ", "ˈuː": "ˈu", "g": "ɡ", "ã": "æ"}


def test_marks_that_are_not_known_have_no_likeness():
    assert alike([*SPECIAL, "a"], ["a"]) == {"a": "a"}
