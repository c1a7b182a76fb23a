"""Iterative refinement: codes are filled in from masks, the most confident first.

The order is that of MaskGIT (Chang et al., 2022): each pass predicts every code that is hidden,
and keeps the share of them that is due.  Books are filled in one after the other, so that the
codes of a book are chosen beside those before it (SoundStorm, Borsos et al., 2023).

Shapes: B batch, C codes of an utterance, K books, V codes of a book.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

JOINT = 0.25  # share of the utterances trained with codes hidden in all books alike


class Pass(NamedTuple):
    """One pass of a plan: the books that it fills in, and how far."""

    first: int
    last: int  # the one after the last book
    hidden: float  # share of their codes that are hidden after it


class Guess(NamedTuple):
    """What a pass over codes predicts."""

    logits: Tensor  # (B, C, K, V)
    confidence: Tensor  # (B, C, K), how likely the most likely code is right
    quality: Tensor  # (B, K), share of the hidden codes that are right
    threshold: Tensor  # (K,), confidence above which a code is kept at once
    enough: Tensor  # (K,), quality at which no further pass improves a book


def plan(iterations: int, books: int) -> list[Pass]:
    """Return the passes: one for each book, and those to spare for the first.

    With fewer passes than books the last pass fills in all that are left.
    """
    if iterations < books:
        passes = [Pass(book, book + 1, 0.0) for book in range(iterations - 1)]
        return [*passes, Pass(iterations - 1, books, 0.0)]
    spare = iterations - books + 1
    shares = [math.cos(math.pi / 2 * (number + 1) / spare) for number in range(spare - 1)]
    return [Pass(0, 1, share) for share in (*shares, 0.0)] + [
        Pass(book, book + 1, 0.0) for book in range(1, books)
    ]


@torch.no_grad()
def refined(
    predict: Callable[[Tensor], Guess],
    mask: Tensor,
    books: int,
    size: int,
    iterations: int,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, int]:
    """Return codes (B, C, K), and how many passes were taken: at most `iterations`.

    A book is left early once all its codes are kept, or its predicted quality is high enough.

    Parameters
    ----------
    predict : from codes, of which the hidden ones are `size`, to what is predicted
    mask : (B, C) bool, False in the padding
    noise : float
        Temperature of the codes and of their order; at 0 the most likely ones are taken.
    """
    codes = torch.full((*mask.shape, books), size, device=mask.device)
    taken = 0
    for step in plan(iterations, books):
        part = slice(step.first, step.last)
        hidden = (codes[..., part] == size) & mask[..., None]
        if not hidden.any():
            continue
        taken += 1
        guess = predict(codes)
        chosen = _chosen(guess.logits[..., part, :], noise, generator)
        kept = hidden
        if step.hidden:
            kept = _kept(guess, part, hidden, mask, step.hidden, noise, generator)
        codes[..., part] = torch.where(kept, chosen, codes[..., part])
    return codes * mask[..., None], taken


@torch.no_grad()
def revised(
    predict: Callable[[Tensor], Guess],
    mask: Tensor,
    books: int,
    size: int,
    iterations: int,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, int]:
    """Return codes as `refined` does, starting from a first guess of all of them.

    Each further pass predicts anew those that it is least confident of, fewer every time.
    """
    codes = torch.full((*mask.shape, books), size, device=mask.device)
    every = mask[..., None].expand(codes.shape)
    hidden = every
    for number in range(iterations):
        guess = predict(torch.where(hidden, size, codes))
        codes = torch.where(hidden, _chosen(guess.logits, noise, generator), codes)
        sure = torch.where(hidden, guess.confidence, 1.0) if number else guess.confidence
        share = math.cos(math.pi / 2 * (number + 1) / iterations)
        due = (share * every.sum((1, 2))).long()
        hidden = _ranks(-sure, every).view(codes.shape) < due[:, None, None]
    return codes * mask[..., None], iterations


REFINEMENTS = {"masks": refined, "guess": revised}


def drawn(codes: Tensor, mask: Tensor) -> Tensor:
    """Return which codes to hide in training, (B, C, K) bool.

    Mostly the books before a random one are known, that one is hidden in part, and those after it
    wholly; for the rest codes of all books are hidden alike.  Shares follow a cosine.
    """
    count, _, books = codes.shape
    share = torch.cos(math.pi / 2 * torch.rand(count, 1, 1, device=codes.device))
    partly = torch.rand(codes.shape, device=codes.device) < share
    stage = torch.randint(books, (count, 1, 1), device=codes.device)
    book = torch.arange(books, device=codes.device)
    staged = (book > stage) | ((book == stage) & partly)
    joint = torch.rand(count, 1, 1, device=codes.device) < JOINT
    return torch.where(joint, partly, staged) & mask[..., None]


def staged(codes: Tensor, mask: Tensor) -> Iterator[Tensor]:
    """Yield what is hidden (B, C, K) when each book is filled in, after those before it."""
    book = torch.arange(codes.shape[2], device=codes.device)
    for stage in range(codes.shape[2]):
        yield (book >= stage) & mask[..., None]


def _chosen(logits: Tensor, noise: float, generator: torch.Generator | None) -> Tensor:
    """Return a code for each place: the most likely one, or one drawn at a temperature."""
    if noise:
        logits = logits / noise + _gumbel(logits, generator)
    return logits.argmax(-1)


def _kept(
    guess: Guess,
    part: slice,
    hidden: Tensor,
    mask: Tensor,
    share: float,
    noise: float,
    generator: torch.Generator | None,
) -> Tensor:
    """Return which of the hidden codes (B, C, 1) of a book are kept."""
    sure = guess.confidence[..., part]
    order = sure.logit(eps=1e-4)
    if noise:
        order = order + noise * share * _gumbel(order, generator)
    due = hidden.sum((1, 2)) - (share * mask.sum(1)).long()  # (B,)
    kept = _ranks(order, hidden).view(hidden.shape) < due.clamp_min(1)[:, None, None]
    bar = guess.threshold[part] + (1 - guess.threshold[part]) * share
    done = guess.quality[:, None, part] >= guess.enough[part]
    return hidden & (kept | (sure >= bar) | done)


def _ranks(values: Tensor, among: Tensor) -> Tensor:
    """Return the place of each value among some of its utterance, the largest first, (B, L)."""
    order = torch.where(among, values, -torch.inf).flatten(1).argsort(1, descending=True)
    return order.argsort(1)


def _gumbel(like: Tensor, generator: torch.Generator | None) -> Tensor:
    device = generator.device if generator else like.device
    uniform = torch.rand(like.shape, generator=generator, device=device).clamp(1e-20, 1 - 1e-7)
    return -(-uniform.log()).log().to(like)
