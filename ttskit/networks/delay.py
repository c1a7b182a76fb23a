"""The delay pattern of several books (Copet et al., 2023, MusicGen).

At step s, book k is at place s - k: of one place, each book is predicted after those before it,
and a step predicts one code of every book.

Shapes: B batch, C places, K books, S = C + K - 1 steps.
"""

from __future__ import annotations

import torch
from torch import Tensor


def delayed(codes: Tensor, padding: int) -> Tensor:
    """Return codes (B, C, K) by step, (B, S, K), with `padding` before and after each book."""
    utterances, places, books = codes.shape
    steps = codes.new_full((utterances, places + books - 1, books), padding)
    for book in range(books):
        steps[:, book : book + places, book] = codes[:, :, book]
    return steps


def undelayed(steps: Tensor) -> Tensor:
    """Return what is by step, (B, S, K, ...), by place, (B, C, K, ...)."""
    books = steps.shape[2]
    places = steps.shape[1] - books + 1
    return torch.stack([steps[:, book : book + places, book] for book in range(books)], 2)
