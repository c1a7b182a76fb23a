"""Quantisers: from vectors to codes, which are whole numbers, and back.

A *book* is a set of `size` vectors, and a code the number of one of them.  A quantiser with several
books describes a vector by one code of each.  Books are in order of importance, so that the first
few codes of a vector give an approximation, if a quantiser has been trained for it.

Finite scalar quantisation (Mentzer et al., 2023) rounds every channel to a few levels.  Vector
quantisation (van den Oord et al., 2017) takes the nearest vector of a learnt book, residual vector
quantisation (Zeghidour et al., 2021) the sum of one vector of each book, found in turn.

Shapes: B batch, L vectors of an utterance, D channels, K books, N vectors of a whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.errors import SettingError
from ttskit.networks.together import of_first, summed

MOST = 2**16  # codes of a book, as a file can hold
ROUNDS = 10  # of k-means
AT_ONCE = 4096  # vectors whose distances from a book are held in memory
DECAY = 0.99  # of the mean and the covariance by which channels are whitened
SPREAD = 1.1  # deviation of whitened channels, by which a Gaussian uses all levels about alike
TINIEST = 1e-6  # added to their variances, of which none is 0
EPSILON = 1e-3  # by which the bound of a channel exceeds its outer levels


class Quantised(NamedTuple):
    """Quantised vectors; the padding holds arbitrary ones."""

    vectors: Tensor  # (B, L, D); their gradient is passed on to what was quantised
    codes: Tensor  # (B, L, K)
    commitment: Tensor  # (B, L), squared distance that teaches the encoder to stay near the books
    codebook: Tensor  # (B, L), squared distance that teaches learnt books to follow the encoder


class Quantiser(nn.Module):
    """Vectors of `dimension` channels as codes of `books` books of `size` vectors each.

    In training only the first few books are used for a share `dropout` of the utterances, so that
    fewer codes suffice.
    """

    def __init__(self, dimension: int, books: int, size: int, dropout: float) -> None:
        super().__init__()
        self.dimension, self.books, self.size = dimension, books, size
        self.dropout = dropout
        if size > MOST:
            raise SettingError(f"a book has {size} codes, needs at most {MOST}")

    def forward(self, latents: Tensor, mask: Tensor) -> Quantised:
        """Quantise latents (B, L, D); mask (B, L) is False in the padding."""
        raise NotImplementedError

    def codes(self, latents: Tensor, mask: Tensor, books: int) -> Tensor:
        """Return the codes (B, L, books) that describe latents best with the first books alone."""
        return self(latents, mask).codes[..., :books]

    def vectors(self, codes: Tensor) -> Tensor:
        """Return the vectors (B, L, D) of codes (B, L, K) of all books, or of the first ones."""
        raise NotImplementedError

    def start(self, latents: Tensor, mask: Tensor) -> None:
        """Set the books from the first latents of a training."""

    def used(self, latents: Tensor) -> Tensor:
        """Return how many books each utterance is to use, (B, 1): all but in training."""
        every = torch.full((len(latents), 1), self.books, device=latents.device)
        if not self.training or not self.dropout:
            return every
        fewer = torch.randint_like(every, 1, self.books + 1)
        return torch.where(
            torch.rand(every.shape, device=every.device) < self.dropout, fewer, every
        )


class FiniteScalar(Quantiser):
    """Channels rounded to `levels` values each, which make a code of a book.

    `groups` of channels have a book each in every stage; a stage rounds what the stage before it
    has left over to the same number of levels.
    """

    levels: Tensor
    basis: Tensor
    mean: Tensor  # (D,), moving average of what is to be rounded
    covariance: Tensor  # (D, D)

    def __init__(self, levels: Sequence[int], groups: int, stages: int, dropout: float) -> None:
        if min(levels) < 3:
            raise SettingError(f"levels has {min(levels)}, needs at least 3")
        size, dimension = math.prod(levels), len(levels) * groups
        super().__init__(dimension, groups * stages, size, dropout)
        self.groups, self.stages = groups, stages
        basis = [math.prod(levels[:place]) for place in range(len(levels))]
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.register_buffer("basis", torch.tensor(basis), persistent=False)
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("covariance", SPREAD**2 * torch.eye(dimension))

    def start(self, latents: Tensor, mask: Tensor) -> None:
        if torch.equal(self.mean, torch.zeros_like(self.mean)):
            self._follow(latents[mask], 1.0)

    def forward(self, latents: Tensor, mask: Tensor) -> Quantised:
        real, latents = latents[mask].detach(), self.whitened(latents)
        if self.training and torch.is_grad_enabled():  # and not only for critics
            self._follow(real, 1 - DECAY)
        grouped = latents.view(*latents.shape[:2], self.groups, -1)
        smooth = self.bounded(grouped)  # (B, L, G, levels)
        used, codes, total = self.used(latents), [], torch.zeros_like(smooth)
        for stage in range(self.stages):
            digits = self._digits(smooth.detach() - total, stage)
            codes.append((digits * self.basis).sum(3))
            books = torch.arange(self.groups, device=latents.device) + stage * self.groups
            wanted = (books < used)[:, None, :, None]
            total = total + torch.where(wanted, self._values(digits, stage), 0.0)
        vectors = (smooth + (total - smooth).detach()).flatten(2)
        nothing = vectors.new_zeros(vectors.shape[:2])
        return Quantised(vectors, torch.cat(codes, 2), nothing, nothing)

    def vectors(self, codes: Tensor) -> Tensor:
        digits = codes[..., None] // self.basis % self.levels  # (B, L, K, levels)
        total = torch.zeros(*codes.shape[:2], self.groups, len(self.levels), device=codes.device)
        for stage, some in enumerate(torch.split(digits, self.groups, 2)):
            total[:, :, : some.shape[2]] += self._values(some, stage)
        return total.flatten(2)

    def whitened(self, latents: Tensor) -> Tensor:
        """Return latents (..., D) as channels that are not correlated and equally spread."""
        with torch.autocast(latents.device.type, enabled=False):
            factor = torch.linalg.cholesky(self.covariance) / SPREAD
            away = (latents - self.mean).mT
            return torch.linalg.solve_triangular(factor, away, upper=False).mT

    @torch.no_grad()
    def _follow(self, latents: Tensor, share: float) -> None:
        """Update the moving averages by latents (N, D)."""
        self.mean.lerp_(latents.mean(0), share)
        away = latents - self.mean
        with torch.autocast(latents.device.type, enabled=False):
            covariance = away.T @ away / len(away)
        covariance.diagonal().add_(TINIEST)
        self.covariance.lerp_(covariance, share)

    def bounded(self, latents: Tensor) -> Tensor:
        """Return channels bounded to little more than -1 to 1, as in the paper."""
        half = (self.levels - 1) * (1 + EPSILON) / 2
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0)
        shift = torch.atanh(offset / half)
        return (torch.tanh(latents + shift) * half - offset) / (self.levels // 2)

    def _unit(self, stage: int) -> Tensor:
        """Return how far from 0 the values of a later stage are at most."""
        return 0.5 / (self.levels // 2) / (self.levels - 1.0) ** (stage - 1)

    def _digits(self, values: Tensor, stage: int) -> Tensor:
        """Return the number of the level nearest to each value."""
        if not stage:
            return (values * (self.levels // 2)).round().long() + self.levels // 2
        steps = (values / self._unit(stage) + 1) / 2 * (self.levels - 1)
        return steps.round().long().clamp(min=0).minimum(self.levels - 1)

    def _values(self, digits: Tensor, stage: int) -> Tensor:
        """Return the values of levels by number."""
        if not stage:
            return digits / (self.levels // 2) - 1
        return (2 * digits / (self.levels - 1) - 1) * self._unit(stage)


class Codebook(nn.Module):
    """Vectors that are learnt: by the gradient, or as moving averages of those nearest to them.

    Vectors that are used less than `replace` times as often as the average one are dead: they
    become random ones of those to be quantised.
    """

    table: Tensor  # (size, D)
    usage: Tensor  # (size,), moving average of the share of vectors that are nearest to each
    sums: Tensor  # (size, D), moving average of their sum, over the count of all

    def __init__(
        self, size: int, dimension: int, *, learnt: bool, decay: float, replace: float
    ) -> None:
        super().__init__()
        self.learnt, self.decay, self.replace = learnt, decay, replace
        table = torch.empty(size, dimension).normal_()
        if learnt:
            self.table = nn.Parameter(table)
        else:
            self.register_buffer("table", table)
        self.register_buffer("usage", torch.zeros(size))
        self.register_buffer("sums", torch.zeros(size, dimension))

    @torch.no_grad()
    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the number of the nearest vector of the book for each of (..., D)."""
        parts = torch.split(vectors.flatten(0, -2), AT_ONCE)
        with torch.autocast(vectors.device.type, enabled=False):  # near ones differ by little
            nearest = [self.distances(part).argmin(1) for part in parts]
        return torch.cat(nearest).view(vectors.shape[:-1])

    def distances(self, vectors: Tensor) -> Tensor:
        """Return squared distances (..., size) of (..., D), less the squares of their lengths."""
        lengths, parts = self.table.square().sum(1), vectors.flatten(0, -2)
        distances = torch.addmm(lengths, parts, self.table.T, alpha=-2)
        return distances.view(*vectors.shape[:-1], -1)

    @torch.no_grad()
    def start(self, vectors: Tensor) -> None:
        """Set a new book by k-means of vectors (N, D); one that has been trained stays."""
        if self.usage.any():
            return
        self._set(torch.arange(len(self.table)), vectors)
        for _ in range(ROUNDS):
            counts, sums = self._sums(vectors, self.nearest(vectors))
            found = counts > 0
            self.table[found] = sums[found] / counts[found, None]
        self.usage.copy_(counts / counts.sum())
        self.sums.copy_(self.table * self.usage[:, None])

    @torch.no_grad()
    def follow(self, vectors: Tensor, nearest: Tensor) -> None:
        """Update the averages by vectors (N, D) and the numbers of their nearest (N,)."""
        counts, sums = (summed(one) for one in self._sums(vectors, nearest))
        if not (every := counts.sum()):
            return  # an update may use no stage so late
        self.usage.lerp_(counts / every, 1 - self.decay)
        self.sums.lerp_(sums / every, 1 - self.decay)
        if not self.learnt:
            known = self.usage > 0
            self.table[known] = self.sums[known] / self.usage[known, None]
        average = self.usage.mean()
        dead = (self.usage < self.replace * average).nonzero()[:, 0]
        if len(dead):
            self._set(dead, vectors)
            self.usage[dead] = average
            self.sums[dead] = self.table[dead] * average

    def _sums(self, vectors: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
        """Return the count and the sum of the vectors that each one of the book is nearest to."""
        counts = torch.zeros_like(self.usage).index_add_(0, nearest, torch.ones_like(vectors[:, 0]))
        return counts, torch.zeros_like(self.sums).index_add_(0, nearest, vectors)

    def _set(self, places: Tensor, vectors: Tensor) -> None:
        """Set some vectors of the book to random ones of (N, D), no two to the same."""
        source = vectors if len(vectors) else self.table  # another process may have them all
        drawn = torch.randperm(len(source), device=source.device)
        drawn = drawn.repeat(-(-len(places) // len(drawn)))[: len(places)]
        chosen = source[drawn]
        noise = 1e-3 * source.std(0, correction=0) * torch.randn_like(chosen)
        self.table[places] = of_first(chosen + noise)


class Residual(Quantiser):
    """Books in turn, each of which describes what those before it have left over.

    The codes of a vector are searched for together: `beams` of the best beginnings are followed
    from book to book, as the nearest vector of one book may leave over what the next has not.  In
    training it is one, which is faster.
    """

    def __init__(
        self, dimension: int, codebooks: Sequence[Codebook], dropout: float, beams: int = 1
    ) -> None:
        books, size = len(codebooks), len(codebooks[0].table)
        super().__init__(dimension, books, size, dropout)
        self.codebooks = nn.ModuleList(codebooks)
        self.beams = beams

    def forward(self, latents: Tensor, mask: Tensor) -> Quantised:
        used, rest, codes = self.used(latents), latents, self.search(latents)
        total = torch.zeros_like(latents)
        commitment = codebook = latents.new_zeros(latents.shape[:2])
        for stage, (book, chosen) in enumerate(zip(self._books(), codes.unbind(2), strict=True)):
            vectors = F.embedding(chosen, book.table)
            wanted = stage < used  # (B, 1)
            distance = (rest - vectors.detach()).square().mean(2)
            commitment = commitment + distance * wanted
            if book.learnt:
                codebook = codebook + (rest.detach() - vectors).square().mean(2) * wanted
            if self.training and torch.is_grad_enabled():  # and not only for critics
                there = mask & wanted
                book.follow(rest.detach()[there], chosen[there])
            total = total + vectors.detach() * wanted[..., None]
            rest = rest - vectors.detach()
        straight = latents + (total - latents).detach()
        return Quantised(straight, codes, commitment, codebook)

    def codes(self, latents: Tensor, mask: Tensor, books: int) -> Tensor:  # noqa: ARG002
        return self.search(latents, books)

    @torch.no_grad()
    def search(self, vectors: Tensor, books: int | None = None) -> Tensor:
        """Return codes (..., K) of vectors (..., D) whose sum is near to them.

        With `books`, K is as many: those of the first books, whose sum is near without the others.
        """
        books = books or self.books
        parts = torch.split(vectors.flatten(0, -2), AT_ONCE // self.beams)
        with torch.autocast(vectors.device.type, enabled=False):
            codes = torch.cat([self._found(part.float(), books) for part in parts])
        return codes.view(*vectors.shape[:-1], books)

    def _found(self, vectors: Tensor, books: int) -> Tensor:
        """Return codes (N, books) of vectors (N, D)."""
        rest = vectors[:, None]  # (N, beams, D), what the best beginnings leave over
        codes = torch.zeros(len(vectors), 1, 0, dtype=torch.long, device=vectors.device)
        for stage, book in enumerate(islice(self._books(), books), 1):
            left = rest.square().sum(2, keepdim=True) + book.distances(rest)  # (N, beams, size)
            kept = 1 if self.training or stage == books else self.beams
            best = _lowest(left.flatten(1), kept)  # (N, kept)
            before, code = best // self.size, best % self.size
            rest = rest.gather(1, before[..., None].expand(-1, -1, rest.shape[2]))
            rest = rest - F.embedding(code, book.table)
            codes = codes.gather(1, before[..., None].expand(-1, -1, codes.shape[2]))
            codes = torch.cat([codes, code[..., None]], 2)
        return codes[:, 0]

    def vectors(self, codes: Tensor) -> Tensor:
        books = zip(codes.unbind(2), self._books(), strict=False)
        return torch.stack([F.embedding(one, book.table) for one, book in books]).sum(0)

    def start(self, latents: Tensor, mask: Tensor) -> None:
        rest = latents[mask]
        for book in self._books():
            book.start(rest)
            rest = rest - book.table[book.nearest(rest)]

    def _books(self) -> Iterator[Codebook]:
        for book in self.codebooks:
            assert isinstance(book, Codebook)
            yield book


def _lowest(values: Tensor, count: int) -> Tensor:
    """Return where the lowest of values (N, places) are, (N, count), or all if there are fewer."""
    if count == 1:
        return values.argmin(1, keepdim=True)
    return values.topk(min(count, values.shape[1]), largest=False).indices


def perplexity(counts: Tensor) -> Tensor:
    """Return how many codes would be as varied if all were equally frequent.

    Parameters
    ----------
    counts : (..., size), how often each code of a book is used
    """
    shares = counts.float() / counts.sum(-1, keepdim=True).clamp(min=1)
    return torch.special.entr(shares).sum(-1).exp()


def frequencies(codes: Tensor, size: int) -> Tensor:
    """Return how often each code of every book is used, (K, size), of codes (N, K)."""
    return torch.stack([torch.bincount(column, minlength=size) for column in codes.unbind(1)])
