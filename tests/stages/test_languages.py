"""`ttskit languages`."""

import json

from tests.factory import run
from ttskit.text.languages import LANGUAGES
from ttskit.text.symbols import SPECIAL, symbols


def test_every_language_is_listed_with_its_phonemes_and_lexicon():
    rows = {row["language"]: row for row in json.loads(run("languages", "--json").stdout)}
    assert rows.keys() == {*LANGUAGES, "characters"}
    assert rows["en-us"]["lexicon"] == "installed"
    for name in LANGUAGES:
        assert rows[name]["phonemes"] == len(symbols(name)) - len(SPECIAL)
    assert rows["sw"]["figures"] == "dropped"
    assert [name for name, row in rows.items() if row["tested"]] == [
        "en-us", "nl", "de-de", "characters",
    ]  # fmt: skip


def test_data_that_are_not_installed_are_listed_with_what_installs_them(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "pip install 'ttskit[nl]'" in run("languages").stdout
