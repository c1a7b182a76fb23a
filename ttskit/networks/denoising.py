"""Objectives of generative models that turn noise into data step by step.

`Flow`: flow matching with optimal-transport paths (Lipman et al., 2023; Mehta et al., 2024).
`Ddpm`: denoising diffusion (Ho et al., 2020) with a learned variance and respaced steps (Nichol and
Dhariwal, 2021).

Both train and sample with a network that is called as `network(x, time)`, where x is (B, C, T) and
time (B,) from 0 to 1; it returns (B, channels, T), `outputs` channels for each of x.

Shapes: B batch, C channels of the data, K steps of a schedule, T frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from ttskit.networks.layers import noise_like

Network = Callable[[Tensor, Tensor], Tensor]
REST = 1e-4  # deviation of the noise that a path of `Flow` ends with
LARGEST = 6.0  # deviations from 0 within which data is expected
TIMES = 1000  # steps of the schedule of `Ddpm` that is trained on
FIRST, LAST = 1e-4, 0.02  # variances that it adds in the first and in the last step


class Flow(nn.Module):
    """Straight paths from noise to data, along which the network predicts the velocity."""

    outputs: ClassVar[int] = 1

    def errors(
        self, network: Network, data: Tensor, noise: Tensor, where: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of the loss (B, C, T) at places of the paths `where` (B,), 0 to 1."""
        time = where[:, None, None]
        between = (1 - (1 - REST) * time) * noise + time * data
        velocity = data - (1 - REST) * noise
        return {"denoising": (network(between, where).float() - velocity).square()}

    def sample(
        self,
        network: Network,
        noise: Tensor,
        steps: int,
        scale: float,
        generator: torch.Generator | None,  # noqa: ARG002
    ) -> Tensor:
        """Follow the velocity from noise (B, C, T), multiplied by `scale`, in steps of Euler."""
        x = scale * noise
        for step in range(steps):
            time = x.new_full((len(x),), step / steps)
            x = x + network(x, time).float() / steps
        return x


class Schedule(NamedTuple):
    """The variances of some steps, (K,) each, from data to noise."""

    added: Tensor  # of the noise of a step
    kept: Tensor  # of the data that is left after it, of a variance of 1
    before: Tensor  # the same before it
    posterior: Tensor  # of the state before a step, if the data and the state after it are known

    @classmethod
    def of(cls, kept: Tensor) -> Schedule:
        """Return the schedule of steps that leave so much of the data each, decreasing, float64."""
        before = torch.cat([kept.new_ones(1), kept[:-1]])
        added = 1 - kept / before
        posterior = added * (1 - before) / (1 - kept)
        return cls(*(one.float() for one in (added, kept, before, posterior)))

    def mean(self, at: Tensor, data: Tensor, x: Tensor) -> Tensor:
        """Return the mean of the state before steps `at` (B,) from the data and the state after."""
        added, kept, before, _ = (one[at, None, None] for one in self)
        of_data = before.sqrt() * added / (1 - kept)
        of_state = (1 - added).sqrt() * (1 - before) / (1 - kept)
        return of_data * data + of_state * x

    def log_variance(self, at: Tensor, share: Tensor) -> Tensor:
        """Return a log-variance between the bounds of steps `at` (B,).

        `share` (B, C, T) is 0 for the posterior variance and 1 for that of the noise of a step.
        """
        least = torch.cat([self.posterior[1:2], self.posterior[1:]])  # the first one is 0
        low, high = (one.log()[at, None, None] for one in (least, self.added))
        return share * high + (1 - share) * low


class Ddpm(nn.Module):
    """Noise is added to data in many small steps; the network predicts it, and its variance."""

    outputs: ClassVar[int] = 2
    kept: Tensor

    def __init__(self) -> None:
        super().__init__()
        added = torch.linspace(FIRST, LAST, TIMES, dtype=torch.float64)
        self.register_buffer("kept", (1 - added).cumprod(0), persistent=False)

    def errors(
        self, network: Network, data: Tensor, noise: Tensor, where: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of the loss (B, C, T) after the steps at `where` (B,), 0 to 1.

        The variance is learned by the divergence of each step from the true one, as if its mean
        were given.
        """
        at = (where * TIMES).long().clamp_max(TIMES - 1)
        schedule = Schedule.of(self.kept)
        kept = schedule.kept[at, None, None]
        x = kept.sqrt() * data + (1 - kept).sqrt() * noise
        predicted, spread = network(x, at / TIMES).float().chunk(2, 1)
        guess = self._data(kept, x, predicted.detach())
        away = schedule.mean(at, data, x) - schedule.mean(at, guess, x)
        log_variance = schedule.log_variance(at, (spread + 1) / 2)
        true = schedule.log_variance(at, torch.zeros_like(spread))
        ratio = (true.exp() + away.square()) / log_variance.exp()
        divergence = (log_variance - true - 1 + ratio) / 2
        return {"denoising": (predicted - noise).square(), "variance": divergence}

    def sample(
        self,
        network: Network,
        noise: Tensor,
        steps: int,
        scale: float,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Denoise noise (B, C, T) in some of the steps; all noise is multiplied by `scale`."""
        chosen = respaced(steps).to(noise.device)
        schedule, x = Schedule.of(self.kept[chosen]), scale * noise
        for place in reversed(range(len(chosen))):
            at = torch.full((len(x),), place, device=x.device)
            predicted, spread = network(x, chosen[at] / TIMES).float().chunk(2, 1)
            guess = self._data(schedule.kept[place], x, predicted).clamp(-LARGEST, LARGEST)
            x = schedule.mean(at, guess, x)
            if place:
                deviation = (schedule.log_variance(at, (spread + 1) / 2) / 2).exp()
                x = x + scale * deviation * noise_like(x, generator)
        return x

    def _data(self, kept: Tensor, x: Tensor, noise: Tensor) -> Tensor:
        """Return the data that, with this noise, is x."""
        return (x - (1 - kept).sqrt() * noise) / kept.sqrt()


def respaced(steps: int) -> Tensor:
    """Return which steps of the schedule that is trained on are taken, (K,), increasing.

    The last one is always among them; there are no more than that schedule has.
    """
    return torch.linspace(-1, TIMES - 1, min(steps, TIMES) + 1).round().long()[1:]


def guided(network: Network, unconditioned: Network, guidance: float) -> Network:
    """Return a network that goes further from the unconditioned prediction (Ho and Salimans, 2022).

    With a guidance of 0 it is the conditioned network.
    """
    if not guidance:
        return network
    return lambda x, time: (1 + guidance) * network(x, time) - guidance * unconditioned(x, time)


OBJECTIVES: Mapping[str, type[Flow] | type[Ddpm]] = {"flow": Flow, "ddpm": Ddpm}
