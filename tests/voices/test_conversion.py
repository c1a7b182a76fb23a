"""Models as ONNX: onnxruntime says the same as torch, at several lengths."""

import re
import sys
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
import pytest
import torch

from tests.factory import PROVENANCE, run
from tests.models.tiny_models import TINY
from tests.tiny import facts
from ttskit.dsp.rounding import rounded
from ttskit.errors import TtskitError
from ttskit.models import find
from ttskit.models.source import Source
from ttskit.networks.batch import collate
from ttskit.settings import changed, to_toml
from ttskit.speaking.acoustics import Manner
from ttskit.speaking.chain import Chain
from ttskit.voices import conversion, speak
from ttskit.voices.model import read_model, write_model
from ttskit.voices.voice import read

PHONEMES = "h ə l ˈoʊ # ð ˈɛ ɹ ."


def tiny(folder, family, speakers=("",), **settings):
    """Write a tiny model with random weights, and read it."""
    torch.manual_seed(0)
    kind = find(family)
    config = changed(kind.Config(), {**TINY.get(family, {}), **settings}, "test")
    module = kind(config, facts(speakers=speakers))
    for weight in module.parameters():
        if weight.dim() > 1 and not weight.any():  # else what follows is not seen
            torch.nn.init.normal_(weight, 0, 0.1)
    path = folder / f"{family}.h5"
    write_model(path, module, module.kept(), to_toml(config, comments=False), PROVENANCE)
    return read_model(path)


def session(one):
    return onnxruntime.InferenceSession(one.proto.SerializeToString())


def spoken(tokens, frames, rng):
    """Fields of an utterance that models of tokens take."""
    return {
        "tokens": rng.integers(1, 80, tokens),
        "durations": np.diff(
            np.sort(rng.integers(0, frames, tokens - 1)), prepend=0, append=frames
        ),
        "pitch": rng.normal(0, 0.1, tokens).astype(np.float32),
        "loudness_token": rng.normal(0, 0.1, tokens).astype(np.float32),
    }


def batched(fields, names):
    """Inputs of a graph: a first axis of 1, but for the count of frames."""
    return {name: fields[name] if name == "frame" else fields[name][None] for name in names}


@pytest.mark.parametrize(
    ("family", "speakers"),
    [
        ("feedforward", ("a", "b", "c")),
        pytest.param("glow", ("a", "b"), marks=pytest.mark.slow),
        pytest.param("plain", ("",), marks=pytest.mark.slow),
        pytest.param("film", ("a", "b"), marks=pytest.mark.slow),
    ],
)
def test_models_of_tokens_say_the_same(tmp_path, family, speakers):
    model = tiny(tmp_path, family, speakers)
    one, rng = conversion.converted(model, whole=False), np.random.default_rng(0)
    graph, module = session(one), model.module()
    for tokens, frames in ((3, 6), (7, 62), (40, 300)):
        fields = spoken(tokens, frames, rng)
        fields["speaker_mix"] = rng.dirichlet(np.ones(len(speakers))).astype(np.float32)
        fields["noise"] = rng.normal(0, 1, (80, frames)).astype(np.float32)
        known = {name: value for name, value in fields.items() if name in model.takes}
        others = {"speaker": torch.zeros(1, dtype=torch.long)}
        others |= {name: torch.from_numpy(fields[name])[None] for name in ("speaker_mix", "noise")}
        with torch.no_grad():
            expected = module.generate(collate([""], [known]).with_fields(**others))
        fields["frame"] = np.arange(frames)
        outputs = graph.run(None, batched(fields, one.graph.inputs))
        for name, output in zip(one.graph.outputs, outputs, strict=True):
            np.testing.assert_allclose(output, expected[name].numpy(), atol=1e-3, err_msg=name)


