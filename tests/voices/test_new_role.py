"""A role that ttskit does not know joins chains: one file, one registry line, one field's row."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.factory import PROVENANCE
from tests.tiny import CARD, facts, write_model
from ttskit import models
from ttskit.models.plain import Plain
from ttskit.networks import fields
from ttskit.networks.fields import Field
from ttskit.voices.model import write_model as write

ROOT = Path(__file__).parents[2]
SCRIBE = '''
from dataclasses import dataclass
import torch
from ttskit.models.family import Family

class Scribe(Family):
    """Two codes a frame: the symbol, and twice as much."""
    role = "scribe"

    @dataclass(frozen=True)
    class Config:
        pass

    takes = classmethod(lambda cls, config: ("tokens", "durations"))
    makes = classmethod(lambda cls, config: ("codes",))
    needs = classmethod(lambda cls, config: ("tokens", "durations"))

    def generate(self, batch, generator=None, **knobs):
        symbols = torch.repeat_interleave(batch["tokens"][0], batch["durations"][0].long())
        return {"codes": torch.stack([symbols, 2 * symbols], 1)[None]}
'''
CODEC = '''
from dataclasses import dataclass
from ttskit.models.family import Family

class Codec(Family):
    """A loud band for each code."""
    role = "codec"

    @dataclass(frozen=True)
    class Config:
        pass

    takes = classmethod(lambda cls, config: ("codes",))
    makes = classmethod(lambda cls, config: ("mel",))
    needs = classmethod(lambda cls, config: ())

    def generate(self, batch, generator=None, **knobs):
        codes = batch["codes"].long()
        mel = codes.new_full((*codes.shape[:2], self.facts.n_mels), -9).float()
        return {"mel": mel.scatter(2, codes % self.facts.n_mels, -2.0)}
'''
REGISTER = """
from ttskit import models
from ttskit.networks import fields
models.__path__.append({folder!r})
models.FAMILIES |= {{"scribe": {{"scribe": "Scribe"}}, "codec": {{"codec": "Codec"}}}}
fields.FIELDS["codes"] = fields.Field("frame", (), "a pair of codes", "a scribe")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A duration model, a scribe and a codec on disk; Python finds their families."""
    (tmp_path / "scribe.py").write_text(SCRIBE)
    (tmp_path / "codec.py").write_text(CODEC)
    (tmp_path / "sitecustomize.py").write_text(REGISTER.format(folder=str(tmp_path)))
    (tmp_path / "card.md").write_text(CARD)
    (tmp_path / "texts.tsv").write_text("a\tHello there.\nb\tFive gold rings.\n")
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    monkeypatch.setitem(models.FAMILIES, "scribe", {"scribe": "Scribe"})
    monkeypatch.setitem(models.FAMILIES, "codec", {"codec": "Codec"})
    monkeypatch.setitem(fields.FIELDS, "codes", Field("frame", (), "a pair of codes", "a scribe"))
    write_model(tmp_path / "duration.h5", Plain, facts())
    for name in ("scribe", "codec"):
        family = models.find(name)
        module = family(family.Config(), facts() if name == "scribe" else facts(table=()))
        write(tmp_path / f"{name}.h5", module, {}, "", PROVENANCE)
    return tmp_path


def ttskit(folder, *words):
    """Run the command line in a process that knows the new families."""
    settings = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "ttskit", *words]
    return subprocess.run(
        call, capture_output=True, text=True, cwd=folder, env=settings, check=False, timeout=120
    )


MODELS = ("codec.h5", "griffinlim", "scribe.h5", "duration.h5")  # in no order


def test_a_new_role_is_packed_and_speaks(folder):
    packed = ttskit(folder, "voice", "pack", *MODELS, "-o", "voice.h5", "--card", "card.md")
    assert packed.returncode == 0, packed.stderr
    said = ttskit(folder, "say", "Hello there.", "--voice", "voice.h5", "-o", "out.wav", "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["words"] == 2
    shown = json.loads(ttskit(folder, "voice", "info", "voice.h5", "--json").stdout)
    assert [*shown["models"]] == ["duration", "scribe", "codec", "vocoder"]


def test_a_new_role_is_compared(folder):
    words = ("--measures", "rtf", "-o", "out", "--json", "-j", "1")
    compared = ttskit(folder, "compare", "texts.tsv", *MODELS, *words)
    assert compared.returncode == 0, compared.stderr
    (name,) = json.loads(compared.stdout)["systems"]
    assert name == "scribe+codec+griffinlim"


def test_a_new_role_decodes(folder):
    words = ("--duration", "duration.h5", "--model", "scribe.h5", "--model", "codec.h5")
    decoded = ttskit(folder, "decode", "texts.tsv", *words, "-o", "mels.h5", "-j", "1")
    assert decoded.returncode == 0, decoded.stderr
    assert json.loads(ttskit(folder, "info", "mels.h5", "--json").stdout)["utterances"] == 2


def test_what_a_new_role_lacks_is_said_in_the_words_of_its_field(folder):
    models = [name for name in MODELS if name != "scribe.h5"]
    packed = ttskit(folder, "voice", "pack", *models, "-o", "v.h5", "--card", "card.md")
    assert packed.returncode == 1
    assert packed.stderr.splitlines() == [
        "ttskit: nothing here makes codes, which codec.h5 takes: add a scribe; there is "
        "codec.h5 (codec), duration.h5 (duration), griffinlim (vocoder)"
    ]


def test_the_codes_of_every_frame_reach_the_codec(folder):
    from ttskit.speaking.acoustics import Cascade, Manner
    from ttskit.voices.model import read_model

    chain = [read_model(folder / f"{name}.h5") for name in ("scribe", "codec")]
    known = {"tokens": torch.tensor([5, 7]).numpy(), "durations": torch.tensor([2, 1]).numpy()}
    fields = Cascade(chain, "mel", known).run("a", known, Manner(), 0)
    assert fields["codes"].tolist() == [[5, 10], [5, 10], [7, 14]]
    assert [set(row.nonzero()[0]) for row in fields["mel"] > -5] == [{5, 10}, {5, 10}, {7, 14}]
