import pytest

from ttskit.errors import TextError
from ttskit.text.languages import data_folder, resolve


def test_one_language_has_many_names():
    assert {resolve(name) for name in ("en", "en_US", "EN-us", "en-gb")} == {"en-us"}


def test_an_unknown_language_lists_the_known_ones():
    with pytest.raises(TextError, match=r"'tlh'.*de-de.*characters"):
        resolve("tlh")


def test_data_that_are_not_installed_are_named_with_the_command_that_installs_them(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(TextError, match=r"pip install 'ttskit\[cs\]'"):
        data_folder("cs")
