"""The encoder of a recording."""

import numpy as np
import pytest
import scipy.fft
import torch

from ttskit.errors import SettingError
from ttskit.networks.timbre import Timbre, TimbreConfig, cepstra

BANDS = 20


def make(**settings):
    torch.manual_seed(0)
    return Timbre(TimbreConfig(cepstra=8, channels=12, size=5, **settings), BANDS)


def mels(frames=9):
    return torch.randn(2, frames, BANDS, generator=torch.Generator().manual_seed(0))


def everything(mel):
    return torch.ones(mel.shape[:2], dtype=torch.bool)


def test_cepstra_are_the_cosine_transform_of_bands():
    expected = scipy.fft.dct(mels().double().numpy(), norm="ortho")[..., :8]
    np.testing.assert_allclose(cepstra(mels(), 8), expected, atol=1e-5)


def test_padding_does_not_change_z():
    mel, lengths = mels(), torch.tensor([9, 4])
    mask = torch.arange(9) < lengths[:, None]
    for norm in ("instance", "none"):
        encoder = make(norm=norm)
        alone = encoder(mel[1:, :4], mask[1:, :4])
        assert alone.shape == (1, 4, 5)
        torch.testing.assert_close(encoder(mel, mask)[1:, :4], alone)


def test_what_a_whole_utterance_shares_is_left_out_if_each_is_normalised():
    tilt = torch.linspace(-1, 1, BANDS)
    for norm, same in (("instance", True), ("none", False)):
        before, after = (make(norm=norm)(x, everything(x)) for x in (mels(), 2 * mels() + tilt))
        assert torch.allclose(before, after, atol=1e-4) == same


def test_an_utterance_that_never_changes_stays_finite():
    still = torch.ones(1, 6, BANDS, requires_grad=True)
    z = make()(still, everything(still))
    z.sum().backward()
    assert z.isfinite().all()
    assert still.grad is not None
    assert still.grad.isfinite().all()


def test_more_cepstra_than_bands_are_refused():
    with pytest.raises(SettingError, match=r"timbre\.cepstra is 30, needs at most 20"):
        Timbre(TimbreConfig(), BANDS)
