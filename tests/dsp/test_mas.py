"""Monotonic alignment search against all paths, on scores small enough to try them all."""

import numba
import numpy as np
import pytest
import torch
from monotonic_alignment_search import maximum_path

from ttskit.dsp import mas
from ttskit.errors import AlignmentError

SIZES = [(tokens, frames) for frames in range(1, 8) for tokens in range(1, 8)]


def every_path(tokens, frames, skippable):
    """All durations that sum to the frames, at least 1 unless skippable."""
    if tokens == 0:
        return [()] if frames == 0 else []
    least = 0 if skippable[0] else 1
    return [
        (first, *rest)
        for first in range(least, frames + 1)
        for rest in every_path(tokens - 1, frames - first, skippable[1:])
    ]


def sum_of(score, durations):
    at = np.repeat(np.arange(len(durations)), durations)
    return score[np.arange(len(at)), at].sum(dtype=np.float64)


def best_by_trial(score, skippable):
    frames, tokens = score.shape
    return max(sum_of(score, counts) for counts in every_path(tokens, frames, skippable))


@pytest.mark.parametrize(("tokens", "frames"), [size for size in SIZES if size[0] <= size[1]])
def test_no_path_scores_higher(tokens, frames):
    score = np.random.default_rng(tokens * 100 + frames).normal(size=(frames, tokens))
    durations = mas.durations(score)
    assert durations.sum() == frames
    assert durations.min() >= 1
    assert sum_of(score, durations) == pytest.approx(best_by_trial(score, [False] * tokens))


@pytest.mark.parametrize(("tokens", "frames"), SIZES)
@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
def test_no_path_that_skips_scores_higher(tokens, frames, share):
    rng = np.random.default_rng(tokens * 100 + frames)
    for _ in range(8):
        skippable = rng.random(tokens) < share
        if (~skippable).sum() > frames:
            continue
        score = rng.normal(size=(frames, tokens))
        score[rng.random(score.shape) < 0.2] -= 50.0
        durations = mas.durations(score, skippable)
        assert durations.sum() == frames
        assert durations[~skippable].min(initial=1) >= 1
        assert sum_of(score, durations) == pytest.approx(best_by_trial(score, skippable))


def test_a_planted_alignment_is_found():
    truth = [2, 0, 1, 0, 0, 4]
    score = np.repeat(np.eye(6), truth, axis=0)
    skippable = np.array([False, True, False, True, True, False])
    assert mas.durations(score, skippable).tolist() == truth


def test_padding_is_not_read_and_threads_do_not_matter():
    rng = np.random.default_rng(0)
    frames, tokens = np.array([400, 90, 250, 310]), np.array([12, 90, 1, 80])
    scores = np.full((4, 400, 90), np.nan, np.float32)
    skippable = rng.random((4, 90)) < 0.3
    for b in range(4):
        scores[b, : frames[b], : tokens[b]] = rng.normal(size=(frames[b], tokens[b]))
    before = numba.get_num_threads()
    results = []
    for threads in (1, before):
        numba.set_num_threads(threads)
        results.append(mas.search(scores, tokens, frames, skippable))
    numba.set_num_threads(before)
    np.testing.assert_array_equal(results[0], results[1])
    for b in range(4):
        t, n = frames[b], tokens[b]
        alone = mas.durations(scores[b, :t, :n], skippable[b, :n])
        np.testing.assert_array_equal(results[0][b, :n], alone)
        assert not results[0][b, n:].any()


def test_agrees_with_the_cython_package():
    rng = np.random.default_rng(1)  # enough to be shared among threads
    frames, tokens = rng.integers(60, 120, 16), rng.integers(1, 60, 16)
    scores = rng.normal(size=(16, 120, 60)).astype(np.float32)
    mask = torch.zeros(16, 60, 120)
    for b in range(16):
        mask[b, : tokens[b], : frames[b]] = 1
    theirs = maximum_path(torch.from_numpy(scores.transpose(0, 2, 1).copy()), mask)
    ours = mas.search(scores, tokens, frames)
    np.testing.assert_array_equal(ours, theirs.sum(2).numpy())
    np.testing.assert_array_equal(mas.path(ours, 120), theirs.numpy().transpose(0, 2, 1) > 0)


