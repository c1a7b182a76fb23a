from typing import Any

import pytest
import torch

from ttskit.networks.batch import Batch
from ttskit.networks.critics import AudioAdversary, Critics
from ttskit.networks.spectral import distances

SMALL: dict[str, Any] = {"periods": (2, 5), "n_fft": (128,), "channels": 4}


def of_audio(**settings):
    adversary = AudioAdversary(**SMALL, **settings)
    return Critics(adversary, adversary.critics())


def of(audio):
    return Batch(("a", "b"), {"audio": audio}, {"sample": torch.tensor([audio.shape[1]] * 2)})


@pytest.fixture(params=["squares", "hinge"])
def critics(request):
    torch.manual_seed(0)
    return of_audio(kind=request.param)


def tone():
    return torch.sin(torch.arange(2001) * 0.3).repeat(2, 1)


def test_critics_learn_to_tell_a_tone_from_noise(critics):
    optimizer = torch.optim.Adam(critics.parameters(), 3e-3)
    for _ in range(60):
        loss = sum(critics.loss(of(tone()), tone(), torch.randn(2, 2001)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.2
    fooled = critics.verdict(of(tone()), tone(), tone())["adversarial"]
    caught = critics.verdict(of(tone()), tone(), torch.randn(2, 2001))["adversarial"]
    assert fooled < 0.2 < 0.5 < caught


def test_losses_are_those_of_the_papers():
    """For a critic whose scores are constant."""

    class Fixed(Critics):
        def forward(self, audio):
            score = torch.full((2, 3), 0.5 if audio is true["audio"] else -0.25)
            return [[torch.ones(2, 4), score]]

    true = of(torch.zeros(2, 500))
    squares, hinge = (Fixed(AudioAdversary(kind=kind), []) for kind in ("squares", "hinge"))
    # Between 0 and 1 the scores are 0.75 and 0.375.
    losses = squares.loss(true, true["audio"], torch.zeros(2, 500))
    assert {name: round(value.item(), 6) for name, value in losses.items()} == {
        "real": 0.0625,
        "copy": 0.140625,
    }
    losses = hinge.loss(true, true["audio"], torch.zeros(2, 500))
    assert {name: value.item() for name, value in losses.items()} == {"real": 0.5, "copy": 0.75}
    losses = hinge.verdict(true, true["audio"], torch.zeros(2, 500))
    assert {name: value.item() for name, value in losses.items()} == {
        "adversarial": 1.25,
        "features": 0.0,
    }


def test_features_of_the_same_audio_have_distance_0(critics):
    assert critics.verdict(of(tone()), tone(), tone())["features"] == 0
    assert critics.verdict(of(tone()), tone(), tone() * 0.9)["features"] > 0


def test_a_period_critic_reads_samples_a_period_apart():
    """A click changes the outputs of its own column only."""
    critic = of_audio().critics[1]
    audio = torch.zeros(1, 500)
    before = [seen.clone() for seen in critic(audio)]
    audio[0, 203] = 1.0
    for seen, silent in zip(critic(audio), before, strict=True):
        assert (seen != silent).any(1).any(1)[0].nonzero().tolist() == [[3]]


def test_the_spectral_distance_is_0_only_for_equal_audio():
    for distance in distances(tone(), tone(), (128, 256)):
        assert distance.tolist() == [0, 0]
    linear, log = distances(0.5 * tone(), tone(), (128,))
    torch.testing.assert_close(linear, torch.full((2,), 0.5), atol=1e-3, rtol=0)
    assert (log > 0).all()


def test_gradients_at_silence_are_bounded():
    audio = torch.zeros(1, 2048, requires_grad=True)
    linear, log = distances(audio + 1e-4, torch.zeros(1, 2048), (128,))
    (linear.sum() + log.sum()).backward()
    assert audio.grad is not None
    assert audio.grad.abs().max() < 10
