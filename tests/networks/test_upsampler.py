"""Generators that upsample."""

import pytest
import torch

from ttskit.models.bigvgan import Bigvgan
from ttskit.models.hifigan import Hifigan
from ttskit.networks.facts import Facts


@pytest.mark.parametrize("family", [Hifigan, Bigvgan])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_generator_is_audible_before_it_is_trained(family, seed):
    """Weights of deviation 0.01 make it 40 dB quieter: the first updates only raise its level."""
    torch.manual_seed(seed)
    model = family(family.Config(channels=64), Facts())
    with torch.no_grad():
        audio = model.generator(torch.randn(1, model.facts.n_mels, 20))
    assert 0.003 < audio.std() < 0.3
