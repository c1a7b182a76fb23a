"""Building a model without random initialisation."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.models.tiny_models import ENCODER, make
from ttskit.models.plain import Plain
from ttskit.networks.uninitialised import Uninitialised
from ttskit.settings import to_toml
from ttskit.voices.model import read_model, write_model

LAYERS = {
    "linear": lambda: nn.Linear(64, 64),
    "conv": lambda: nn.Conv1d(16, 64, 3),
    "embedding": lambda: nn.Embedding(64, 64),
    "truncated": lambda: nn.init.trunc_normal_(torch.full((64, 64), 5.0)),  # draws until it is in
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_layers_use_no_random_numbers_inside_the_context(layer):
    before = torch.get_rng_state()
    with Uninitialised():
        layer()
    assert torch.equal(torch.get_rng_state(), before)
    layer()
    assert not torch.equal(torch.get_rng_state(), before)


def test_a_model_has_exactly_the_weights_of_its_file(tmp_path):
    torch.manual_seed(0)
    model = make(Plain, {"encoder": ENCODER})
    path, provenance = tmp_path / "model.h5", {"stage": "test", "options": {}, "inputs": []}
    write_model(path, model, model.kept(), to_toml(model.config), provenance)
    read = read_model(path).module().state_dict()
    assert read.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(read[name], value, name)
