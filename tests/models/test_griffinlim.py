import numpy as np
import pytest
import torch

from ttskit.dsp import rounds
from ttskit.dsp.mel import mel
from ttskit.dsp.rounds import cuts
from ttskit.errors import TrainingError
from ttskit.models.griffinlim import Griffinlim
from ttskit.models.vocoder import mel_settings
from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts

FACTS = Facts(sample_rate=8000, n_fft=256, hop_length=64, n_mels=20, fmax=4000.0)


def model():
    return Griffinlim(Griffinlim.Config(), FACTS)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_tone_is_heard_where_it_was_and_as_long():
    time = np.arange(100 * 64) / 8000
    tone = mel(np.sin(2 * np.pi * 1000 * time).astype(np.float32), mel_settings(FACTS))
    audio = model().generate(collate("ab", [{"mel": tone}, {"mel": tone[:50]}]), seeded())["audio"]
    assert audio.shape == (2, 100 * 64)
    assert torch.fft.rfft(audio[0]).abs().argmax() == pytest.approx(800, abs=20)
    assert not audio[1, 50 * 64 :].any()


def test_the_generator_decides():
    log_mel = torch.randn(30, 20)
    first, same, other = (
        torch.cat([*model().stream({"mel": log_mel}, seeded(s))]) for s in (0, 0, 1)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_long_mel_is_cut_in_its_pauses(monkeypatch):
    monkeypatch.setattr(rounds, "WHOLE", 40)
    log_mel = torch.zeros(100, 20)
    log_mel[33] = log_mel[67] = -5.0
    assert cuts(log_mel) == [33, 34, 33]
    assert [len(part) for part in model().stream({"mel": log_mel}, seeded())] == [
        33 * 64,
        34 * 64,
        33 * 64,
    ]
    assert cuts(log_mel[:40]) == [40]


def test_more_rounds_come_closer():
    log_mel = torch.from_numpy(
        mel(np.random.default_rng(0).normal(0, 0.1, 6400).astype(np.float32), mel_settings(FACTS))
    )

    def error(rounds):
        [audio] = model().stream({"mel": log_mel}, seeded(), rounds=rounds)
        return np.abs(mel(audio.numpy(), mel_settings(FACTS)) - log_mel.numpy()).mean()

    assert error(32.0) < 0.7 * error(1.0)


def test_it_cannot_be_trained():
    with pytest.raises(TrainingError, match="nothing to learn"):
        model().prepare()
