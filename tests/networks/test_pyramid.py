"""The pyramid: means that ignore padding, scales of any length, takes."""

from dataclasses import replace

import pytest
import torch

from ttskit.errors import SettingError
from ttskit.networks.candidates import nearness
from ttskit.networks.choosing import Drawn, Given, Guided, Nearest
from ttskit.networks.pyramid import Pyramid, PyramidConfig
from ttskit.networks.scales import averaged, coarser

SMALL = PyramidConfig(
    scales=(4, 2, 1),
    blocks=(1, 1, 2),
    candidates=(5,),
    channels=16,
    layers=1,
    kernel=3,
    dropout=0.0,
)


def setting(frames, seed=0):
    torch.manual_seed(seed)
    mask = torch.ones(1, frames, dtype=torch.bool)
    token = (torch.arange(frames) // 3)[None]
    return torch.randn(1, 6, frames), torch.rand(1, 3, frames), token, mask


def pyramid(**changes):
    torch.manual_seed(1)
    return Pyramid(replace(SMALL, **changes), 6, 4, 3).eval()


def test_means_of_positions_ignore_the_padding():
    torch.manual_seed(0)
    x, mask = torch.randn(2, 3, 7), torch.arange(7) < torch.tensor([7, 5])[:, None]
    means = averaged(x, mask, 2)
    torch.testing.assert_close(means[0, :, 3], x[0, :, 6])
    torch.testing.assert_close(means[1, :, 2], x[1, :, 4])
    torch.testing.assert_close(means[1, :, 1], x[1, :, 2:4].mean(1))
    assert not means[1, :, 3].any()
    assert coarser(mask, 2).tolist() == [[True] * 4, [True] * 3 + [False]]


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 16, 33])
@torch.no_grad()
def test_every_length_has_steps_of_the_lengths_of_its_scales(frames):
    steps = pyramid(refine=2)(*setting(frames), Drawn(1.0, 1.0, torch.Generator()))
    assert [step.place.scale for step in steps] == [4, 2, 1, 1, 1, 1]
    for step in steps:
        assert step.output.shape == (1, 4, -(-frames // step.place.scale))


@torch.no_grad()
def test_the_prediction_of_a_scale_goes_on_from_the_coarser_one():
    made = pyramid()
    for head in made.heads():
        head.candidates.weight.zero_()
    made.levels[0].heads[0].candidates.weight.fill_(1.0)
    first, *_, last = made(*setting(8), Drawn(0.0, 1.0, None))
    torch.testing.assert_close(last.output, first.output.repeat_interleave(4, 2))


@torch.no_grad()
def test_choices_that_are_given_again_give_the_same():
    for select in ("frame", "patch", "segment", "utterance"):
        made = pyramid(select=select, refine=1)
        steps = made(*setting(11), Drawn(1.0, 0.25, torch.Generator().manual_seed(3)))
        parts = [step.place.regions.gathered(step.chosen)[0] for step in steps]
        again = made(*setting(11), Given(torch.cat([torch.tensor([25]), *parts])[None]))
        for one, other in zip(steps, again, strict=True):
            assert torch.equal(one.output, other.output)


@torch.no_grad()
def test_temperature_goes_from_the_likeliest_to_equal_shares():
    made, inputs = pyramid(), setting(4000)
    likeliest = made(*inputs, Drawn(0.0, 1.0, None))[0]
    logits = likeliest.place.logits()
    assert torch.equal(likeliest.chosen, logits.argmax(1))
    for temperature, share in (
        (1.0, logits.softmax(1).mean((0, 2))),
        (float("inf"), torch.full((5,), 0.2)),
    ):
        drawn = made(*inputs, Drawn(temperature, 1.0, torch.Generator().manual_seed(0)))[0]
        counts = torch.bincount(drawn.chosen.flatten(), minlength=5) / drawn.chosen.numel()
        torch.testing.assert_close(counts, share, atol=0.05, rtol=0)


@torch.no_grad()
def test_guided_frames_come_nearer_to_their_target_than_drawn_ones():
    made, inputs, target = pyramid(), setting(32), torch.randn(1, 4, 32)
    known = torch.arange(32)[None] < 16
    drawn = Drawn(1.0, 1.0, torch.Generator().manual_seed(0))
    guided = Guided(known, lambda scale: nearness(averaged(target, known, scale)), drawn)
    steps = made(*inputs, guided)
    away = (steps[-1].output - target).square().mean(1)[0]
    assert away[:16].mean() < away[16:].mean()
    nearest = made(*inputs, Nearest(target, inputs[-1], 0.0, counting=False))
    assert torch.equal(nearest[0].chosen[:, :4], steps[0].chosen[:, :4])


@torch.no_grad()
def test_guided_candidates_are_judged_by_the_share_that_is_taken_of_them():
    made, inputs, target = pyramid(scales=(1,), blocks=(1,)), setting(20), torch.randn(1, 4, 20)
    guided = Guided(inputs[-1], lambda _: nearness(target), Drawn(1.0, 0.3, None), whole=False)
    (step,) = made(*inputs, guided)
    place, head = step.place, step.place.head
    expected = place.expected()[:, :4]
    away = []
    for number in range(5):
        index = torch.full_like(step.chosen, number)
        whole = head.candidates(place.features, place.previous, index)[:, :4]
        away.append((expected + 0.3 * (whole - expected) - target).square().mean(1))
    assert torch.equal(step.chosen, torch.stack(away).argmin(0))
    torch.testing.assert_close(
        (step.output - target).square().mean(1), torch.stack(away).min(0).values
    )


@torch.no_grad()
def test_causal_blocks_do_not_look_ahead():
    block = pyramid(kind="causal").levels[0].blocks[0]
    torch.manual_seed(0)
    x, mask = torch.randn(1, 16, 9), torch.ones(1, 1, 9)
    later = x.clone()
    later[..., 5:] += 1
    torch.testing.assert_close(block(later, mask)[..., :5], block(x, mask)[..., :5])
    assert not torch.allclose(block(later, mask)[..., 5:], block(x, mask)[..., 5:])


def test_a_shared_head_serves_all_blocks_of_a_scale():
    assert len(pyramid(blocks=(3,)).heads()) == 9
    assert len(pyramid(blocks=(3,), shared=True).heads()) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scales": (4, 3, 1)}, r"each a multiple of the next, the last one 1"),
        ({"scales": (4, 2)}, r"the last one 1"),
        ({"blocks": (1, 2)}, r"blocks has 2 entries, needs 1 or one for each of 3"),
        ({"channels": 15}, r"an even number"),
        ({"kind": "attention", "channels": 12}, r"a multiple of 8"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(SettingError, match=message):
        replace(SMALL, **changes)
