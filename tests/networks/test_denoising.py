"""Flow matching and denoising diffusion, against distributions whose answers are known."""

import numpy as np
import pytest
import torch

from ttskit.networks.denoising import (
    FIRST,
    LAST,
    TIMES,
    Ddpm,
    Flow,
    Schedule,
    guided,
    respaced,
)

MEAN, DEVIATION = 1.5, 0.4  # of Gaussian data
ADDED = np.linspace(FIRST, LAST, TIMES)
KEPT = np.cumprod(1 - ADDED)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed))


def velocity(x, time):
    """The mean of data minus noise, of those that meet in x: linear regression of Gaussians."""
    t = time[:, None, None]
    variance = (1 - t) ** 2 + (t * DEVIATION) ** 2
    slope = (t * DEVIATION**2 - (1 - t)) / variance
    return MEAN + slope * (x - t * MEAN)


def noise_of(x, time):
    """The mean of the noise in x, and as log-variance the one in the middle of its bounds."""
    kept = torch.tensor(KEPT, dtype=torch.float32)[(time * TIMES).round().long()][:, None, None]
    variance = kept * DEVIATION**2 + 1 - kept
    noise = (1 - kept).sqrt() * (x - kept.sqrt() * MEAN) / variance
    return torch.cat([noise, torch.ones_like(noise)], 1)


@pytest.mark.parametrize("steps", [4, 32])
def test_steps_of_a_flow_are_those_of_euler_on_the_known_velocity(steps):
    noise = normal(2, 1, 50)
    x = noise.numpy().astype(np.float64)
    for step in range(steps):
        t = step / steps
        variance = (1 - t) ** 2 + (t * DEVIATION) ** 2
        x = x + (MEAN + (t * DEVIATION**2 - (1 - t)) / variance * (x - t * MEAN)) / steps
    sample = Flow().sample(velocity, noise, steps, 1.0, None)
    np.testing.assert_allclose(sample.numpy(), x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("objective", "network"), [(Flow(), velocity), (Ddpm(), noise_of)])
def test_samples_of_the_known_network_are_distributed_like_the_data(objective, network):
    sample = objective.sample(network, normal(4, 1, 5000), 200, 1.0, seeded(1))
    assert sample.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert sample.std().item() == pytest.approx(DEVIATION, rel=0.05)


@pytest.mark.parametrize(("objective", "network"), [(Flow(), velocity), (Ddpm(), noise_of)])
def test_no_network_has_a_smaller_error_than_the_known_one(objective, network):
    data, noise = MEAN + DEVIATION * normal(64, 1, 500), normal(64, 1, 500, seed=1)
    where = torch.linspace(0, 0.999, 64)

    def error(network):
        return objective.errors(network, data, noise, where)["denoising"].mean().item()

    best = error(network)
    for factor, offset in ((1, 0.1), (1, -0.1), (1.1, 0), (0.9, 0)):
        assert error(lambda x, t, f=factor, o=offset: f * network(x, t) + o) > best


def test_a_flow_begins_with_the_noise_and_ends_with_the_data():
    data, noise, seen = normal(2, 3, 4), normal(2, 3, 4, seed=1), {}

    def network(x, time):
        seen[time[0].item()] = x
        return torch.zeros_like(x)

    for where in (0.0, 1.0):
        Flow().errors(network, data, noise, torch.full((2,), where))
    torch.testing.assert_close(seen[0.0], noise)
    torch.testing.assert_close(seen[1.0], data, atol=1e-3, rtol=0)


def test_a_flow_in_one_step_is_the_mean_that_is_predicted_at_its_start():
    noise = normal(2, 1, 4)
    sample = Flow().sample(velocity, noise, 1, 1.0, None)
    torch.testing.assert_close(sample, torch.full_like(sample, MEAN))


@pytest.mark.parametrize("steps", [1, 2, 7, 50, TIMES])
def test_a_respaced_schedule_leaves_as_much_of_the_data_as_the_original(steps):
    chosen = respaced(steps)
    assert len(chosen) == steps
    assert chosen[-1] == TIMES - 1
    assert (chosen.diff() > 0).all()
    schedule = Schedule.of(Ddpm().kept[chosen])
    np.testing.assert_allclose(
        np.cumprod(1 - schedule.added.numpy().astype(float)), KEPT[chosen], rtol=1e-3
    )
    if steps == TIMES:
        np.testing.assert_allclose(schedule.added, ADDED, rtol=1e-4)


