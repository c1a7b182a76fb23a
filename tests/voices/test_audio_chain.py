"""An imported codec of audio ends a chain: from codes to audio, without a vocoder."""

import json

import numpy as np
import pytest
import soundfile

from tests.factory import PROVENANCE, run
from tests.tiny import CARD, facts, write_model
from tests.voices.test_audiocodec import HOP, KWARGS, checkpoint
from tests.voices.test_new_role import ttskit
from ttskit import models
from ttskit.models.plain import Plain
from ttskit.settings import to_toml
from ttskit.voices.audiocodec import dac
from ttskit.voices.model import read_model
from ttskit.voices.model import write_model as write

SCRIBE = '''
from dataclasses import dataclass
import torch
from ttskit.models.family import Family

class Scribe(Family):
    """Three codes a frame: of the symbol, and of the numbers after it."""
    role = "scribe"

    @dataclass(frozen=True)
    class Config:
        pass

    takes = classmethod(lambda cls, config: ("tokens", "durations"))
    makes = classmethod(lambda cls, config: ("codes",))
    needs = classmethod(lambda cls, config: ("tokens", "durations"))

    def generate(self, batch, generator=None, **knobs):
        symbols = torch.repeat_interleave(batch["tokens"][0], batch["durations"][0].long())
        return {"codes": torch.stack([(symbols + book) % 16 for book in range(3)], 1)[None]}
'''
REGISTER = """
from ttskit import models
models.__path__.append({folder!r})
models.FAMILIES["scribe"] = {{"tripler": "Scribe"}}
"""
MODELS = ("codec.h5", "scribe.h5", "duration.h5")  # in no order
CODES = {"sample_rate": KWARGS["sample_rate"], "hop_length": HOP}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A duration model, a model that makes codes, and a codec of audio, where commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tripler.py").write_text(SCRIBE)
    (tmp_path / "card.md").write_text(CARD)
    (tmp_path / "texts.tsv").write_text("a\tHello there.\nb\tFive gold rings.\n")
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    monkeypatch.setitem(models.FAMILIES, "scribe", {"tripler": "Scribe"})
    write_model(tmp_path / "duration.h5", Plain, facts(**CODES))
    family = models.find("tripler")
    write(tmp_path / "scribe.h5", family(family.Config(), facts(**CODES)), {}, "", PROVENANCE)
    codec = dac(checkpoint())
    config = to_toml(codec.config, comments=False)
    write(tmp_path / "codec.h5", codec, codec.kept(), config, PROVENANCE)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_chain_that_ends_in_a_codec_is_packed_and_speaks():
    run("voice", "pack", *MODELS, "-o", "voice.h5", "--card", "card.md")
    run("say", "Hello there.", "--voice", "voice.h5", "-o", "out.wav")
    audio, rate = soundfile.read("out.wav")
    assert rate == KWARGS["sample_rate"]
    assert np.abs(audio).max() > 0.01
    shown = json.loads(run("voice", "info", "voice.h5", "--json").stdout)
    assert [*shown["models"]] == ["duration", "scribe", "codec"]


def test_a_chain_that_ends_in_a_codec_is_compared(folder):
    (folder / "sitecustomize.py").write_text(REGISTER.format(folder=str(folder)))
    words = ("--measures", "rtf", "-o", "out", "--json", "-j", "1")
    compared = ttskit(folder, "compare", "texts.tsv", *MODELS, *words)
    assert compared.returncode == 0, compared.stderr
    assert [*json.loads(compared.stdout)["systems"]] == ["scribe+codec"]


def test_the_audio_of_a_chain_is_that_of_its_codes(folder):
    from ttskit.speaking.acoustics import Cascade, Manner

    known = {"tokens": np.array([5, 7]), "durations": np.array([20, 10])}
    chain = [read_model(folder / name) for name in ("scribe.h5", "codec.h5")]
    fields = Cascade(chain, "audio", known).run("a", known, Manner(), 0)
    assert fields["codes"].shape == (30, 3)
    assert len(fields["audio"]) == 30 * HOP
