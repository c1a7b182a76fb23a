"""The prior around a flat alignment: where it is, and by which Gaussians."""

import numpy as np
import pytest
import torch

from ttskit.networks.batch import collate
from ttskit.networks.facts import Facts
from ttskit.networks.flat import FlatPrior

FACTS = Facts(
    symbols=("begin", "end", *"abcd"), silent=(True, True, False, False, False, False), n_mels=6
)


def clips(count, seed=0):
    """Utterances with silence of any length at both ends, and their true durations."""
    rng = np.random.default_rng(seed)
    look = rng.normal(0, 1, (6, 6))
    look[:2] = -6  # begin and end are silence
    items, truth = [], []
    for _ in range(count):
        tokens = np.concatenate([[0], rng.permutation(np.arange(2, 6)), [1]])
        durations = rng.integers(2, 9, len(tokens))
        durations[[0, -1]] = rng.integers(0, 30, 2)
        mel = look[np.repeat(tokens, durations)] + rng.normal(0, 0.1, (durations.sum(), 6))
        items.append({"tokens": tokens, "mel": mel.astype(np.float32)})
        truth.append(durations)
    return collate([f"u{n}" for n in range(count)], items), truth


def test_it_finds_where_tokens_are_that_each_look_alike():
    batch, truth = clips(40)
    prior = FlatPrior(FACTS)
    prior.fit(batch)
    found = prior.durations(batch).numpy()
    assert found.shape == batch["tokens"].shape
    for own, true in zip(found, truth, strict=True):
        np.testing.assert_array_equal(own[: len(true)], true)


def test_it_falls_by_the_distance_of_a_frame_from_a_token():
    batch, _ = clips(8)
    prior = FlatPrior(FACTS)
    prior.fit(batch)
    found = prior(batch, 4.0).numpy()
    for row, durations in zip(found, prior.durations(batch).numpy(), strict=True):
        ends = np.cumsum(durations)
        for token, (end, count) in enumerate(zip(ends, durations, strict=True)):
            for frame in range(int(ends[-1])):
                own = range(end - count, end)
                far = 0 if frame in own else min(abs(frame - end + 1), abs(frame - end + count))
                if not count:  # between two frames: one from either
                    far = end - frame if frame < end else frame - end + 1
                assert row[frame, token] == pytest.approx(-far / 4.0), (frame, token)


def test_frames_that_are_not_finite_neither_stop_it_nor_spoil_the_gaussians():
    batch, _ = clips(8)
    batch["mel"][0, 3] = torch.nan
    prior = FlatPrior(FACTS)
    prior.fit(batch)
    assert prior.mean.isfinite().all()
    assert prior(batch, 4.0).isfinite().all()
