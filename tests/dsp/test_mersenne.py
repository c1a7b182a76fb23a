"""Random numbers: those of torch, which is the oracle."""

import numpy as np
import pytest
import torch

from ttskit.dsp.mersenne import Random


def seeded(seed):
    return torch.Generator().manual_seed(seed), Random(seed)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**40 + 7, 2**32 - 1])
def test_numbers_are_those_of_torch(seed):
    theirs, ours = seeded(seed)
    assert ours.integer() == int(torch.randint(2**31, (), generator=theirs))
    uniform = torch.rand(37, generator=theirs).numpy()
    np.testing.assert_array_equal(ours.uniform(37), uniform)


@pytest.mark.parametrize("count", [16, 100, 1001, 4096])
def test_gaussian_numbers_are_those_of_torch(count):
    theirs, ours = seeded(7)
    expected = torch.randn(count, generator=theirs).numpy()
    np.testing.assert_allclose(ours.normal(count), expected, atol=1e-6)
    assert ours.integer() == int(torch.randint(2**31, (), generator=theirs))  # as many were drawn
