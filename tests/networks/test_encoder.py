import math

import pytest
import torch

from ttskit.networks.encoder import REACHES, EncoderConfig, TextEncoder, ends


def test_ends_are_distances_from_the_first_and_the_last_token():
    lengths = [4, 7]
    mask = torch.stack([torch.arange(7) < length for length in lengths]).float()
    near = ends(mask)
    assert near.shape == (2, 2 * len(REACHES) + 1, 7)
    for row, length in enumerate(lengths):
        for place in range(length):
            distances = place, length - 1 - place
            expected = [math.exp(-away / reach) for away in distances for reach in REACHES]
            assert near[row, :, place].tolist() == pytest.approx([*expected, place / length])
        assert not near[row, :, length:].any()


@pytest.mark.parametrize("told", [False, True])
def test_only_an_encoder_that_is_told_the_ends_tells_equal_tokens_far_apart_from_each_other(told):
    torch.manual_seed(0)
    config = EncoderConfig(hidden=8, filter=8, layers=0, prenet_layers=1, ends=told)
    encoder = TextEncoder(config, 3).eval()
    torch.nn.init.normal_(encoder.joined.weight)
    tokens = torch.ones(1, 40, dtype=torch.long)
    states = encoder(tokens, torch.ones(1, 40, dtype=torch.bool))[0]
    assert torch.allclose(states[:, 10], states[:, 29], atol=1e-5) != told
