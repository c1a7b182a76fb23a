"""Drawing the next code from what a model predicts.

Shapes: B batch, L recent codes, V codes of a book.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

MOST = 128  # codes that are put in order, which takes long; all of them where these are too few


def draw(
    logits: Tensor, generator: torch.Generator | None, temperature: float, top_p: float
) -> Tensor:
    """Return a code of each row of logits (B, V), (B,).

    Logits are divided by the temperature; 0 takes the likeliest code.  Of the others, only the
    likeliest that together have a probability of `top_p` can be drawn (Holtzman et al., 2020).
    """
    if temperature <= 0:
        return logits.argmax(1)
    probability, code = _likeliest((logits / temperature).softmax(1), top_p)
    before = probability.cumsum(1) - probability
    kept = probability * (before < max(top_p, 1e-9))  # always the likeliest one
    device = generator.device if generator else logits.device
    chance = torch.rand(len(logits), 1, generator=generator, device=device).to(logits)
    place = (kept.cumsum(1) <= chance * kept.sum(1, keepdim=True)).sum(1, keepdim=True)
    last = (kept > 0).sum(1, keepdim=True) - 1
    return code.gather(1, place.minimum(last))[:, 0]


def _likeliest(probability: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Return probabilities (B, L) from the highest down, and of which codes: `top_p` or more."""
    most, codes = probability.topk(min(MOST, probability.shape[1]))
    if (most.sum(1) >= top_p).all():
        return most, codes
    return probability.sort(dim=1, descending=True, stable=True)


def penalised(logits: Tensor, recent: Tensor, penalty: float) -> Tensor:
    """Return logits (B, V), lower for recent codes (B, L), as in CTRL (Keskar et al., 2019).

    Positive ones are divided by the penalty, negative ones multiplied; codes of V and above are
    padding.
    """
    size = logits.shape[1]
    seen = F.one_hot(recent.clamp_max(size), size + 1).amax(1)[:, :size].bool()
    lower = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(seen, lower, logits)
