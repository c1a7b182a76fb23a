"""The texts of real corpora: nothing dropped, few words guessed."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from ttskit.text.spelling import Speller

pytestmark = pytest.mark.corpora
LIMITS = {"kathleen": 0.005, "LJSpeech-1.1": 0.015, "nathalie": 0.005, "kerstin": 0.25}


def texts(name):
    """Return the language and the texts of one corpus."""
    if "TTSKIT_CORPORA" not in os.environ:
        pytest.skip("needs real texts: set TTSKIT_CORPORA to the folder of corpora")
    folder = Path(os.environ["TTSKIT_CORPORA"]) / name
    language = {"nathalie": "nl", "kerstin": "de"}.get(name, "en")
    if not folder.is_dir():
        pytest.skip(f"needs {folder}")
    if find_spec(f"gruut_lang_{language}") is None:
        pytest.skip(f"needs pip install 'ttskit[{language}]'")
    if name == "kathleen":
        return language, [path.read_text() for path in sorted(folder.glob("*.txt"))]
    lines = (folder / "metadata.csv").read_text().splitlines()
    return language, [line.split("|")[1] for line in lines]


@pytest.mark.parametrize("name", LIMITS)
def test_nothing_is_dropped_and_few_words_are_guessed(name, record_property):
    language, lines = texts(name)
    speller, guessed, listed = Speller(language), [], 0
    for line in lines:
        spelling = speller.spell(line)
        assert spelling.drops == (), line
        guessed += [w for w, g in zip(spelling.words, spelling.guessed, strict=True) if g]
        listed += len(spelling.words) - sum(spelling.guessed)
    record_property(f"{name}: words in the lexicon, guessed", (listed, len(guessed)))
    assert len(guessed) < LIMITS[name] * listed
