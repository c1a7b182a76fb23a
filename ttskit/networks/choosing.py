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
from ttskit.networks.choices import Choice, Choose, Place
from ttskit.networks.scales import averaged, coarser

FLOAT = torch.float32


class Nearest:
    """The candidate nearest to a target, as training chooses; in places one that is drawn.

    What is drawn instead (chain dropout) is not counted; the scales after it learn to go on from
    choices as sampling makes them.
    """

    def __init__(self, target: Tensor, mask: Tensor, dropout: float, *, counting: bool) -> None:
        """Approach targets (B, P, T) of frames with a mask (B, T)."""
        self.target, self.mask = target, mask
        self.dropout, self.counting = dropout, counting

    def __call__(self, place: Place) -> Choice:
        candidates, real = place.head.candidates, place.regions.mask
        target = averaged(self.target, self.mask, place.scale)
        judged = candidates.judged(place.features, place.previous, nearness(target))
        distances = place.regions.shared(judged)
        chosen = distances.argmin(1)
        if self.dropout:
            dropped = torch.rand(len(chosen), 1, device=chosen.device) < self.dropout
            with torch.no_grad():
                drawn = drawn_from(place, 1.0, None)
            chosen, real = torch.where(dropped, drawn, chosen), real & ~dropped
        if self.counting:
            candidates.note(distances, real)
        return Choice(chosen, real)


class Drawn:
    """A random candidate by the prior; at temperature 0 the likeliest, at infinity any.

    With a share below 1 it is drawn towards what the prior expects, the mean of the candidates.
    """

    def __init__(self, temperature: float, share: float, generator: torch.Generator | None) -> None:
        self.temperature, self.share, self.generator = temperature, share, generator

    def __call__(self, place: Place) -> Choice:
        chosen = drawn_from(place, self.temperature, self.generator)
        return Choice(chosen, place.regions.mask, torch.full_like(chosen, self.share, dtype=FLOAT))


def drawn_from(place: Place, temperature: float, generator: torch.Generator | None) -> Tensor:
    """Return the number of a random candidate at each position, (B, L)."""
    scores = place.logits()
    if temperature:
        noise = place.regions.spread(gumbel(scores, generator))
        share = 1.0 if math.isfinite(temperature) else 0.0
        scores = share * scores + min(temperature, 1e6) * noise
    return torch.where(place.regions.mask, scores.argmax(1), 0)


def gumbel(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return Gumbel noise: the highest sum with logits is a draw by their softmax."""
    device = generator.device if generator else like.device
    uniform = torch.rand(like.shape, generator=generator, device=device).to(like)
    return -(-uniform.clamp(1e-9, 1 - 1e-7).log()).log()


class Given:
    """The candidates of a take: a number for each region, coarse to fine.

    The first number is the share in hundredths.
    """

    def __init__(self, take: Tensor) -> None:
        """Follow takes (B, numbers)."""
        self.take, self.done = take, torch.ones(len(take), dtype=torch.long, device=take.device)

    def __call__(self, place: Place) -> Choice:
        regions, count = place.regions, place.head.candidates.count
        at = (self.done[:, None] + regions.number).clamp_max(self.take.shape[1] - 1)
        self.done = self.done + regions.counts
        chosen = torch.where(regions.mask, self.take.gather(1, at), 0)
        if int(chosen.min()) < 0 or int(chosen.max()) >= count:
            raise TtskitError(
                f"the take chooses candidate {int(chosen.max())}, there are 0 to {count - 1}: it "
                "is of another model or text"
            )
        share = (self.take[:, :1] / 100).expand(-1, chosen.shape[1])
        return Choice(chosen, regions.mask, share)

    def check(self, lengths: Tensor) -> None:
        """Refuse takes of other lengths (B,) than the choices that they were asked for."""
        for given, made in zip(lengths.tolist(), self.done.tolist(), strict=True):
            if given != made:
                raise TtskitError(
                    f"the take has {given - 1} choices, needs {made - 1}: it is of another text, "
                    "or of another speed"
                )


class Guided:
    """The best candidate by a measure where there is one; elsewhere another rule chooses.

    Where the share of that rule is kept, candidates are judged as they are after it.
    """

    def __init__(
        self,
        known: Tensor,
        measure: Callable[[int], Measure],
        otherwise: Choose,
        *,
        whole: bool = True,
    ) -> None:
        """Judge by `measure` of a scale where frames are known, (B, T) bool.

        Candidates are taken `whole`, or by the share of the other rule.
        """
        self.known, self.measure, self.otherwise = known, measure, otherwise
        self.whole = whole

    def __call__(self, place: Place) -> Choice:
        chosen, real, share = self.otherwise(place)
        known = coarser(self.known, place.scale)[:, None].float()  # (B, 1, L)
        guided = place.regions.shared(known)[:, 0] > 0
        share = torch.ones_like(known[:, 0]) if share is None else share
        if self.whole:
            share = torch.where(guided, 1.0, share)
        measure = toned_down(self.measure(place.scale), place, share)
        judged = place.head.candidates.judged(place.features, place.previous, measure)
        best = place.regions.shared(judged * known).argmin(1)
        return Choice(torch.where(guided & real, best, chosen), real, share)


def toned_down(measure: Measure, place: Place, share: Tensor) -> Measure:
    """Return a measure of candidates of whose difference from the expected one a share is taken.

    `share` is (B, L).
    """
    if bool((share == 1).all()):
        return measure
    expected = place.expected().chunk(2, 1)[0]  # (B, P, L)

    def of_shares(candidates: Tensor, start: int) -> Tensor:
        some = slice(start, start + candidates.shape[3])
        middle = expected[:, None, :, some]
        return measure(middle + share[:, None, None, some] * (candidates - middle), start)

    return of_shares
