"""The style of a reference recording."""

import torch

from tests.models.synthetic import facts
from ttskit.networks.style import Style


def make():
    torch.manual_seed(0)
    return Style(facts(), 4, 8, 2)


def mels(count=3, frames=30):
    g = torch.Generator().manual_seed(1)
    return torch.randn(count, frames, 8, generator=g), torch.ones(count, frames, dtype=torch.bool)


def test_padding_changes_no_style_not_even_in_training():
    mel, mask = mels()
    styles = []
    for extra in (0, 20):
        style = make().train()
        padded = torch.nn.functional.pad(mel, (0, 0, 0, extra), value=7.0)
        styles.append(style(padded, torch.nn.functional.pad(mask, (0, extra))))
    torch.testing.assert_close(styles[0], styles[1])


def test_the_order_of_whole_passages_does_not_matter_much():
    style, (mel, mask) = make().eval(), mels(1, 200)
    moved = mel.roll(100, 1)
    away = (style(mel, mask) - style(moved, mask)).abs().max()
    other = (style(mel, mask) - style(2 * mel, mask)).abs().max()
    assert away < other / 3


def test_the_mean_style_is_learnt():
    style, (mel, mask) = make(), mels(16)
    optimizer = torch.optim.Adam([style.mean], 0.05)
    for _ in range(300):
        optimizer.zero_grad()
        _, away = style.eval().trained(mel, mask)
        away.mean().backward()
        optimizer.step()
    torch.testing.assert_close(style.usual(1)[0], style(mel, mask).mean(0), atol=0.02, rtol=0.05)


def test_some_utterances_are_trained_with_the_mean_style():
    torch.manual_seed(3)
    style, (mel, mask) = make().train(), mels(60)
    used, _ = style.trained(mel, mask)
    usual = (used == style.mean).all(1)
    assert 5 < usual.sum() < 35
