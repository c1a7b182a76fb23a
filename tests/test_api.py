"""What `import ttskit` offers, compared with what `docs/api.md` documents."""

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ttskit
from ttskit.artifacts.kinds import KINDS

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
RECORDS = {kind.__name__ for kind in KINDS}


def sections():
    """The page by its headings: name -> text."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]
    return {
        name.replace("\\", ""): text for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_page_documents_what_is_exported_and_nothing_else():
    assert {*sections()} - {"Kinds"} == {*ttskit.__all__} - RECORDS
    names = set(re.findall(r"`(\w+)`", sections()["Kinds"].split(" are frozen")[0]))
    assert names == RECORDS


@pytest.mark.parametrize("name", ttskit.__all__)
def test_every_exported_name_is_there_and_listed(name):
    assert hasattr(ttskit, name)
    assert name in dir(ttskit)


@pytest.mark.parametrize(
    "name", [name for name in ttskit.__all__ if callable(getattr(ttskit, name))]
)
def test_signatures_are_those_of_the_code(name):
    if name in RECORDS or name == "TtskitError":
        return
    signature = inspect.signature(getattr(ttskit, name))
    shown = re.sub(r": '([^']*)'|-> '([^']*)'|: \"([^\"]*)\"", _unquoted, str(signature))
    assert f"```python\n{name}{shown}\n```" in sections()[name]


def _unquoted(match):
    quoted = match[1] or match[2] or match[3]
    return ("-> " if match[0].startswith("->") else ": ") + quoted


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'ttskit' has no attribute 'nonsense'"):
        ttskit.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # what shows a signature has no prompt, and is no example
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.attempted > 30
    assert found.failed == 0


def test_importing_loads_neither_torch_nor_numpy():
    code = "import sys, ttskit; print({'torch', 'numpy', 'h5py', 'typer'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": -1}, "rate -1: needs a number from 0.1 to 10"),
        ({"rate": float("nan")}, "rate nan: needs"),
        ({"rate": "fast"}, "rate 'fast': needs"),
        ({"rate": None}, "rate None: needs"),
        ({"pitch": 25}, "pitch 25: needs a number from -24 to 24"),
        ({"energy": -41}, "energy -41: needs a number from -40 to 40"),
        ({"noise_scale": -0.1}, "noise_scale -0.1: needs a number from 0 to 100"),
        ({"rounds": -1}, "rounds -1: needs a number from 0 to 1000"),
        ({"rounds": 1001}, "rounds 1001: needs a number from 0 to 1000"),
        ({"rounds": 2.5}, "rounds 2.5: needs a whole number"),
        ({"iterations": 0}, "iterations 0: needs a number from 1 to 1000"),
        ({"iterations": 1.5}, "iterations 1.5: needs a whole number"),
        ({"pause": -1}, "pause -1: needs a number from 0 to 60"),
        ({"seed": -1}, "seed -1: needs a whole number"),
        ({"seed": 0.5}, "seed 0.5: needs a whole number"),
        ({"speaker": "nobody"}, "nobody"),
        ({"voice": "nobody"}, "nobody"),
    ],
)
def test_options_of_say_that_cannot_be_are_refused(options, message):
    with pytest.raises(ttskit.TtskitError, match=re.escape(message)):
        ttskit.say("Hello.", **options)


def test_say_needs_a_text():
    with pytest.raises(ttskit.TtskitError, match="text: is int, needs a string"):
        ttskit.say(5)  # type: ignore[arg-type]


def test_reading_a_voice_says_what_to_do_with_it():
    path = Path(ttskit.__file__).parent / "voices" / "kathleen.h5"
    with pytest.raises(ttskit.TtskitError, match=r"is voice, needs utterances.*ttskit\.say\(text"):
        ttskit.read(path)
