"""The search against that of librosa over all pairs of states, which torchcrepe uses."""

import numpy as np
import pytest

from ttskit.dsp import viterbi

STATES = 360


@pytest.fixture(scope="module")
def transition():
    here = np.arange(STATES)
    weights = np.maximum(12 - np.abs(here[:, None] - here), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def peer(likelihood, transition):
    import librosa

    return librosa.sequence.viterbi(np.ascontiguousarray(likelihood.T), transition)


def likelihood(frames, sharpness, seed):
    rng = np.random.default_rng(seed)
    powers = np.exp(sharpness * rng.random((frames, STATES)))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("sharpness", [0, 1, 20, 300])
@pytest.mark.parametrize("frames", [1, 2, 150])
def test_the_path_is_that_of_the_full_search(sharpness, frames, transition):
    probabilities = likelihood(frames, sharpness, seed=frames)
    assert viterbi.path(probabilities).tolist() == peer(probabilities, transition).tolist()


def test_the_path_is_that_of_the_full_search_among_ties(transition):
    rng = np.random.default_rng(5)
    probabilities = (rng.integers(0, 3, (100, STATES)) / 1000).astype(np.float32)
    assert viterbi.path(probabilities).tolist() == peer(probabilities, transition).tolist()


def test_the_path_is_that_of_the_full_search_with_forbidden_states(transition):
    probabilities = likelihood(100, 300, seed=9)
    probabilities[:, :39] = probabilities[:, 200:] = 0
    path = viterbi.path(probabilities)
    assert path.tolist() == peer(probabilities, transition).tolist()
    assert path.min() >= 39
    assert path.max() < 200


def test_a_jump_with_lasting_evidence_is_taken():
    probabilities = np.full((20, STATES), 1e-30, np.float32)
    probabilities[:10, 50] = probabilities[10:, 300] = 1
    assert viterbi.path(probabilities).tolist() == [50] * 10 + [300] * 10


def test_a_jump_for_a_single_frame_is_not_taken():
    probabilities = np.full((21, STATES), 1e-3, np.float32)
    probabilities[:, 50] = 0.5
    probabilities[10, 300] = 0.9
    assert viterbi.path(probabilities).tolist() == [50] * 21


def test_no_frames_have_no_path():
    assert viterbi.path(np.zeros((0, STATES), np.float32)).shape == (0,)
