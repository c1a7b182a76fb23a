"""Small voices with random weights: they sound like nothing, but all that is counted is right."""

from __future__ import annotations

from typing import Any

import torch

from tests.factory import PROVENANCE, run
from ttskit.models.ddn import Ddn
from ttskit.models.ddsp import Ddsp
from ttskit.models.family import Family
from ttskit.models.glow import Glow
from ttskit.models.istft import Istft
from ttskit.models.plain import Plain
from ttskit.networks.facts import Facts
from ttskit.settings import changed, to_toml
from ttskit.text.symbols import SPECIAL, symbols
from ttskit.voices.model import write_model as write

ENCODER = {"hidden": 16, "filter": 16, "layers": 1, "prenet_layers": 1}
SMALL: dict[type[Family], dict[str, Any]] = {
    Plain: {"encoder": ENCODER, "predictor": {"hidden": 16}, "predict": ["pitch"]},
    Glow: {"encoder": ENCODER, "pitch": True, "flow": {"hidden": 8, "blocks": 1, "layers": 1}},
    Ddn: {
        "encoder": ENCODER,
        "hidden": 8,
        "layers": 1,
        "contour_hidden": 8,
        "contour_layers": 1,
        "pyramid": {"channels": 8, "layers": 1, "candidates": [8]},
    },
    Ddsp: {"channels": 8, "layers": 1, "harmonics": 8, "guess": {"channels": 8}},
    Istft: {"channels": 8, "hidden": 8, "layers": 1},
}
CARD = "# Nobody\n\nRandom weights; public domain; cannot be understood.\n"


def facts(table=None, speakers=("",), **grid):
    table = symbols("en-us") if table is None else table
    silent = tuple(symbol in SPECIAL for symbol in table)
    return Facts(symbols=tuple(table), silent=silent, speakers=speakers, **grid)


def write_model(path, family, known, **changes):
    """Write a model whose phonemes last five frames or so, and whose audio is not silent."""
    torch.manual_seed(0)
    config = changed(family.Config(), {**SMALL[family], **changes}, "test")
    module = family(config, known)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name == "values.bias":
                weight[0] = 1.8
            if family is Glow and weight.dim() > 1:
                weight.normal_(0, 0.1)
    write(path, module, module.kept(), to_toml(config, comments=False), PROVENANCE)
    return path


def write_voice(folder, *options, name="voice.h5", vocoder=None, known=None, decoder=Glow, **own):
    """Pack a voice of a plain duration model, a decoder and an istft vocoder."""
    known = facts() if known is None else known
    predict = ["pitch"] if decoder is Glow else ["pitch", "loudness"]
    models = [
        write_model(folder / "duration.h5", Plain, known, predict=predict),
        write_model(folder / "decoder.h5", decoder, known, **own),
        vocoder or write_model(folder / "vocoder.h5", Istft, known),
    ]
    (folder / "card.md").write_text(CARD)
    run("voice", "pack", *models, "-o", folder / name, "--card", folder / "card.md", *options)
    return folder / name
