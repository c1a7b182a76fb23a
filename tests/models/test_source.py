"""The vocoder without weights that knows of pitch."""

import numpy as np
import pytest
import torch

from ttskit.dsp import rounds, speechlike
from ttskit.dsp.mel import mel
from ttskit.errors import TrainingError
from ttskit.models import find
from ttskit.models.source import Source
from ttskit.models.vocoder import mel_settings
from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts

FACTS = Facts()


def model():
    return find("source", "vocoder")(Source.Config(), FACTS)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def log_mel():
    rng = np.random.default_rng(3)
    audio = speechlike.synthesise(speechlike.sounds("salvi noma", rng), rng, 22050)[0]
    return torch.from_numpy(mel(audio, mel_settings(FACTS)))


def heard(log_mel, seed=0, **knobs):
    return torch.cat([*model().stream({"mel": log_mel}, seeded(seed), **knobs)])


def test_it_has_no_weights_and_needs_a_mel_alone():
    assert not model().kept()
    assert not model().lacks(("mel",))
    with pytest.raises(TrainingError, match="source has nothing to learn"):
        model().prepare()


def test_an_utterance_has_its_samples_and_silence_behind(log_mel):
    half = log_mel[: len(log_mel) // 2]
    batch = collate("ab", [{"mel": log_mel.numpy()}, {"mel": half.numpy()}])
    audio = model().generate(batch, seeded())["audio"]
    assert audio.shape == (2, len(log_mel) * 256)
    assert audio[1].any()
    assert not audio[1, len(half) * 256 :].any()


def test_the_generator_decides(log_mel):
    assert torch.equal(heard(log_mel), heard(log_mel))
    assert not torch.equal(heard(log_mel), heard(log_mel, seed=1))


def test_more_rounds_come_closer_to_the_mel(log_mel):
    def error(rounds):
        audio = heard(log_mel, rounds=rounds).numpy()
        return np.abs(mel(audio, mel_settings(FACTS)) - log_mel.numpy()).mean()

    assert error(8.0) < 0.8 * error(0.0)


def test_long_mel_is_made_in_parts(monkeypatch, log_mel):
    monkeypatch.setattr(rounds, "WHOLE", 40)
    parts = [*model().stream({"mel": log_mel}, seeded(), rounds=0.0)]
    assert len(parts) > 1
    assert sum(map(len, parts)) == len(log_mel) * 256
