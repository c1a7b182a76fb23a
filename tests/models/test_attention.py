"""The attention aligner: its prior, its gradient, and what it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import betabinom

from ttskit.dsp import mas
from ttskit.models.attention import Attention, beta_binomial
from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts

FACTS = Facts(
    symbols=("begin", "end", *"abcd"), silent=(True, True, False, False, False, False), n_mels=6
)


def planted(count=2, seed=0):
    """Utterances in which every frame of a token looks alike, and their true durations."""
    rng = np.random.default_rng(seed)
    look = rng.normal(0, 1, (6, 6))
    items, truth = [], []
    for _ in range(count):
        tokens = np.concatenate([[0], rng.permutation(np.arange(2, 6)), [1]])
        durations = rng.integers(3, 8, len(tokens))
        mel = look[np.repeat(tokens, durations)]
        items.append({"tokens": tokens, "mel": mel.astype(np.float32)})
        truth.append(durations)
    return collate([f"u{n}" for n in range(count)], items), truth


def model(**config):
    torch.manual_seed(0)
    return Attention(Attention.Config(embedding=16, hidden=16, space=8, **config), FACTS)


@pytest.mark.parametrize("width", [1.0, 0.5])
def test_the_prior_agrees_with_scipy(width):
    tokens, frames = torch.tensor([5, 9]), torch.tensor([12, 20])
    log_prior = beta_binomial(tokens, frames, width).numpy()
    for b, (n, most) in enumerate(zip(tokens.tolist(), frames.tolist(), strict=True)):
        for j in range(1, most + 1):
            wanted = betabinom(n - 1, width * j, width * (most + 1 - j)).logpmf(np.arange(n))
            np.testing.assert_allclose(log_prior[b, j - 1, :n], wanted, atol=3e-5)


def test_the_gradient_of_the_forward_sum_is_its_slope():
    batch, _ = planted()
    aligner = model()
    weight = aligner.of_tokens[2].bias
    values = []
    for step in (1e-2, -1e-2):
        with torch.no_grad():
            weight[3] += step
            values.append(aligner.loss(batch, 0.0)["forward_sum"].item())
            weight[3] -= step
    aligner.loss(batch, 0.0)["forward_sum"].backward()
    slope = weight.grad[3].item()
    assert slope == pytest.approx((values[0] - values[1]) / 2e-2, rel=0.02, abs=1e-5)


def test_it_learns_to_align_tokens_with_frames():
    batch, truth = planted(24)
    aligner = model(context_from=2.0)  # it would overfit 24 utterances
    optimizer = torch.optim.Adam(aligner.parameters(), 1e-2)
    for step in range(100):
        optimizer.zero_grad()
        sum(aligner.loss(batch, step / 100).values()).backward()
        optimizer.step()
    with torch.no_grad():
        scores = aligner.generate(batch)["scores"].numpy()
    lengths = batch.lengths["token"].numpy(), batch.lengths["frame"].numpy()
    durations = mas.search(scores, *lengths, aligner.skippable(batch).numpy())
    errors = np.concatenate(
        [
            np.abs(np.cumsum(own[: len(true)]) - np.cumsum(true))
            for own, true in zip(durations, truth, strict=True)
        ]
    )
    assert np.mean(errors <= 1) > 0.8
    assert np.mean(errors) < 1


def test_a_band_around_the_flat_alignment_leads_through_a_pause_that_no_token_marks():
    """Twelve tokens, and between two of them a pause of half the utterance."""
    rng = np.random.default_rng(1)
    look = np.concatenate([np.full((2, 6), -6.0), rng.normal(0, 1, (4, 6))])
    items, truth = [], []
    for _ in range(16):
        tokens = np.concatenate([[0], rng.integers(2, 6, 6), [1], rng.integers(2, 6, 6), [1]])
        durations = rng.integers(3, 8, len(tokens))
        durations[7] = rng.integers(0, 120)
        mel = look[np.repeat(tokens, durations)] + rng.normal(0, 0.1, (durations.sum(), 6))
        items.append({"tokens": tokens, "mel": mel.astype(np.float32)})
        truth.append(durations)
    batch = collate([f"u{n}" for n in range(16)], items)
    off = {}
    for band in (0.0, 8.0):
        aligner = model(band=band, context_from=2.0)
        with torch.no_grad():
            aligner.initialise(batch)
        optimizer = torch.optim.Adam(aligner.parameters(), 3e-3)
        for step in range(20):
            optimizer.zero_grad()
            sum(aligner.loss(batch, step / 20).values()).backward()
            optimizer.step()
        with torch.no_grad():
            found = aligner.path(batch, aligner.scores(batch)).sum(1).numpy()
        ends = [np.cumsum(found, 1), np.cumsum(truth, 1)]
        off[band] = np.abs(ends[0] - ends[1]).mean()
    assert off[8.0] < 2 < off[0.0], off


def test_an_aligner_of_before_has_no_weights_of_a_band():
    assert not [name for name in model().state_dict() if name.startswith("flat")]


def test_context_is_added_from_its_part_of_the_training_on():
    batch, _ = planted()
    aligner = model(context_from=0.5)
    aligner.loss(batch, 0.4)["forward_sum"].backward()
    assert aligner.of_context[-1].weight.grad is None
    torch.testing.assert_close(aligner(batch), aligner(batch, context=False))
    aligner.loss(batch, 0.5)["forward_sum"].backward()
    gradient = aligner.of_context[-1].weight.grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


def test_sharpness_is_a_cross_entropy_from_its_part_of_the_training_on():
    batch, _ = planted()
    aligner = model(sharpen=0.5)
    assert set(aligner.loss(batch, 0.49)) == {"forward_sum"}
    terms = aligner.loss(batch, 0.5)
    scores = aligner(batch)
    best = aligner.path(batch, scores)
    chosen = [
        float(scores[row, frame, token].detach() - scores[row, frame].detach().logsumexp(0))
        for row, frame, token in best.nonzero().tolist()
    ]
    assert terms["sharpness"].item() == pytest.approx(-np.mean(chosen), rel=1e-5)


def test_symbols_alone_are_as_probable_as_tokens_without_context_and_prior():
    batch, _ = planted(1)
    aligner = model(prior=0.0)
    tokens = batch["tokens"][0]
    alone = aligner.alone(batch["mel"][0])[:, tokens]
    torch.testing.assert_close(alone.log_softmax(1), aligner(batch, context=False)[0])


def test_a_symbol_that_was_never_heard_is_never_probable():
    aligner = Attention(
        Attention.Config(hidden=8, space=4), replace(FACTS, heard=(1, 1, 1, 0, 1, 1))
    )
    alone = aligner.alone(torch.randn(9, 6))
    assert (alone.exp()[:, 3] == 0).all()
    torch.testing.assert_close(alone.exp().sum(1), torch.ones(9))
