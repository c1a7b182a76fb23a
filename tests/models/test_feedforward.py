"""The decoder of one pass: its pitch, and what its critics look at."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.models.synthetic import SPEECH, short_and_long, speech
from tests.models.tiny_models import build
from ttskit.models.frames import HIGHEST, LOWEST
from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build("feedforward").eval()


def with_middles(model, *hertz):
    model.generator.middle = torch.tensor(np.log2(hertz), dtype=torch.float32)
    return model.generator


def test_a_contour_is_in_octaves_from_the_median_of_the_speaker(model):
    batch = collate(["a", "b"], [speech(4, 0), speech(4, 1)])  # speakers 0 and 1
    contour = torch.tensor([[0.0, 1.0], [0.0, -0.5]])
    hertz = with_middles(model, 120.0, 200.0).hertz(batch, contour)
    torch.testing.assert_close(hertz, torch.tensor([[120.0, 240.0], [200.0, 200 / 2**0.5]]))


def test_a_mix_of_speakers_has_the_mean_of_their_medians_in_octaves(model):
    batch = short_and_long().with_fields(speaker_mix=torch.full((2, 2), 0.5))
    hertz = with_middles(model, 100.0, 400.0).hertz(batch, torch.zeros(2, 1))
    torch.testing.assert_close(hertz, torch.full((2, 1), 200.0))


@torch.no_grad()
def test_the_mel_follows_the_pitch_where_it_is_voiced(model):
    states = model.generator.states(short_and_long())
    low, high = (torch.full(states.mask[:, 0].shape, hertz) for hertz in (100.0, 170.0))
    on, off = torch.ones_like(low), torch.zeros_like(low)
    assert not torch.allclose(
        model.generator.mel(states, low, on), model.generator.mel(states, high, on), atol=1e-3
    )
    torch.testing.assert_close(
        model.generator.mel(states, low, off), model.generator.mel(states, high, off)
    )


@torch.no_grad()
def test_a_pitch_beyond_the_patterns_is_the_nearest_of_them(model):
    states = model.generator.states(short_and_long())
    flat = torch.ones(states.mask[:, 0].shape)
    for wild, near in ((0.0, LOWEST), (1e6, HIGHEST)):
        wild_mel, near_mel = (
            model.generator.mel(states, flat * hertz, flat) for hertz in (wild, near)
        )
        torch.testing.assert_close(wild_mel, near_mel)


def test_critics_compare_the_same_frames_of_both_mels(model):
    model.prepare()
    batch = short_and_long()
    true = model.generator.scale(batch["mel"])
    for seed in range(20):
        torch.manual_seed(seed)
        recorded, copy = model._windows(batch, true + 1)
        assert recorded.shape == (2, 16, SPEECH.n_mels)
        for row, frames in enumerate(batch.lengths["frame"].tolist()):
            inside = recorded[row].abs().sum(1) > 0
            torch.testing.assert_close(copy[row][inside], recorded[row][inside] + 1)
            assert not copy[row][~inside].any()
            starts = [
                start
                for start in range(frames)
                if torch.equal(true[row, start : start + inside.sum()], recorded[row][inside])
            ]
            assert starts
            assert inside.sum() == min(16, frames)


def test_medians_of_the_training_data_are_kept_with_the_weights():
    statistics = {**SPEECH.statistics, "f0_middle": np.array([7.0, 8.0], np.float32)}
    facts: Facts = replace(SPEECH, statistics=statistics)
    model = build("feedforward")
    trained = type(model)(model.config, facts)
    assert trained.kept()["generator.middle"].tolist() == [7, 8]