def test_there_are_no_more_steps_than_are_trained_on():
    assert respaced(10 * TIMES).tolist() == [*range(TIMES)]


@pytest.mark.parametrize("place", [0, 1, 5, 9])
def test_the_posterior_is_that_of_two_gaussians(place):
    """Bayes' rule with the precisions of both: what the step adds, and what was before it."""
    kept = KEPT[respaced(10)]
    before = np.concatenate([[1.0], kept[:-1]])[place]
    added, data, x = 1 - kept[place] / before, 0.7, -0.3
    schedule = Schedule.of(torch.tensor(kept))
    mean = schedule.mean(
        torch.tensor([place]), torch.full((1, 1, 1), data), torch.full((1, 1, 1), x)
    )
    if place == 0:
        assert mean.item() == pytest.approx(data)
        assert schedule.posterior[0] == 0
        return
    of_data, of_step = 1 / (1 - before), (1 - added) / added
    variance = 1 / (of_data + of_step)
    expected = variance * (np.sqrt(before) * data * of_data + x / np.sqrt(1 - added) * of_step)
    assert mean.item() == pytest.approx(expected, rel=1e-5)
    assert schedule.posterior[place].item() == pytest.approx(variance, rel=1e-5)


def test_learned_variances_are_bounded_by_that_of_the_posterior_and_of_the_step():
    kept = KEPT[respaced(20)]
    schedule, at = Schedule.of(torch.tensor(kept)), torch.arange(1, 20)
    low, high = (
        schedule.log_variance(at, torch.full((19, 1, 1), share)).flatten() for share in (0.0, 1.0)
    )
    added = 1 - kept[1:] / kept[:-1]
    np.testing.assert_allclose(high, np.log(added), rtol=1e-5)
    np.testing.assert_allclose(low, np.log(added * (1 - kept[:-1]) / (1 - kept[1:])), rtol=1e-5)
    assert (low < high).all()


def test_the_learned_variance_is_that_of_what_the_mean_misses():
    """The divergence is least where the variance is that of the true step around the mean."""
    ddpm, where = Ddpm(), torch.tensor([0.05])
    data, noise = DEVIATION * normal(1, 1, 20000), normal(1, 1, 20000, seed=1)

    def divergence(share):
        def network(x, time):
            noise = noise_of(x + MEAN * ddpm.kept[50].sqrt(), time)[:, :1]
            return torch.cat([noise, torch.full_like(noise, 2 * share - 1)], 1)

        return ddpm.errors(network, data, noise, where)["variance"].mean().item()

    schedule, at = Schedule.of(torch.tensor(KEPT)), 50
    kept, before, added = schedule.kept[at], schedule.before[at], schedule.added[at]
    # of the state before the step, if the state after it is known and the data is Gaussian
    marginal = before * DEVIATION**2 + 1 - before
    variance = 1 / (1 / marginal + (1 - added) / added)
    low, high = schedule.posterior[at].log(), added.log()
    best = ((variance.log() - low) / (high - low)).item()
    assert kept < 1
    assert 0 < best < 1
    assert divergence(best) < min(divergence(best - 0.1), divergence(best + 0.1))


@pytest.mark.parametrize("objective", [Flow(), Ddpm()])
def test_without_noise_there_is_no_chance(objective):
    network = velocity if isinstance(objective, Flow) else noise_of
    one, other = (
        objective.sample(network, normal(1, 1, 9, seed=s), 5, 0.0, seeded(s)) for s in (1, 2)
    )
    assert torch.equal(one, other)


def test_guidance_of_0_is_the_conditioned_prediction_and_1_doubles_the_distance():
    x, time = normal(1, 1, 3), torch.zeros(1)
    given, free = (lambda x, _: x + 2), (lambda x, _: x)
    torch.testing.assert_close(guided(given, free, 0.0)(x, time), x + 2)
    torch.testing.assert_close(guided(given, free, 1.0)(x, time), x + 4)
    torch.testing.assert_close(guided(given, free, -1.0)(x, time), x)
