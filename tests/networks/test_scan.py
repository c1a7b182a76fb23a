"""The selective scan: beside the plain recurrence, step by step."""

import numpy as np
import pytest
import torch

from ttskit.dsp import selective as kernel
from ttskit.networks.scan import BLOCK, scan, selective

LENGTHS = [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, BLOCK**2 + 5, 1500]


def plain(factors, inputs):
    """The recurrence, a loop over steps."""
    state, states = torch.zeros_like(inputs[:, 0]), []
    for t in range(inputs.shape[1]):
        state = factors[:, t] * state + inputs[:, t]
        states.append(state)
    return torch.stack(states, 1)


def case(steps, dtype=torch.float32, channels=6, size=4):
    """Random inputs of a selective state space, at the scale of a new Mamba layer."""
    g = torch.Generator().manual_seed(steps)
    x, delta = (torch.randn(2, steps, channels, generator=g) for _ in range(2))
    enter, leave = (torch.randn(2, steps, size, generator=g) for _ in range(2))
    rates = -torch.rand(channels, size, generator=g) * size
    skip = torch.randn(channels, generator=g)
    delta = 0.1 * torch.nn.functional.softplus(delta)
    return [value.to(dtype) for value in (x, delta, rates, enter, leave, skip)]


def by_loop(x, delta, rates, enter, leave, skip):
    states = plain((delta[..., None] * rates).exp(), (delta * x)[..., None] * enter[:, :, None])
    return (states * leave[:, :, None]).sum(-1) + skip * x


@pytest.mark.parametrize("steps", LENGTHS)
def test_the_scan_equals_a_loop_over_steps(steps):
    inputs = case(steps)
    torch.testing.assert_close(selective(*inputs)[0], by_loop(*inputs), rtol=1e-5, atol=1e-5)


def test_inputs_are_left_as_they_are():
    factors, inputs = torch.rand(1, 40, 3), torch.rand(1, 40, 3)
    before = factors.clone(), inputs.clone()
    scan(factors, inputs)
    assert torch.equal(factors, before[0])
    assert torch.equal(inputs, before[1])


@pytest.mark.parametrize("steps", [1, 5, BLOCK + 3, 2 * BLOCK])
def test_gradients_are_those_of_finite_differences(steps):
    g = torch.Generator().manual_seed(0)
    factors, inputs = (torch.rand(1, steps, 2, generator=g, dtype=torch.float64) for _ in range(2))
    assert torch.autograd.gradcheck(scan, (factors.requires_grad_(), inputs.requires_grad_()))


def test_gradients_of_all_inputs_are_those_of_the_loop():
    ours, loops = ([x.requires_grad_() for x in case(70, torch.float64)] for _ in range(2))
    weights = torch.rand(2, 70, 6, dtype=torch.float64)
    (selective(*ours)[0] * weights).sum().backward()
    (by_loop(*loops) * weights).sum().backward()
    for own, loop in zip(ours, loops, strict=True):
        torch.testing.assert_close(own.grad, loop.grad)


def test_long_sequences_of_strong_decay_stay_finite():
    factors = torch.full((1, 5000, 1), 1e-30)
    assert scan(factors, torch.ones(1, 5000, 1)).isfinite().all()


@pytest.mark.parametrize("cut", [0, 1, 37, 100])
def test_the_kernel_equals_the_loop_in_one_run_or_two(cut):
    inputs = case(100)
    expected = by_loop(*inputs)[0].numpy()
    x, delta, rates, enter, leave, skip = (value.numpy() for value in inputs)
    state = np.zeros(rates.shape, np.float32)
    parts = [
        kernel.run(x[0, part], delta[0, part], rates, enter[0, part], leave[0, part], skip, state)
        for part in (slice(cut), slice(cut, None))
    ]
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cut", [1, 37])
def test_the_scan_goes_on_from_a_state(cut):
    x, delta, rates, enter, leave, skip = inputs = case(100)
    state, outputs = None, []
    for part in (slice(cut), slice(cut, None)):
        steps = x[:, part], delta[:, part], rates, enter[:, part], leave[:, part], skip
        out, state = selective(*steps, state=state)
        outputs.append(out)
    torch.testing.assert_close(torch.cat(outputs, 1), by_loop(*inputs), rtol=1e-5, atol=1e-5)
