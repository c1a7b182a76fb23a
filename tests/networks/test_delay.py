"""The delay pattern of books."""

import torch

from ttskit.networks.delay import delayed, undelayed


def test_each_book_begins_a_step_after_the_one_before_it():
    codes = torch.tensor([[[1, 2, 3], [4, 5, 6]]])
    assert delayed(codes, 9).tolist() == [[[1, 9, 9], [4, 2, 9], [9, 5, 3], [9, 9, 6]]]


def test_what_is_delayed_comes_back():
    codes = torch.randint(0, 50, (3, 7, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(undelayed(delayed(codes, 50)), codes)
