"""The layer of discrete distribution networks (Yang, 2025), along time.

A layer offers K candidates at each position.  In training the one nearest to the target is chosen,
and it alone gets a gradient; when sampling, any rule chooses.  A candidate that is chosen too
rarely is replaced by a copy of one that is chosen too often (split-and-prune).

Shapes: B batch, C channels, K candidates, L positions, P outputs (mel bands), Q positions of a
whole batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.networks.quantisers import perplexity
from ttskit.networks.together import summed

AT_ONCE = 2**24  # numbers of candidates that are held in memory

# candidates (B, K, P, L) and the place of their first position -> how bad each is, (B, K, L)
Measure = Callable[[Tensor, int], Tensor]


class Split(NamedTuple):
    """One candidate became a copy of another."""

    source: int
    target: int


class Candidates(nn.Module):
    """K candidates at each position, and how often each has been chosen in training.

    The first half of the channels of a feature makes the candidates.  The same weights applied to
    the second half make the leak: what of the feature the choice lets through.
    """

    wins: Tensor  # (K,), decaying count of the positions where each is the nearest
    errors: Tensor  # (K,), decaying sum of its distance at all positions
    seconds: Tensor  # (K, K), of the wins of each, how often which other one was second
    fresh: Tensor  # (K, K + 2), the same three of the current update

    def __init__(self, channels: int, outputs: int, count: int, *, residual: bool) -> None:
        super().__init__()
        limit = (channels // 2) ** -0.5
        weight = torch.empty(count, outputs, channels // 2)
        self.weight = nn.Parameter(nn.init.uniform_(weight, -limit, limit))
        self.residual = residual
        self.register_buffer("wins", torch.zeros(count))
        self.register_buffer("errors", torch.zeros(count))
        self.register_buffer("seconds", torch.zeros(count, count))
        self.register_buffer("fresh", torch.zeros(count, count + 2), persistent=False)

    @property
    def count(self) -> int:
        """K."""
        return len(self.weight)

    def size(self) -> float:
        """Return K."""
        return float(self.count)

    @torch.no_grad()
    def judged(self, features: Tensor, previous: Tensor, measure: Measure) -> Tensor:
        """Return how bad each candidate is, (B, K, L) float32.

        Parameters
        ----------
        features : (B, C, L)
        previous : (B, P, L)
            The prediction that candidates are added to.
        measure : function
            How bad candidates are; it gets a few positions at a time.
        """
        batch, _, positions = features.shape
        count, outputs, half = self.weight.shape
        size = max(1, AT_ONCE // (batch * count * outputs))
        weight, parts = self.weight.flatten(0, 1).float(), []
        with torch.autocast(features.device.type, enabled=False):
            for start in range(0, positions, size):
                some = features[:, :half, start : start + size].float()
                candidates = (weight @ some).view(batch, count, outputs, -1)  # (B, K, P, L)
                if self.residual:
                    candidates = candidates + previous[:, None, :, start : start + size].float()
                parts.append(measure(candidates, start))
        return torch.cat(parts, 2)

    def forward(self, features: Tensor, previous: Tensor, index: Tensor) -> Tensor:
        """Return the chosen candidates and their leak, (B, 2 P, L).

        `index` (B, L) is the number of the candidate at each position.
        """
        with torch.autocast(features.device.type, enabled=False):
            halves = features.float().mT.reshape(index.numel(), 2, -1)  # (Q, 2, C / 2)
            both = self._by_candidate(halves, index.flatten()).view(*index.shape, -1).mT
        return self._added(both, previous)

    def expected(self, features: Tensor, previous: Tensor, weights: Tensor) -> Tensor:
        """Return the means of all candidates and of their leaks, (B, 2 P, L).

        `weights` (B, K, L) sum to 1 at each position.
        """
        count, outputs, half = self.weight.shape
        size = max(1, AT_ONCE // (len(features) * count * outputs))
        weight, parts = self.weight.flatten(0, 1).float(), []
        for start in range(0, features.shape[2], size):
            some = slice(start, start + size)
            halves = features[..., some].float().view(len(features), 2, half, -1)
            each = (weight @ halves).view(len(features), 2, count, outputs, -1)
            parts.append((each * weights[:, None, :, None, some]).sum(2).flatten(1, 2))
        return self._added(torch.cat(parts, 2), previous)

    def _added(self, both: Tensor, previous: Tensor) -> Tensor:
        """Return candidates and leaks (B, 2 P, L), the former added to the prediction before."""
        return both + F.pad(previous, (0, 0, 0, previous.shape[1])) if self.residual else both

    def _by_candidate(self, halves: Tensor, index: Tensor) -> Tensor:
        """Apply to each row (Q, 2, C / 2) the weights of its candidate (Q,): (Q, 2, P).

        Rows of one candidate are put together, so that each of them costs what one candidate does.
        """
        count, outputs, half = self.weight.shape
        order, sizes = index.argsort(stable=True), torch.bincount(index, minlength=count)
        most, starts = int(sizes.max()), sizes.cumsum(0) - sizes
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=order.device)
        place = index * most + place - starts[index]
        table = halves.new_zeros(count * most, 2, half).index_copy(0, place, halves)
        products = table.view(count, 2 * most, half) @ self.weight.float().mT
        return products.view(count * most, 2, outputs)[place]

    @torch.no_grad()
    def note(self, distances: Tensor, real: Tensor) -> None:
        """Count which candidates are the nearest, for the next `settle`.

        `distances` are (B, K, L); `real` (B, L) tells which positions count.
        """
        if self.count == 1:
            return
        rows = distances.mT[real]  # (Q, K)
        two = rows.topk(2, largest=False).indices
        first = two[:, 0]
        self.fresh[:, 0] += torch.bincount(first, minlength=self.count)
        self.fresh[:, 1] += rows.sum(0)
        pairs = torch.bincount(first * self.count + two[:, 1], minlength=self.count**2)
        self.fresh[:, 2:] += pairs.view(self.count, -1)

    @torch.no_grad()
    def settle(self, decay: float, *, may_split: bool) -> Split | None:
        """Take the counts of an update into the decaying ones, and decide on a split.

        The counts are those of all processes of a training, so each decides the same.
        """
        if self.count == 1:
            return None
        fresh = summed(self.fresh)
        for counts, new in (
            (self.wins, fresh[:, 0]),
            (self.errors, fresh[:, 1]),
            (self.seconds, fresh[:, 2:]),
        ):
            counts.mul_(decay).add_(new)
        self.fresh.zero_()
        decision = decided(self.wins.tolist(), self.errors.tolist()) if may_split else None
        if decision is not None:
            self._recount(decision)
        return decision

    def shares(self) -> Tensor:
        """Return how often each candidate is chosen, (K,), summing to 1."""
        return self.wins / self.wins.sum().clamp_min(1e-9)

    def perplexity(self) -> float:
        """Return how many candidates would be as varied if all were chosen equally often."""
        return float(perplexity(self.wins * 1e6)) if self.wins.any() else 1.0

    def dead(self) -> float:
        """Return the share of candidates that are chosen less than a tenth as often as the mean.

        Before any is chosen none is dead.
        """
        if self.count == 1 or not self.wins.any():
            return 0.0
        return float((self.shares() < 0.1 / self.count).float().mean())

    def _recount(self, split: Split) -> None:
        """Give the wins of the lost candidate to its seconds; the two copies share the others."""
        source, target = split
        inherited = self.seconds[target]
        self.wins += inherited * (self.wins[target] / inherited.sum().clamp_min(1e-9))
        self.wins[[source, target]] = self.wins[source] / 2
        self.errors[target] = self.errors[source]
        self.seconds[source] /= 2
        self.seconds[target] = self.seconds[source]
        self.seconds[:, target] = 0


def decided(wins: list[float], errors: list[float]) -> Split | None:
    """Return which candidate is to be copied over which, by the criterion of the paper.

    Parameters
    ----------
    wins : how often each candidate is the nearest
    errors : the sum of its distances, by which one of several that never are is taken

    Returns
    -------
    Split or None
        The most frequent is copied over the rarest, if that brings both nearer to equal shares,
        or if the rarest has less than half of one.
    """
    total, equal = sum(wins), 1 / len(wins)
    if total <= 0:
        return None
    source = max(range(len(wins)), key=lambda k: wins[k])
    target = min(range(len(wins)), key=lambda k: (wins[k], -errors[k]))
    most, least = wins[source] / total, wins[target] / total
    better = abs(most / 2 - equal) * 2 + least < most - least
    return Split(source, target) if better or least < equal / 2 else None


def nearness(target: Tensor) -> Measure:
    """Return the mean squared distance from a target (B, P, L) as a measure."""

    def measure(candidates: Tensor, start: int) -> Tensor:
        some = target[:, None, :, start : start + candidates.shape[3]]
        return (candidates - some).square().mean(2)

    return measure
