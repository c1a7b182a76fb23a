"""Recurrences against scipy."""

import numpy as np
import pytest
import torch
from scipy.signal import butter, lfilter, lfilter_zi

from ttskit.dsp.recurrence import biquad, leaky_sum, one_pole
from ttskit.errors import TtskitError


def frames(count, dtype=torch.double):
    g = torch.Generator().manual_seed(count)
    return torch.randn(2, count, 3, generator=g, dtype=dtype) + 4


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 200, 4500])
@pytest.mark.parametrize("leak", [0.0, 0.3, 0.99, 1.0, -0.7])
def test_a_leaky_sum_agrees_with_scipy(count, leak):
    x = frames(count)
    wanted = lfilter([1], [1, -leak], x.numpy(), axis=1)
    np.testing.assert_allclose(leaky_sum(x, leak), wanted, rtol=1e-10, atol=1e-10)
    single = leaky_sum(x.float(), leak)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("a", [0.0, 0.9])
def test_a_one_pole_agrees_with_scipy_and_starts_at_the_first_frame(a):
    x = frames(300)
    start = a * x[:, :1].numpy()
    wanted = lfilter([1 - a], [1, -a], x.numpy(), axis=1, zi=start)[0]
    smooth = one_pole(x, a)
    np.testing.assert_allclose(smooth, wanted, atol=1e-12)
    torch.testing.assert_close(smooth[:, 0], x[:, 0])


@pytest.mark.parametrize("cutoff", [0.5, 10, 25, 40])
def test_a_biquad_agrees_with_scipys_butterworth(cutoff):
    x, (b, a) = frames(300), butter(2, cutoff, fs=100)
    start = lfilter_zi(b, a)[:, None] * x[:, :1].numpy()
    wanted = lfilter(b, a, x.numpy(), axis=1, zi=start)[0]
    np.testing.assert_allclose(biquad(x, cutoff, 100), wanted, atol=1e-10)
    np.testing.assert_allclose(biquad(x.float(), cutoff, 100), wanted, atol=1e-4)


def test_a_cutoff_above_half_the_rate_is_refused():
    with pytest.raises(TtskitError, match=r"50.0 Hz, needs more than 0 and less than 50"):
        biquad(frames(3), 50.0, 100)


SMOOTHED = [lambda x: leaky_sum(x, 0.9), lambda x: one_pole(x, 0.9), lambda x: biquad(x, 9, 100)]


@pytest.mark.parametrize("smoothed", SMOOTHED)
def test_a_frame_never_depends_on_later_ones(smoothed):
    x = frames(150, torch.float32)
    other = x.clone()
    other[:, 70:] = -1e3
    assert torch.equal(smoothed(x)[:, :70], smoothed(other)[:, :70])


@pytest.mark.parametrize("smoothed", SMOOTHED)
def test_gradients_agree_with_finite_differences(smoothed):
    assert torch.autograd.gradcheck(smoothed, frames(40)[:1, :, :1].requires_grad_())
