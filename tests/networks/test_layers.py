"""Shared layers, and the text encoder against its equations written out token by token."""

import pytest
import torch

from tests.models.synthetic import batch
from ttskit.errors import SettingError
from ttskit.models import find
from ttskit.networks.encoder import EncoderConfig, RelativeAttention, TextEncoder
from ttskit.networks.layers import likeliest, token_of_frame
from ttskit.settings import assigned


@pytest.mark.parametrize("window", [0, 2, 9])
def test_relative_attention_adds_keys_and_values_of_the_distance(window):
    torch.manual_seed(0)
    attention = RelativeAttention(6, 2, window, 0.0)
    x, mask = torch.randn(1, 6, 5), torch.ones(1, 1, 5)
    mask[..., 4:] = 0  # the last is padding
    query, key, value = (part.reshape(2, 3, 5) for part in attention.entry(x)[0].chunk(3))
    out = torch.zeros(2, 3, 4)
    for head in range(2):
        for i in range(4):
            near = [j - i + window if abs(j - i) <= window else None for j in range(4)]
            keys = [0 if r is None else attention.keys[r] for r in near]
            values = [0 if r is None else attention.values[r] for r in near]
            weights = torch.stack(
                [query[head, :, i] @ (key[head, :, j] + keys[j]) / 3**0.5 for j in range(4)]
            ).softmax(0)
            out[head, :, i] = sum(weights[j] * (value[head, :, j] + values[j]) for j in range(4))
    expected = attention.output(out.reshape(1, 6, 4))
    assert torch.allclose(attention(x, mask)[..., :4], expected, atol=1e-5)


def test_the_encoder_ignores_padding_and_returns_0_there():
    torch.manual_seed(0)
    encoder = TextEncoder(EncoderConfig(hidden=8, filter=8, layers=2), 5).eval()
    torch.nn.init.normal_(encoder.joined.weight)
    tokens = torch.tensor([[1, 2, 3, 4], [2, 1, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]).bool()
    states = encoder(tokens, mask)
    assert torch.allclose(states[1:, :, :2], encoder(tokens[1:, :2], mask[1:, :2]), atol=1e-5)
    assert not states[1, :, 2:].any()


def test_token_of_frame_follows_the_durations():
    durations, tokens = torch.tensor([[2, 0, 1, 0], [1, 3, 0, 0]]), torch.tensor([4, 2])
    assert token_of_frame(durations, tokens, 5).tolist() == [[0, 0, 2, 3, 3], [0, 1, 1, 1, 1]]


def test_an_alignment_search_keeps_the_number_of_threads_of_torch():
    """The first parallel kernel of numba in a process sets the threads of torch too."""
    two = batch(150, 150)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        frames = torch.tensor([400, 390])
        durations = likeliest(torch.zeros(2, 400, 150), two, frames, torch.zeros(12).bool())
        assert torch.get_num_threads() == 1
        assert torch.equal(durations.sum(1), frames)
    finally:
        torch.set_num_threads(threads)


def test_heads_must_divide_the_channels_of_the_encoder():
    with pytest.raises(SettingError, match="hidden is 9, needs a multiple of heads, 2"):
        EncoderConfig(hidden=9)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("attention", "context"),
        ("attention", "frame_kernel"),
        ("plain", "predictor.kernel"),
        ("film", "encoder.kernel"),
        ("plain", "encoder.prenet_kernel"),
        ("glow", "flow.kernel"),
        ("istft", "kernel"),
        ("ddsp", "guess.kernel"),
    ],
)
def test_an_even_kernel_is_refused(family, name):
    with pytest.raises(SettingError, match="is 4, needs an odd number"):
        assigned(find(family).Config(), f"{name}=4")