@pytest.mark.parametrize(
    "family",
    [
        "istft",
        pytest.param("hifigan", marks=pytest.mark.slow),
        pytest.param("bigvgan", marks=pytest.mark.slow),
    ],
)
def test_vocoders_sound_the_same(tmp_path, family):
    sizes = {"rates": [8, 8, 4], "kernels": [16, 16, 8]} if family != "istft" else {}
    model = tiny(tmp_path, family, **sizes)
    graph, module = session(conversion.converted(model)), model.module()
    for frames in (3, 50, 141):
        mel = np.random.default_rng(frames).normal(-4, 2, (1, frames, 80)).astype(np.float32)
        with torch.no_grad():
            expected = module(torch.from_numpy(mel)).numpy()
        (audio,) = graph.run(None, {"mel": mel})
        assert audio.shape == (1, frames * 256)
        np.testing.assert_allclose(audio, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("known", "settings"),
    [
        (("f0", "voiced"), {"head": "softmax-db", "trunk": "mlp"}),
        pytest.param((), {"trunk": "gru", "reverb": 0.05}, marks=pytest.mark.slow),
    ],
)
def test_a_synthesiser_sounds_the_same(tmp_path, known, settings):
    model = tiny(tmp_path, "ddsp", **settings)
    one, module = conversion.converted(model, known=known), model.module()
    graph, hop = session(one), module.facts.hop_length
    for frames in (3, 50, 600):
        rng = np.random.default_rng(frames)
        fields = {
            "mel": rng.normal(-4, 2, (frames, 80)).astype(np.float32),
            "f0": rng.uniform(80, 400, frames).astype(np.float32),
            "voiced": rng.random(frames) < 0.7,
        }
        given = {name: fields[name] for name in ("mel", *known)}
        noise = torch.Generator().manual_seed(1)
        turns = torch.rand(frames * hop, generator=torch.Generator().manual_seed(1))
        given["turns"] = np.pad(turns.numpy().reshape(frames, hop), ((0, 0), (0, 513 - hop)))
        frames_of = {name: torch.from_numpy(fields[name]) for name in ("mel", *known)}
        expected = torch.cat([*module.stream(frames_of, noise)]).numpy()
        (audio,) = graph.run(None, {name: given[name][None] for name in one.graph.inputs})
        np.testing.assert_allclose(audio[0], expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"smoothing": {"mode": "onepole"}}, "smoothed by a recursion"),
        ({"trunk": "micro-rnn"}, "micro-rnn is converted for one length alone"),
        ({"inputs": ["mel", "loudness"], "guess": {"channels": 0}}, "no graph takes loudness"),
    ],
)
def test_a_synthesiser_that_cannot_be_converted_says_why(tmp_path, settings, why):
    with pytest.raises(TtskitError, match=f"the family ddsp cannot be converted to ONNX: .*{why}"):
        conversion.converted(tiny(tmp_path, "ddsp", **settings))


@pytest.mark.parametrize("seed", range(8))
def test_a_graph_rounds_durations_as_dsp_does(seed):
    rng = np.random.default_rng(seed)
    durations, silent = rng.exponential(2, 20), rng.random(20) < 0.4
    least = torch.from_numpy(1.0 - silent)
    found = conversion.rounded(torch.from_numpy(durations), least)
    np.testing.assert_array_equal(found.numpy(), rounded(durations, silent))


def test_what_cannot_be_converted_says_why(tmp_path):
    for family, why in (("diffusion", "number of its steps"), ("ddn", "draws its choices")):
        model = tiny(tmp_path, family)
        with pytest.raises(TtskitError, match=f"{family} cannot be converted to ONNX: .*{why}"):
            conversion.converted(model)


def test_an_exported_voice_speaks_without_ttskit(tmp_path):
    models = [tiny(tmp_path, family).container.path for family in ("plain", "feedforward")]
    (tmp_path / "card.md").write_text("# Nobody\n")
    path = tmp_path / "voice.h5"
    card = "--card", tmp_path / "card.md"
    run("voice", "pack", *models, "source", "-o", path, *card, "--pitch-range", 3)
    run("export", path, "--format", "onnx", "-o", tmp_path / "o")
    voice = read(path)
    audio, rate = speak.speak(tmp_path / "o", PHONEMES)
    chain = Chain(voice)
    tokens = [voice.reader.facts.symbols.index(one) for one in PHONEMES.split()]
    known = {"tokens": np.array([1, *tokens, 2])}
    fields = chain.cascade.run("a", known, Manner(pitch_range=3), 0, "mel")
    vocoder = cast(Source, chain.cascade.steps[-1][1])
    knobs = {"rounds": 8, "momentum": 0.99}
    mel = torch.from_numpy(fields["mel"])
    rng = np.random.default_rng(0)
    rng.normal(size=mel.shape)  # for decoders that draw noise
    expected = vocoder.part(mel, rng, knobs).numpy()
    assert (len(audio), rate) == (len(expected), 22050)
    assert np.abs(audio - expected).max() < 1e-3 * np.abs(expected).max()


def test_the_script_is_short_and_needs_two_libraries():
    text = Path(speak.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert len(text.splitlines()) <= 64
    assert names - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}
