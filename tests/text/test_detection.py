"""Which language texts are in."""

import pytest

from ttskit.text.detection import Likely, detected, doubts

TEXTS = {
    "en-us": "It was the best of times, and they had all that he would have for his own.",
    "nl": "De man zei dat het niet om hem ging, maar om zijn huis.",
    "de-de": "Der Mann hat gesagt, dass es nicht um ihn ging, sondern um das Haus.",
    "fr-fr": "Il y a dans la ville une maison qui est plus grande que les autres.",
    "es-es": "El hombre no sabe lo que quiere, pero la casa es de su padre.",
    "it-it": "Non so che cosa sia, ma il libro è sul tavolo della cucina di una casa.",
    "pt": "O homem não sabe o que quer, mas a casa é do seu pai e da sua mãe.",
    "sv-se": "Det är inte så att han har en bil som jag vill ha på min gata.",
    "cs-cz": "Já jsem ten, který by se na to podíval, ale že to není pro mě, je jisté.",
    "ru-ru": "Это большой дом, и в нём живут мои друзья.",
    "ar": "هذا بيت كبير وفيه أصدقائي",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_is_enough_to_know_its_language(language):
    found = detected([TEXTS[language]], "characters")
    assert found is not None
    assert found.code == language


def test_a_language_without_phonemes_is_named_and_proposed_on_its_letters():
    finnish = detected(["Hän on täällä, mutta ei se ole niin kuin minä olen, vaan myös hänen."])
    assert finnish == Likely("Finnish", "")
    assert Likely("Finnish", "").option == "characters"
    assert detected(["そこに大きな家がありました"]) == Likely("Japanese", "")


@pytest.mark.parametrize(
    "text", ["", "1984!", "Sed ut perspiciatis unde omnis.", "Tom ate.", "de", "Van der Berg"]
)
def test_nothing_is_likely_where_there_is_too_little(text):
    assert detected([text]) is None


def test_texts_in_the_language_that_they_are_taken_for_are_left_alone():
    assert all(detected([text], language) is None for language, text in TEXTS.items())


def test_above_a_fifth_of_guessed_words_is_said_with_what_to_do():
    assert doubts([TEXTS["nl"]], "en-us", 3, 10).endswith("Dutch: spell them with --language nl")
    assert "is it en-us?" in doubts(["Sed ut perspiciatis"], "en-us", 3, 10)
    assert doubts([TEXTS["nl"]], "en-us", 2, 10) == ""
    assert doubts([TEXTS["nl"]], "characters", 10, 10) == ""
