import pytest
import torch

from ttskit.dsp import stft
from ttskit.models.istft import Istft
from ttskit.networks.facts import Facts


class Told(torch.nn.Module):
    """In the place of the head: the magnitudes and phases of a known sound."""

    def __init__(self, audio):
        super().__init__()
        spectrum = stft.spectrum(audio, 1024, 256)
        self.truth = torch.cat([spectrum.abs().clamp(min=1e-9).log(), spectrum.angle()], -1)

    def forward(self, x):  # noqa: ARG002
        return self.truth


def test_true_magnitude_and_phase_make_the_true_sound():
    model = Istft(Istft.Config(channels=8, hidden=8, layers=1), Facts())
    audio = torch.rand(1, 256 * 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    model.generator.head = Told(audio)
    torch.testing.assert_close(model(torch.zeros(1, 30, 80)), audio, atol=1e-5, rtol=0)


def test_sound_comes_at_the_time_of_its_frame():
    """A head that is loud in one frame of mel alone: the sound is centred there."""
    torch.manual_seed(0)
    model = Istft(Istft.Config(channels=8, hidden=8, layers=1, kernel=1), Facts())
    mel = torch.zeros(1, 40, 80)
    mel[0, 17] = 5.0
    change = (model(mel) - model(torch.zeros(1, 40, 80)))[0].square()
    centre = (change * torch.arange(len(change))).sum() / change.sum()
    assert abs(centre - 17.5 * 256) < 128


def test_the_tiny_preset_is_as_small_as_it_is_said_to_be():
    weights = sum(p.numel() for p in Istft(Istft.Config(), Facts()).parameters())
    assert weights == pytest.approx(3.2e6, rel=0.02)
