import pytest
import torch

from ttskit.dsp import stft
from ttskit.models.istft import Istft
from ttskit.networks.facts import Facts


class KnownSpectrum(torch.nn.Module):
    """Returns the log-magnitudes and phases of a known sound in place of the head."""

    def __init__(self, audio):
        super().__init__()
        spectrum = stft.spectrum(audio, 1024, 256)
        self.truth = torch.cat([spectrum.abs().clamp(min=1e-9).log(), spectrum.angle()], -1)

    def forward(self, x):  # noqa: ARG002
        return self.truth


def test_the_true_spectrum_gives_the_true_audio():
    model = Istft(Istft.Config(channels=8, hidden=8, layers=1), Facts())
    audio = torch.rand(1, 256 * 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    model.generator.head = KnownSpectrum(audio)
    torch.testing.assert_close(model(torch.zeros(1, 30, 80)), audio, atol=1e-5, rtol=0)


def test_a_frame_sounds_at_its_own_time():
    """Audio changes around the centre of the one frame of mel that changes."""
    torch.manual_seed(0)
    model = Istft(Istft.Config(channels=8, hidden=8, layers=1, kernel=1), Facts())
    mel = torch.zeros(1, 40, 80)
    mel[0, 17] = 5.0
    change = (model(mel) - model(torch.zeros(1, 40, 80)))[0].square()
    centre = (change * torch.arange(len(change))).sum() / change.sum()
    assert abs(centre - 17.5 * 256) < 128


def test_the_default_has_3_2_million_weights():
    weights = sum(p.numel() for p in Istft(Istft.Config(), Facts()).parameters())
    assert weights == pytest.approx(3.2e6, rel=0.02)


def test_no_bin_exceeds_what_audio_within_full_scale_can_have():
    model = Istft(Istft.Config(channels=8, hidden=8, layers=1), Facts())
    bias = model.generator.get_parameter("head.bias")
    torch.nn.init.constant_(bias, 30.0)
    assert model(torch.zeros(1, 30, 80)).abs().max() < 1000
