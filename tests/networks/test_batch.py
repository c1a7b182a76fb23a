"""Batches: padding, masks and means."""

import numpy as np
import torch

from ttskit.networks.batch import collate

ITEMS = [
    {"mel": np.ones((3, 2), np.float32), "tokens": np.array([4, 5]), "speaker": np.array(1)},
    {"mel": np.full((5, 2), 3, np.float32), "tokens": np.array([6]), "speaker": np.array(0)},
]


def test_an_utterance_of_a_batch_is_the_original_without_padding():
    batch = collate(["a", "b"], ITEMS)
    for row, item in enumerate(ITEMS):
        one = batch.only(row)
        assert one.ids == (["a", "b"][row],)
        for name, value in item.items():
            np.testing.assert_array_equal(one[name][0].numpy(), value)


def test_means_exclude_padding_and_use_the_counts_of_the_update():
    batch = collate(["a", "b"], ITEMS)
    values = batch["mel"].masked_fill(~batch.mask("frame")[..., None], torch.nan)
    assert batch.mean(values, "frame") == (3 * 1 + 5 * 3) / 8
    assert batch.mean(torch.tensor([1.0, 4.0])) == 2.5
    half = collate(["a"], ITEMS[:1])
    counted = type(half)(half.ids, half.fields, half.lengths, {"frame": 8.0})
    assert counted.mean(half["mel"], "frame") == 3 / 8
