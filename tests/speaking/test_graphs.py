"""Speaking by onnxruntime: the sound is that of torch, and torch is not imported."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ttskit as package
from tests.factory import run, write_model
from tests.tiny import write_voice
from ttskit.errors import ArtifactError, TtskitError
from ttskit.speaking import chain
from ttskit.speaking.candidates import Choice
from ttskit.speaking.chain import Chain
from ttskit.speaking.lines import to_lines
from ttskit.speaking.style import Style
from ttskit.text.ssml import Passage
from ttskit.voices import conversion, embedded, voice
from ttskit.voices.model import read_model

TEXT = "Hello there, world. It cost five dollars, and that is all there is to it."
WITHOUT_TORCH = """
import sys
for name in ("torch", "numba", "scipy", "onnx", "onnxscript"):
    sys.modules[name] = None
from ttskit.cli import main
main()
"""


def spoken(opened, engine, style, text=TEXT):
    """(sample,) float32."""
    lines = to_lines([Passage(text)], opened.speller())
    pieces = chain.pieces(Chain(opened, engine=engine), lines, style)
    return np.concatenate([block for piece in pieces for block in piece.blocks()])


def test_the_embedded_voice_sounds_the_same():
    opened, style = voice.read(embedded.find(None)), Style(rate=1.1, pitch=2, energy=-3, seed=5)
    as_predicted = replace(style, pitch_range=1 / opened.settings.pitch_range)
    audio, expected = (spoken(opened, engine, as_predicted) for engine in ("onnx", "torch"))
    assert len(audio) == len(expected)
    assert np.abs(audio - expected).max() < 1e-3
    # a stretched pitch widens the rounding, and a phase adds it up over an utterance
    audio, expected = (spoken(opened, engine, style) for engine in ("onnx", "torch"))
    assert np.sqrt(np.mean((audio - expected) ** 2) / np.mean(expected**2)) < 5e-3


def test_judges_beside_graphs_are_told_what_those_beside_torch_are(tmp_path):
    languages = []

    def recogniser(language):
        languages.append(language)
        return lambda _audio, _rate, _text: 0.0

    opened = voice.read(embedded.find(None))
    heard = Chain(opened, engine="onnx", choice=Choice(2, {"heard": 1.0}, (), recogniser))
    [*chain.pieces(heard, to_lines([Passage("Hello.")], opened.speller()), Style())]
    assert languages == ["en-us"]
    other = write_model(tmp_path / "aligner.h5", "attention", {"embedding": 8, "hidden": 8})
    deaf = Chain(opened, engine="onnx", choice=Choice(judges=(read_model(other),)))
    with pytest.raises(ArtifactError, match=r"aligner.h5: knows other symbols than"):
        deaf.check(Style())


def test_the_embedded_voice_speaks_where_there_is_no_torch(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    words = ["say", "Hello.", "--engine", "onnx", "--json", "-o", tmp_path / "a.wav"]
    command = [sys.executable, "-c", WITHOUT_TORCH, *words]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["seconds"] > 0.3
    assert not (tmp_path / "cache").exists()  # its graphs come with it, and nothing is counted


def test_a_voice_is_converted_once_and_sounds_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    opened = voice.read(write_voice(tmp_path))  # plain, glow, istft
    style = Style(noise_scale=0.7, seed=3)
    audio = spoken(opened, "onnx", style)
    assert "converting it for onnxruntime, once" in capsys.readouterr().err
    expected = spoken(opened, "torch", style)
    assert np.abs(audio - expected).max() < 1e-3
    monkeypatch.setattr(conversion, "converted", None)
    np.testing.assert_array_equal(spoken(opened, "onnx", style), audio)


def test_without_onnxruntime_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(TtskitError, match=r"needs the extra onnx: pip install 'ttskit\[onnx\]'"):
        run("say", "hi", "--engine", "onnx", "-o", tmp_path / "a.wav")


def test_what_the_engine_cannot_do_is_refused(tmp_path):
    words = ("say", "hi", "--engine", "onnx", "-o", tmp_path / "a.wav")
    with pytest.raises(TtskitError, match="onnx runs on the cpu alone"):
        run(*words, "--device", "cuda")
    with pytest.raises(TtskitError, match="follows no style"):
        run(*words, "--style", tmp_path / "b.wav")
