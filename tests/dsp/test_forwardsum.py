"""The summed likelihood of all alignments against enumerating them."""

import numpy as np
import pytest

from ttskit.dsp.forwardsum import forward_sum


def walks(frames, tokens, skippable):
    """Every alignment, as the token at each frame."""

    def continued(walk):
        if len(walk) == frames:
            if all(skippable[walk[-1] + 1 :]):
                yield walk
            return
        for following in range(walk[-1], tokens):
            if following == walk[-1] or all(skippable[walk[-1] + 1 : following]):
                yield from continued([*walk, following])

    for first in range(tokens):
        if all(skippable[:first]):
            yield from continued([first])


@pytest.mark.parametrize("seed", range(60))
def test_sum_and_gradient_agree_with_enumeration(seed):
    rng = np.random.default_rng(seed)
    frames, tokens = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    scores = rng.normal(0, 4, (1, frames + 2, tokens + 1)).astype(np.float32)  # with padding
    skippable = rng.random((1, tokens + 1)) < 0.4
    total, visits = forward_sum(scores, np.array([tokens]), np.array([frames]), skippable)
    every = list(walks(frames, tokens, skippable[0, :tokens]))
    likely = np.array([sum(scores[0, j, i] for j, i in enumerate(walk)) for walk in every])
    wanted = np.zeros(scores.shape[1:])
    if not every:
        assert total[0] == -np.inf
        assert not visits.any()
        return
    summed = np.logaddexp.reduce(likely)
    for walk, one in zip(every, likely, strict=True):
        wanted[np.arange(frames), walk] += np.exp(one - summed)
    np.testing.assert_allclose(total[0], summed, atol=1e-5)
    np.testing.assert_allclose(visits[0], wanted, atol=1e-6)


def test_a_long_utterance_neither_underflows_nor_overflows():
    rng = np.random.default_rng(0)
    scores = rng.normal(-500, 100, (2, 4000, 300)).astype(np.float32)
    lengths = np.array([300, 200]), np.array([4000, 3000])
    total, visits = forward_sum(scores, *lengths, np.zeros((2, 300), bool))
    assert np.isfinite(total).all()
    np.testing.assert_allclose(visits.sum(axis=2)[0], 1, atol=1e-5)
    np.testing.assert_allclose(visits.sum(axis=2)[1, :3000], 1, atol=1e-5)
    assert not visits[1, 3000:].any()
