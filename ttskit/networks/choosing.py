"""Who chooses among the candidates of a pyramid: a target, a prior, a code that is given.

Shapes: B batch, K candidates, L positions of a scale, P outputs, R regions, T frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ttskit.errors import TtskitError
from ttskit.networks.candidates import Measure, nearness
from ttskit.networks.pyramid import Choose, Place, averaged, coarser


class Nearest:
    """The candidate nearest to a target, as training chooses; in places one that is drawn.

    What is drawn instead (chain dropout) is not counted; the scales after it learn to go on from
    choices as sampling makes them.
    """

    def __init__(self, target: Tensor, mask: Tensor, dropout: float, *, counting: bool) -> None:
        """Approach targets (B, P, T) of frames with a mask (B, T)."""
        self.target, self.mask = target, mask
        self.dropout, self.counting = dropout, counting

    def __call__(self, place: Place) -> tuple[Tensor, Tensor]:
        candidates, real = place.head.candidates, place.regions.mask
        target = averaged(self.target, self.mask, place.scale)
        judged = candidates.judged(place.features, place.previous, nearness(target))
        distances = place.regions.shared(judged)
        index = distances.argmin(1)
        if self.dropout:
            dropped = torch.rand(len(index), 1, device=index.device) < self.dropout
            with torch.no_grad():
                drawn = Drawn(1.0, None)(place)[0]
            index, real = torch.where(dropped, drawn, index), real & ~dropped
        if self.counting:
            candidates.note(distances, real)
        return index, real


class Drawn:
    """A random candidate by the prior; at temperature 0 the likeliest, at infinity any."""

    def __init__(self, temperature: float, generator: torch.Generator | None) -> None:
        self.temperature, self.generator = temperature, generator

    def __call__(self, place: Place) -> tuple[Tensor, Tensor]:
        scores, real = place.logits(), place.regions.mask
        if self.temperature:
            noise = place.regions.spread(self._noise(scores))
            share = 1.0 if math.isfinite(self.temperature) else 0.0
            scores = share * scores + min(self.temperature, 1e6) * noise
        return torch.where(real, scores.argmax(1), 0), real

    def _noise(self, like: Tensor) -> Tensor:
        """Return Gumbel noise: the highest sum with logits is a draw by their softmax."""
        device = self.generator.device if self.generator else like.device
        uniform = torch.rand(like.shape, generator=self.generator, device=device).to(like)
        return -(-uniform.clamp(1e-9, 1 - 1e-7).log()).log()


class Given:
    """The candidates of a code: one number for each region, from coarse to fine."""

    def __init__(self, take: Tensor) -> None:
        """Follow codes (B, numbers of all scales); there is at least one number."""
        self.take, self.done = take, torch.zeros(len(take), dtype=torch.long, device=take.device)

    def __call__(self, place: Place) -> tuple[Tensor, Tensor]:
        regions, count = place.regions, place.head.candidates.count
        at = (self.done[:, None] + regions.number).clamp_max(self.take.shape[1] - 1)
        self.done = self.done + regions.counts
        chosen = torch.where(regions.mask, self.take.gather(1, at), 0)
        if int(chosen.min()) < 0 or int(chosen.max()) >= count:
            raise TtskitError(
                f"the take chooses candidate {int(chosen.max())}, there are 0 to {count - 1}: it "
                "is of another model or text"
            )
        return chosen, regions.mask

    def check(self, lengths: Tensor) -> None:
        """Refuse codes of other lengths (B,) than the choices that they were asked for."""
        for given, made in zip(lengths.tolist(), self.done.tolist(), strict=True):
            if given != made:
                raise TtskitError(
                    f"the take has {given} choices, needs {made}: it is of another text, or of "
                    "another speed"
                )


class Guided:
    """The best candidate by a measure where there is one; elsewhere another rule chooses."""

    def __init__(self, known: Tensor, measure: Callable[[int], Measure], otherwise: Choose) -> None:
        """Judge by `measure` of a scale where frames are known, (B, T) bool."""
        self.known, self.measure, self.otherwise = known, measure, otherwise

    def __call__(self, place: Place) -> tuple[Tensor, Tensor]:
        index, real = self.otherwise(place)
        known = coarser(self.known, place.scale)[:, None].float()  # (B, 1, L)
        judged = place.head.candidates.judged(
            place.features, place.previous, self.measure(place.scale)
        )
        best = place.regions.shared(judged * known).argmin(1)
        guided = place.regions.shared(known)[:, 0] > 0
        return torch.where(guided & real, best, index), real
