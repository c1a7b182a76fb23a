"""Iterative refinement: plans, orders and early stops, with a predictor that knows the truth."""

import math

import pytest
import torch

from ttskit.networks.refinement import REFINEMENTS, Guess, Pass, drawn, plan, refined, staged

BOOKS, SIZE = 3, 7


class Oracle:
    """Predicts the true codes, but those of a place only once the one before it is known."""

    def __init__(self, codes, confidence=None, quality=0.0, threshold=2.0, chained=False):
        self.codes, self.chained, self.seen = codes, chained, []
        steps = torch.arange(codes.shape[1], 0, -1.0) / (codes.shape[1] + 1)
        self.confidence = steps[None, :, None].expand(codes.shape)
        if confidence is not None:
            self.confidence = torch.full(codes.shape, confidence)
        self.quality = torch.full((len(codes), BOOKS), quality)
        self.limits = torch.full((BOOKS,), threshold), torch.full((BOOKS,), 0.9)

    def __call__(self, codes):
        self.seen.append(codes.clone())
        told = self.codes.clone()
        if self.chained:
            before = torch.cat([torch.zeros_like(codes[:, :1]), codes[:, :-1]], 1)
            told[before == SIZE] = 0
        logits = torch.nn.functional.one_hot(told, SIZE).float() * 20
        return Guess(logits, self.confidence, self.quality, *self.limits)


def truth(lengths=(12, 9), seed=0):
    g = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    codes = torch.randint(1, SIZE, (len(lengths), max(lengths), BOOKS), generator=g)
    return codes * mask[..., None], mask


@pytest.mark.parametrize("books", [1, 3, 4])
@pytest.mark.parametrize("iterations", [1, 2, 3, 4, 8, 12])
def test_a_plan_fills_every_book_once_in_the_asked_number_of_passes(iterations, books):
    passes = plan(iterations, books)
    assert len(passes) == iterations
    filled = [book for one in passes if not one.hidden for book in range(one.first, one.last)]
    assert filled == list(range(books))
    first = [one.hidden for one in passes if one.first == 0]
    assert first == sorted(first, reverse=True)


def test_spare_passes_follow_a_cosine():
    assert plan(4, 2)[:2] == [Pass(0, 1, math.cos(math.pi / 6)), Pass(0, 1, math.cos(math.pi / 3))]


@pytest.mark.parametrize("start", REFINEMENTS)
@pytest.mark.parametrize("iterations", [1, 2, 3, 6, 20])
def test_an_oracle_is_believed(start, iterations):
    codes, mask = truth()
    out, taken = REFINEMENTS[start](Oracle(codes), mask, BOOKS, SIZE, iterations)
    assert torch.equal(out, codes)
    assert 1 <= taken <= iterations


def test_more_iterations_help_where_codes_depend_on_each_other():
    """The fault of iterations that change nothing: each has to see what the last one filled in."""
    codes, mask = truth((12,))
    right = [
        (refined(Oracle(codes, chained=True), mask, BOOKS, SIZE, count)[0] == codes).float().mean()
        for count in (1, 4, 14)
    ]
    assert right[0] < right[1] < right[2]


def test_the_most_confident_codes_are_kept_first():
    codes, mask = truth((12,))
    oracle = Oracle(codes)
    refined(oracle, mask, BOOKS, SIZE, 6)
    for seen in oracle.seen:
        known = seen[0, :, 0] != SIZE
        assert known.int().diff().max() <= 0  # confidence falls along the utterance


def test_no_pass_is_taken_for_a_book_that_is_filled():
    codes, mask = truth()
    sure, good = Oracle(codes, confidence=0.99, threshold=0.5), Oracle(codes, quality=0.95)
    for oracle in (sure, good):
        out, taken = refined(oracle, mask, BOOKS, SIZE, 12)
        assert torch.equal(out, codes)
        assert taken == len(oracle.seen) < 12
    _, unsure = refined(Oracle(codes), mask, BOOKS, SIZE, 12)
    assert unsure == 12


def test_a_lower_bar_as_iterations_go_on():
    """A confidence that is too low at first is high enough later."""
    codes, mask = truth((100,))
    _, taken = refined(Oracle(codes, confidence=0.8, threshold=0.5), mask, BOOKS, SIZE, 12)
    assert BOOKS + 1 < taken < 12


def test_noise_follows_its_generator():
    codes, mask = truth()
    flat = Oracle(torch.ones_like(codes))
    flat.codes = codes

    def draw(seed, noise):
        generator = torch.Generator().manual_seed(seed)
        return refined(flat, mask, BOOKS, SIZE, 5, noise, generator)[0]

    assert torch.equal(draw(1, 30.0), draw(1, 30.0))
    assert not torch.equal(draw(1, 30.0), draw(2, 30.0))
    assert torch.equal(draw(1, 0.0), draw(2, 0.0))


def test_stages_hide_a_book_and_those_after_it():
    codes, mask = truth()
    for stage, hidden in enumerate(staged(codes, mask)):
        assert not hidden[..., :stage].any()
        assert torch.equal(hidden[..., stage:], mask[..., None].expand(-1, -1, BOOKS - stage))


def test_what_is_hidden_in_training_is_never_padding_and_varies():
    torch.manual_seed(0)
    codes, mask = truth((40, 20))
    shares = []
    for _ in range(300):
        hidden = drawn(codes, mask)
        assert not (hidden & ~mask[..., None]).any()
        shares.append(hidden.sum(1) / mask.sum(1)[:, None])
    mean = torch.cat(shares).mean(0)
    assert mean[0] < mean[1] < mean[2]  # later books are hidden more often
    assert 0.4 < mean.mean() < 0.9
