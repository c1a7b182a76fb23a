import numpy as np
import pytest

from ttskit.dsp import flatstart
from ttskit.dsp.flatstart import Gaussians
from ttskit.errors import AlignmentError

SILENT = np.array([True, True, False, False, False, False])  # begin, end, four phonemes


def corpus(count=40, seed=0, noise=0.4):
    """Utterances whose frames are the mean of their symbol plus noise; silence at both ends."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 2, (6, 8))
    means[:2] = -8
    utterances, truth = [], {}
    for number in range(count):
        tokens = np.concatenate([[0], rng.integers(2, 6, rng.integers(3, 9)), [1]])
        durations = np.concatenate([[4], rng.integers(3, 12, len(tokens) - 2), [4]])
        mel = means[np.repeat(tokens, durations)]
        utterances.append((f"u{number}", mel + rng.normal(0, noise, mel.shape), tokens))
        truth[f"u{number}"] = durations
    return utterances, truth


def test_planted_boundaries_are_found_to_a_frame():
    utterances, truth = corpus()
    *_, (model, _) = flatstart.fit(utterances, SILENT, 12)
    off = []
    for id, mel, tokens in utterances:
        durations, _ = flatstart.align(model, mel, tokens, SILENT, id)
        same = tokens[1:] != tokens[:-1]  # between two of one symbol there is nothing to see
        ends, right = (np.cumsum(d)[:-1][same] for d in (durations, truth[id]))
        off += list(np.abs(ends - right))
    assert np.mean(np.array(off) <= 1) > 0.97
    assert np.median(off) == 0


def test_the_likelihood_rises_in_every_round():
    utterances, _ = corpus(noise=2.0)
    likelihood = [score for _, score in flatstart.fit(utterances, SILENT, 8)]
    assert (np.diff(likelihood) > -1e-9).all()
    assert likelihood[-1] > likelihood[0]


def test_scores_agree_with_scipy():
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    model = Gaussians(rng.normal(size=(3, 4)), rng.uniform(0.5, 2, (3, 4)))
    mel, tokens = rng.normal(size=(5, 4)), np.array([2, 0])
    expected = norm.logpdf(mel[:, None], model.mean[tokens], np.sqrt(model.variance[tokens])).sum(
        -1
    )
    np.testing.assert_allclose(model.scores(mel, tokens), expected)


def test_silent_symbols_share_a_gaussian_and_unseen_ones_get_the_global_one():
    utterances, _ = corpus()
    utterances = [one for one in utterances if 5 not in one[2]]
    *_, (model, _) = flatstart.fit(utterances, SILENT, 2)
    np.testing.assert_array_equal(model.mean[0], model.mean[1])
    frames = np.concatenate([mel for _, mel, _ in utterances])
    np.testing.assert_allclose(model.mean[5], frames.mean(0))


def test_more_phonemes_than_frames_are_refused_by_name():
    utterances, _ = corpus()
    *_, (model, _) = flatstart.fit(utterances, SILENT, 1)
    with pytest.raises(AlignmentError, match="u9"):
        flatstart.align(model, utterances[0][1][:2], np.array([0, 2, 3, 4, 1]), SILENT, "u9")


def test_scores_of_tokens_are_means_over_their_frames():
    rng = np.random.default_rng(2)
    model = Gaussians(rng.normal(0, 3, (6, 4)), np.ones((6, 4)))
    tokens, truth = np.array([0, 2, 3, 1]), np.array([2, 5, 1, 3])
    mel = model.mean[np.repeat(tokens, truth)] + rng.normal(0, 0.1, (11, 4))
    durations, scores = flatstart.align(model, mel, tokens, SILENT, "u")
    assert durations.tolist() == truth.tolist()
    frames = model.scores(mel, tokens)
    ends = np.cumsum(truth)
    for token, (start, stop) in enumerate(zip(ends - truth, ends, strict=True)):
        assert scores[token] == pytest.approx(frames[start:stop, token].mean())


def test_no_variance_is_below_a_share_of_that_of_the_corpus():
    utterances, _ = corpus(noise=0.0)
    *_, (model, _) = flatstart.fit(utterances, SILENT, 2)
    frames = np.concatenate([mel for _, mel, _ in utterances])
    assert (model.variance >= 0.999 * flatstart.LEAST_VARIANCE * frames.var(0)).all()
    assert flatstart.LEAST_VARIANCE > 0
