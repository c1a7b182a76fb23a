"""The decoder of discrete distribution networks: takes, guides, its terms."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.models.synthetic import SPEECH, short_and_long
from tests.models.tiny_models import CASES, build, needed, trained, updates
from ttskit.models.ddn import Ddn, stretched
from ttskit.networks.layers import until

PYRAMID = {"scale_4", "scale_2", "scale_1", "prior"}
EVERY = [case for case in CASES if case.startswith("ddn")]


@torch.no_grad()
def generated(model, batch, seed=0, **knobs):
    return model.generate(batch, torch.Generator().manual_seed(seed), **knobs)


@pytest.mark.parametrize("case", EVERY)
def test_a_take_gives_the_same_mel_again(case):
    model, batch = trained(case), short_and_long()
    first, other = (generated(model, batch, seed, noise_scale=1.0) for seed in (1, 2))
    again = generated(model, batch.with_fields(take=first["take"]), seed=2)
    assert torch.equal(again["mel"], first["mel"])
    assert torch.equal(again["take"], first["take"])
    assert not torch.equal(first["take"], other["take"])


def test_a_take_has_a_number_for_each_position_of_each_scale():
    model, batch = trained("ddn"), short_and_long()
    take = generated(model, batch, noise_scale=0.5)["take"]
    for row, frames in enumerate(batch.lengths["frame"].tolist()):
        own = 1 + sum(math.ceil(frames / scale) for scale in (4, 2, 1))
        assert not take[row, own:].any()
    longest = int(batch.lengths["frame"].max())
    assert take.shape[1] == 1 + sum(math.ceil(longest / scale) for scale in (4, 2, 1))
    assert take[:, 0].tolist() == [50, 50]
    assert take[:, 1:].max() < 4


def test_a_take_of_a_padded_utterance_is_that_of_it_alone():
    model, batch = trained("ddn"), short_and_long()
    take = generated(model, batch, noise_scale=0.0)["take"]
    alone = generated(model, batch.only(0), noise_scale=0.0)["take"]
    assert torch.equal(take[0, : alone.shape[1]], alone[0])
    again = generated(model, batch.only(0).with_fields(take=alone))["mel"]
    padded = generated(model, batch.with_fields(take=take))["mel"]
    torch.testing.assert_close(padded[:1, : again.shape[1]], again, rtol=1e-3, atol=1e-4)


def test_the_noise_scale_draws_takes_together():
    model, batch = trained("ddn"), short_and_long()
    between = []
    for scale in (0.0, 0.5, 1.0):
        one, other = (generated(model, batch, seed, noise_scale=scale)["mel"] for seed in (1, 2))
        between.append(float((one - other).abs().mean()))
    assert between[0] == 0 < between[1] < between[2]


def test_guided_choices_are_nearer_to_a_recording_than_drawn_ones():
    model, batch = trained("ddn"), short_and_long()
    real = until(batch.lengths["frame"], batch["mel"].shape[1])
    guided = generated(model, batch.with_fields(guide=batch["mel"], guided=real))["mel"]
    drawn = generated(model, batch, temperature=math.inf)["mel"]
    away = [float(batch.mean((mel - batch["mel"]).abs(), "frame")) for mel in (guided, drawn)]
    assert away[0] < away[1]


def loudness_of(model, mel):
    return 10 * ((2 * mel).exp() @ model.loudness).log10()


def test_a_loudness_curve_is_come_nearer_to_than_by_chance():
    model, batch = trained("ddn"), short_and_long().only(0)
    frames = int(batch.lengths["frame"][0])
    expected = loudness_of(model, generated(model, batch, noise_scale=0.0)["mel"])
    wave = expected + 6 * torch.linspace(0, 12, frames).sin()
    lengths = {**batch.lengths, "curve": torch.tensor([frames])}
    curved = replace(batch.with_fields(curve=wave), lengths=lengths)
    for share in (0.5, 1.0):
        made, *drawn = (
            generated(model, one, seed, noise_scale=share)
            for one, seed in ((curved, 0), (batch, 1), (batch, 2), (batch, 3))
        )
        away, *others = (
            float((loudness_of(model, one["mel"]) - wave).abs().mean()) for one in (made, *drawn)
        )
        assert away < min(others)
        again = generated(model, batch.with_fields(take=made["take"]))
        assert torch.equal(again["mel"], made["mel"])


def test_a_curve_is_stretched_from_start_to_end():
    rng = np.random.default_rng(0)
    values = [rng.normal(size=size).astype(np.float32) for size in (9, 4)]
    padded = torch.zeros(2, 9)
    for row, value in zip(padded, values, strict=True):
        row[: len(value)] = torch.from_numpy(value)
    frames = torch.tensor([5, 11])
    made = stretched(padded, torch.tensor([9, 4]), until(frames, 11))
    for row, value, count in zip(made.numpy(), values, frames.tolist(), strict=True):
        centres = (np.arange(count) + 0.5) / count * len(value) - 0.5
        expected = np.interp(centres, np.arange(len(value)), value)
        np.testing.assert_allclose(row[:count], expected, atol=1e-5)


def test_without_a_coarse_mel_the_pyramid_teaches_the_layers_before_it():
    for case, expected in (("ddn", False), (EVERY[1], True)):
        model = trained(case).train()
        terms = model.loss(needed(model), 1.0)
        model.zero_grad()
        terms["scale_1"].backward()
        taught = model.generator.encoder.embedding.weight.grad
        assert (taught is not None and bool(taught.any())) == expected
        assert ("coarse" in terms) != expected


@pytest.mark.parametrize(
    ("settings", "early"),
    [
        ({"refine_from": 0.5}, {"contour", "voicing", "coarse"}),
        ({"refine_from": 0.5, "refine_only": True}, PYRAMID),
        ({"refine_from": 0.5, "coarse": False}, {"contour", "voicing", *PYRAMID}),
        ({}, {"contour", "voicing", "coarse", *PYRAMID}),
    ],
)
def test_in_the_first_share_of_a_training_the_coarse_mel_is_trained_alone(settings, early):
    model = Ddn(replace(build("ddn").config, **settings), SPEECH).train()
    batch = needed(model)
    assert model.loss(batch, 0.49).keys() == early
    assert model.loss(batch, 0.5).keys() == early | PYRAMID


def test_a_pyramid_that_begins_late_is_trained_from_then_on_and_has_no_dead_candidates_before():
    model = Ddn(replace(build("ddn").config, refine_from=0.5), SPEECH).train()
    before = model.pyramid.state_dict()["first.weight"].clone()
    for progress, expected in ((0.0, False), (1.0, True)):
        for _ in updates(model, [needed(model)], 3, 1e-2, progress=progress):
            assert not model.copies(progress) or expected
        assert torch.equal(model.pyramid.first.weight, before) != expected
    assert {head.candidates.dead() for head in build("ddn").pyramid.heads()} == {0}


def test_the_mel_after_the_last_choice_is_the_one_that_is_made():
    model, batch = trained("ddn"), short_and_long()
    made = generated(model, batch)
    levels = model.levels(batch.with_fields(take=made["take"]))
    assert [scale for scale, _ in levels] == [4, 2, 1]
    torch.testing.assert_close(levels[-1][1] * (made["mel"] != 0), made["mel"])


@pytest.mark.parametrize(("case", "expected"), [(EVERY[0], 7 / 4), (EVERY[2], 7 / 8 + 1)])
def test_bits_are_those_of_all_choices(case, expected):
    """Of two bits each: in the third case there is one for two positions, and a refiner."""
    batch = short_and_long()
    numbers, _ = trained(case).watch(batch)
    a_second = SPEECH.sample_rate / SPEECH.hop_length
    assert numbers["bits_per_second"] == pytest.approx(2 * a_second * expected, rel=0.1)
    assert 0 <= numbers["entropy_per_second"] <= numbers["bits_per_second"]


def test_the_levels_are_drawn_from_coarse_to_fine():
    batch = short_and_long()
    _, pictures = trained("ddn").watch(batch)
    fine, *coarser = pictures["levels"].values.reshape(3, SPEECH.n_mels, -1)
    assert fine.shape[1] == batch.lengths["frame"][0]
    for mel, scale in zip(coarser, (2, 4), strict=True):
        for start in range(0, mel.shape[1], scale):
            together = mel[:, start : start + scale]
            assert (together == together[:, :1]).all()