def test_scores_of_any_magnitude_are_searched():
    rng = np.random.default_rng(2)
    score = (rng.normal(size=(100, 40)) - 5e8).astype(np.float64)
    durations = mas.durations(score)
    np.testing.assert_array_equal(durations, mas.durations(score + 5e8))
    assert durations.min() >= 1
    theirs = maximum_path(torch.from_numpy(score.T.copy())[None], torch.ones(1, 40, 100))
    assert (theirs[0].sum(1).numpy() != durations).any()  # what the package's sentinel does


@pytest.mark.parametrize("skips", [False, True])
def test_float32_scores_are_summed_without_loss(skips):
    """After sums of -1e10, where float32 resolves 1024, the frames that follow still count."""
    scores = np.random.default_rng(5).normal(size=(30, 12)).astype(np.float32)
    before = np.full((1000, 12), -np.inf, np.float32)
    before[:, 0] = -1e7
    skippable = (np.arange(12) % 3 == 2) & skips
    expected = mas.durations(scores, skippable)
    expected[0] += 1000
    durations = mas.durations(np.concatenate([before, scores]), skippable)
    np.testing.assert_array_equal(durations, expected)


def test_forbidden_cells_are_avoided():
    score = np.zeros((4, 2))
    score[2, 0] = score[1, 1] = -np.inf
    assert mas.durations(score).tolist() == [2, 2]
    score[3, 1] = -np.inf
    with pytest.raises(AlignmentError, match=r"^clip_7: every path has a score of -inf"):
        mas.durations(score, name="clip_7")


@pytest.mark.parametrize("planted", [np.nan, np.inf])
@pytest.mark.parametrize("skips", [False, True])
def test_a_nan_names_its_utterance(planted, skips):
    scores = np.random.default_rng(3).normal(size=(3, 30, 20))
    scores[1, 14, 9] = planted
    skippable = np.zeros((3, 20), bool)
    skippable[:, ::4] = skips
    with pytest.raises(AlignmentError, match=r"^b: a score is NaN or \+inf"):
        mas.search(scores, skippable=skippable, ids=["a", "b", "c"])


def test_more_tokens_than_frames_are_refused():
    with pytest.raises(AlignmentError, match="second: 3 tokens for 2 frames"):
        mas.search(np.zeros((2, 4, 3)), frames=np.array([4, 2]), ids=["first", "second"])
    with pytest.raises(AlignmentError, match="5 tokens, 3 of which need a frame, for 2 frames"):
        mas.durations(np.zeros((2, 5)), np.array([True, False, False, True, False]))
    with pytest.raises(AlignmentError, match="no tokens"):
        mas.durations(np.zeros((2, 0)))


def test_tokens_that_can_all_be_skipped_still_get_the_frames():
    durations = mas.durations(np.array([[0.0, 5.0, 1.0]] * 3), np.ones(3, bool))
    assert durations.tolist() == [0, 3, 0]


def test_precision_and_layout_do_not_matter():
    score = np.round(np.random.default_rng(4).normal(size=(50, 20)) * 64) / 64  # exact in float16
    for same in (score.astype(np.float32), score.astype(np.float16), np.asfortranarray(score)):
        np.testing.assert_array_equal(mas.durations(same), mas.durations(score))
    tensor = torch.from_numpy(score)
    np.testing.assert_array_equal(mas.durations(tensor), mas.durations(score))  # type: ignore[arg-type]


def test_path_marks_the_frames_of_each_token():
    assert mas.path(np.array([1, 0, 2]), 4).astype(int).tolist() == [
        [1, 0, 0],
        [0, 0, 1],
        [0, 0, 1],
        [0, 0, 0],
    ]
