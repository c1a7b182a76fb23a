"""What `import ttskit` offers, compared with what `docs/api.md` documents."""

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ttskit
from tests.tiny import facts, write_model
from ttskit.artifacts.kinds import KINDS
from ttskit.errors import UsageError
from ttskit.models.istft import Istft
from ttskit.speaking.acoustics import Cascade, Manner
from ttskit.speaking.candidates import Choice
from ttskit.speaking.chain import Chain, pieces
from ttskit.speaking.lines import to_lines
from ttskit.speaking.style import Style
from ttskit.speaking.voice import Options, Spoken
from ttskit.stages import say as stage
from ttskit.text.ssml import Passage

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
    if name in RECORDS or name in ("TtskitError", "Model"):  # nobody calls them
        return
    signature = inspect.signature(getattr(ttskit, name))
    shown = re.sub(r": '([^']*)'|-> '([^']*)'|: \"([^\"]*)\"", _unquoted, str(signature))
    assert f"```python\n{name}{shown}\n```" in sections()[name]


def _unquoted(match):
    quoted = match[1] or match[2] or match[3]
    return ("-> " if match[0].startswith("->") else ": ") + quoted


@pytest.mark.parametrize("method", [ttskit.Voice.say, ttskit.Voice.stream, ttskit.say])
def test_every_option_of_speech_is_spelt_out(method):
    options = inspect.signature(method).parameters
    assert {*options} - {"self", "text", "voice", "times"} == {*Spoken.__annotations__}
    spelt = inspect.signature(ttskit.Voice.speech).parameters
    assert {*spelt} - {"self", "source", "recogniser", "company"} == {*Options.__annotations__}
    assert all(options[name].default == spelt[name].default for name in Options.__annotations__)


def test_the_options_of_the_command_can_be_given_from_python():
    command = inspect.signature(stage.command).parameters.keys()
    names = {"knob": "others", "judge": "judges"}
    # what becomes of the audio, where it runs, and what follows from other options
    shell = {"output", "voice", "file", "lines", "length_scale", "takes", "timing", "manifest",
             "raw", "play", "device", "engine", "restart", "as_json"}  # fmt: skip
    assert {names.get(name, name) for name in command - shell} == {"text", *Spoken.__annotations__}


def test_a_voice_is_loaded_once(monkeypatch):
    loaded: list[int] = []
    load = Cascade.__init__

    def counted(*words):
        loaded.append(1)
        load(*words)

    monkeypatch.setattr(Cascade, "__init__", counted)
    voice = ttskit.Voice()
    assert not loaded
    first = voice.say("One.", seed=1)
    chosen = voice._choosing(Choice(2, {"heard": 1.0}, (), lambda _: lambda *_: 0.0))
    lines = to_lines([Passage("One.")], voice._speller)
    (piece,) = pieces(chosen, lines, Style(seed=1))
    assert len(loaded) == 1
    assert (first == np.concatenate([*piece.blocks()])).all()


def test_a_stream_yields_what_say_returns_and_fills_its_duration():
    voice = ttskit.Voice()
    options: Any = {"rate": 1.5, "duration": 2.0}
    pieces = [*voice.stream("One. Two.", **options)]
    assert len(pieces) >= 2
    assert (np.concatenate(pieces) == voice.say("One. Two.", **options)).all()
    assert sum(map(len, pieces)) == 2 * voice.sample_rate


def test_options_are_refused_before_anything_is_spoken(monkeypatch):
    monkeypatch.setattr(Chain, "speak", lambda *_: pytest.fail("spoken"))
    voice = ttskit.Voice()
    options: Any
    for options, message in (
        ({"rate": -1}, "rate -1: needs a number from 0.1 to 10"),
        ({"duration": 0}, "duration 0: needs a number from 0.01 to 86400"),
        ({"duration": 1, "textgrid": "a.TextGrid"}, "textgrid and duration: give one of them"),
        ({"ssml": True, "phonemes": True}, "ssml and phonemes: give one of them"),
        ({"regenerate": [0]}, "regenerate 0: needs the number of a sentence, from 1"),
        ({"speaker": "nobody"}, "nobody"),
    ):
        with pytest.raises(ttskit.TtskitError, match=re.escape(message)):
            voice.stream("Hello.", **options)
    with pytest.raises(TypeError, match="speed"):
        voice.stream("Hello.", speed=2)  # type: ignore[call-arg]


def test_ssml_and_a_lexicon_are_heard(tmp_path):
    voice = ttskit.Voice()
    (tmp_path / "own.tsv").write_text("zyx\th ə l ˈoʊ\n")
    own = voice.say("zyx", lexicon=tmp_path / "own.tsv")
    assert (own == voice.say("[[h ə l ˈoʊ]]")).all()
    slow = voice.say('<speak><prosody rate="50%">Hello.</prosody></speak>', ssml=True)
    assert len(slow) > 1.8 * len(voice.say("Hello."))


def test_read_opens_every_kind(tmp_path):
    path = Path(ttskit.__file__).parent / "voices" / "kathleen.h5"
    assert isinstance(ttskit.read(path), ttskit.Voice)
    model = write_model(tmp_path / "vocoder.h5", Istft, facts())
    assert isinstance(ttskit.read(model), ttskit.Model)
    assert ttskit.read(str(model)).family == "istft"


def test_a_model_that_is_called_makes_what_a_chain_makes_of_the_same_fields():
    models = ttskit.Voice().models
    tokens = np.arange(3, 12)
    manner = Manner(knobs={"rounds": 2})
    fields = Cascade([*models.values()], "audio").run("a", {"tokens": tokens}, manner, 5)
    named: Any = {name: fields[name] for name in ("tokens", "durations", "pitch", "loudness_token")}
    mel: Any = models["decoder"](seed=5, **named)
    assert (mel["mel"] == fields["mel"]).all()
    audio = models["vocoder"](seed=5, knobs={"rounds": 2}, **mel)["audio"]
    assert (audio == fields["audio"]).all()
    with pytest.raises(ttskit.TtskitError, match="vocoder: has no knob depth; there is rounds"):
        models["vocoder"](knobs={"depth": 2}, **mel)


def test_a_verb_that_is_run_says_what_the_command_line_says(capfd):
    assert ttskit.run("voices", "--json") == 0
    assert "kathleen" in capfd.readouterr().out
    with pytest.raises(UsageError, match="No such command 'nonsense'"):
        ttskit.run("nonsense")


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'ttskit' has no attribute 'nonsense'"):
        ttskit.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # what shows a signature has no prompt, and is no example
    found = doctest.testfile(
        str(PAGE), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS
    )
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
        ({"pitch_range": 4.1}, "pitch_range 4.1: needs a number from 0 to 4"),
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
