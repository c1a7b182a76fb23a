"""Quantisers, beside vector-quantize-pytorch where both promise the same."""

import warnings

import pytest
import torch

from ttskit.errors import SettingError
from ttskit.networks.quantisers import Codebook, FiniteScalar, Residual, frequencies, perplexity

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from vector_quantize_pytorch import FSQ, ResidualVQ, VectorQuantize

LEVELS = [8, 5, 4, 3]


def latents(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def whole(x):
    """A mask without padding."""
    return torch.ones(x.shape[:2], dtype=torch.bool)


def books(count, size=16, dimension=6, **settings):
    torch.manual_seed(3)
    settings = {"learnt": False, "decay": 0.9, "replace": 0.0, **settings}
    return [Codebook(size, dimension, **settings) for _ in range(count)]


def residual(count, dropout=0.0, beams=1, **settings):
    made = books(count, **settings)
    return Residual(made[0].table.shape[1], made, dropout, beams)


def test_rounded_channels_and_codes_are_those_of_the_paper():
    x = latents(3, 50, 8, scale=2.0)
    ours, theirs = FiniteScalar(LEVELS, 2, 1, 0.0), FSQ(LEVELS, num_codebooks=2)
    result, (values, indices) = ours(x, whole(x)), theirs(x)
    torch.testing.assert_close(result.vectors, values)
    assert torch.equal(result.codes, indices.long())
    torch.testing.assert_close(ours.vectors(indices.long()), theirs.indices_to_codes(indices))


def test_the_gradient_of_rounding_is_that_of_the_bound_alone():
    x = latents(2, 20, 4).requires_grad_()
    weights = latents(2, 20, 4, seed=1)
    gradients = []
    for quantise in (lambda x: FiniteScalar(LEVELS, 1, 1, 0.0)(x, whole(x))[0], FSQ(LEVELS)):
        result = quantise(x)
        values = result if isinstance(result, torch.Tensor) else result[0]
        gradients += torch.autograd.grad((values * weights).sum(), x)
    assert gradients[0].abs().min() > 0
    torch.testing.assert_close(*gradients)


def test_every_level_is_reached():
    x = torch.linspace(-6, 6, 2000)[None, :, None].expand(-1, -1, 4)
    codes = FiniteScalar(LEVELS, 1, 1, 0.0)(x, whole(x)).codes
    digits = codes // torch.tensor([1, 8, 40, 160]) % torch.tensor(LEVELS)
    assert [len(column.unique()) for column in digits[0].unbind(1)] == LEVELS


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_a_stage_of_rounding_leaves_half_a_step_at_most(stages):
    x = latents(2, 200, 4)
    quantiser = FiniteScalar(LEVELS, 1, stages, 0.0)
    bounded = quantiser.bounded(x)
    step = 1 / (torch.tensor(LEVELS) // 2) / (torch.tensor(LEVELS) - 1.0) ** (stages - 1)
    error = (quantiser(x, whole(x)).vectors - bounded).abs() / step
    assert error.max() <= 0.5 + 1e-2  # the bound of the paper is slightly beyond the outer levels
    assert error.max() > 0.4


@pytest.mark.parametrize("quantiser", [FiniteScalar(LEVELS, 2, 3, 0.0), residual(4, dimension=8)])
def test_codes_give_back_the_quantised_vectors(quantiser):
    x = latents(2, 30, 8)
    result = quantiser.eval()(x, whole(x))
    assert result.codes.shape == (2, 30, quantiser.books)
    assert 0 <= result.codes.min() <= result.codes.max() < quantiser.size
    torch.testing.assert_close(quantiser.vectors(result.codes), result.vectors)


@pytest.mark.parametrize("quantiser", [FiniteScalar(LEVELS, 1, 3, 0.0), residual(3, dimension=4)])
def test_every_book_brings_the_vectors_nearer(quantiser):
    x = latents(2, 300, 4)
    quantiser.start(x, whole(x))
    result = quantiser.eval()(x, whole(x))
    bounded = isinstance(quantiser, FiniteScalar)
    target = quantiser.bounded(quantiser.whitened(x)) if bounded else x
    errors = [
        (quantiser.vectors(result.codes[:, :, :count]) - target.view(2, 300, 4)).square().mean()
        for count in (1, 2, 3)
    ]
    assert errors[0] > 1.5 * errors[1] > 1.5**2 * errors[2]


def test_channels_are_whitened_so_that_all_levels_are_used():
    mixing = torch.tensor([[3.0, 0, 0, 0], [2.9, 0.2, 0, 0], [0, 0, 0.02, 0], [1, 1, 0, 0.5]])
    x = latents(1, 20_000, 4) @ mixing.T + 2.0
    quantiser = FiniteScalar(LEVELS, 1, 1, 0.0)
    before = perplexity(frequencies(quantiser(x, whole(x)).codes[0], quantiser.size))
    quantiser = FiniteScalar(LEVELS, 1, 1, 0.0)
    quantiser.start(x, whole(x))
    codes = quantiser.eval()(x, whole(x)).codes[0]
    assert before < 0.1 * quantiser.size
    assert perplexity(frequencies(codes, quantiser.size)) > 0.9 * quantiser.size
    assert len(codes.unique()) == quantiser.size
    white = quantiser.whitened(x)[0]
    torch.testing.assert_close(white.T.cov(), 1.21 * torch.eye(4), atol=1e-2, rtol=0)


def test_whitening_follows_the_encoder_without_the_padding():
    quantiser, mask = FiniteScalar(LEVELS, 1, 1, 0.0), torch.arange(50) < 40
    for update in range(600):
        x = 5 * latents(4, 50, 4, seed=update) + 1
        quantiser(torch.where(mask[:, None], x, 1e3), mask.expand(4, -1))
    torch.testing.assert_close(quantiser.mean, torch.ones(4), atol=0.2, rtol=0)
    torch.testing.assert_close(quantiser.covariance, 25 * torch.eye(4), atol=1.5, rtol=0)


@pytest.mark.parametrize("quantiser", [FiniteScalar(LEVELS, 1, 1, 0.0), residual(2, dimension=4)])
def test_only_the_turn_of_the_encoder_moves_a_quantiser(quantiser):
    x = latents(2, 30, 4)
    before = {name: value.clone() for name, value in quantiser.state_dict().items()}
    with torch.no_grad():
        quantiser(x, whole(x))
    for name, value in quantiser.state_dict().items():
        assert torch.equal(value, before[name])
    quantiser(x, whole(x))
    assert any((value != before[name]).any() for name, value in quantiser.state_dict().items())


@pytest.mark.parametrize("quantiser", [FiniteScalar(LEVELS, 1, 2, 0.0), residual(2, dimension=4)])
def test_codes_are_those_of_full_precision_where_layers_have_half(quantiser):
    x = latents(2, 500, 4)
    expected = quantiser.eval()(x, whole(x)).codes
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(quantiser(x, whole(x)).codes, expected)


def test_the_nearest_vectors_are_found():
    (book,), x = books(1), latents(5, 40, 6)
    brute = (x[:, :, None] - book.table).square().sum(3).argmin(2)
    assert torch.equal(book.nearest(x), brute)


def test_moving_averages_of_a_book_are_those_of_the_reference():
    quantiser = residual(1)
    book = quantiser.codebooks[0]
    theirs = VectorQuantize(
        6, 16, decay=0.9, commitment_weight=1.0, rotation_trick=False, kmeans_init=False
    )
    theirs._codebook.embed.data.copy_(book.table[None])
    theirs._codebook.embed_avg.data.copy_(book.table[None])
    theirs._codebook.cluster_size.data.fill_(1.0)
    book.usage.fill_(1.0 / 200)  # ours are shares of the vectors, theirs are counts
    book.sums.copy_(book.table / 200)
    for update in range(5):
        x = latents(4, 50, 6, seed=update)
        ours, (values, indices, distance) = quantiser(x, whole(x)), theirs(x)
        assert torch.equal(ours.codes[..., 0], indices)
        torch.testing.assert_close(ours.vectors, values)
        torch.testing.assert_close(ours.commitment.mean(), distance.squeeze())
        torch.testing.assert_close(book.table, theirs._codebook.embed[0], rtol=1e-3, atol=1e-4)


def test_books_in_turn_are_those_of_the_reference():
    quantiser, x = residual(3).eval(), latents(2, 40, 6)
    theirs = ResidualVQ(dim=6, codebook_size=16, num_quantizers=3, kmeans_init=False).eval()
    for layer, book in zip(theirs.layers, quantiser.codebooks, strict=True):
        layer._codebook.embed.data.copy_(book.table[None])
    values, indices, *_ = theirs(x)
    result = quantiser(x, whole(x))
    assert torch.equal(result.codes, indices)
    torch.testing.assert_close(result.vectors, values)


def test_the_codes_of_all_books_are_the_best_there_are_if_every_beginning_is_followed():
    quantiser, x = residual(2, beams=16).eval(), latents(2, 40, 6)
    first, second = (book.table for book in quantiser.codebooks)
    sums = (first[:, None] + second).flatten(0, 1)
    best = (x[:, :, None] - sums).square().sum(3).argmin(2)
    codes = quantiser(x, whole(x)).codes
    assert torch.equal(16 * codes[..., 0] + codes[..., 1], best)
    greedy = residual(2).search(x)
    assert not torch.equal(codes, greedy)


def test_the_codes_of_the_first_books_are_the_best_without_the_others():
    quantiser, x = residual(3, beams=16).eval(), latents(2, 40, 6)
    (nearest,) = quantiser.codes(x, whole(x), 1).unbind(2)
    assert torch.equal(nearest, quantiser.codebooks[0].nearest(x))
    assert not torch.equal(nearest, quantiser.codes(x, whole(x), 3)[..., 0])
    two = residual(2, beams=16).eval()
    two.codebooks = quantiser.codebooks[:2]
    assert torch.equal(quantiser.codes(x, whole(x), 2), two.codes(x, whole(x), 2))


def test_codes_do_not_depend_on_how_many_are_searched_for_at_once(monkeypatch):
    quantiser, x = residual(3, beams=4), latents(3, 50, 6)
    together = quantiser.search(x)
    monkeypatch.setattr("ttskit.networks.quantisers.AT_ONCE", 28)
    assert torch.equal(quantiser.search(x), together)


def test_the_gradient_of_a_vector_goes_straight_to_what_was_quantised():
    x, weights = latents(2, 20, 6).requires_grad_(), latents(2, 20, 6, seed=1)
    result = residual(3)(x, whole(x))
    (gradient,) = torch.autograd.grad((result.vectors * weights).sum(), x)
    torch.testing.assert_close(gradient, weights)


def test_commitment_moves_the_encoder_and_not_the_books():
    quantiser, x = residual(1, learnt=True), latents(2, 20, 6).requires_grad_()
    table = quantiser.codebooks[0].table
    result = quantiser(x, whole(x))
    own, books = torch.autograd.grad(result.commitment.sum(), (x, table), allow_unused=True)
    torch.testing.assert_close(own, (x - result.vectors).detach() / 3)  # 2 / D
    assert books is None
    own, books = torch.autograd.grad(result.codebook.sum(), (x, table), allow_unused=True)
    assert own is None
    assert books.abs().sum() > 0


def test_k_means_finds_planted_centres():
    torch.manual_seed(1)
    centres = 10 * torch.eye(6)
    x = centres[torch.randint(6, (1, 3000))] + 0.1 * latents(1, 3000, 6)
    quantiser = residual(1, size=24)
    quantiser.start(x, whole(x))
    nearest = (centres[:, None] - quantiser.codebooks[0].table).norm(dim=2).amin(1)
    assert nearest.max() < 0.2


def test_a_trained_book_is_not_started_anew():
    quantiser, x = residual(2), latents(1, 200, 6)
    quantiser.start(x, whole(x))
    before = torch.stack([book.table for book in quantiser.codebooks])
    quantiser.start(5 + x, whole(x))
    assert torch.equal(torch.stack([book.table for book in quantiser.codebooks]), before)


def test_dead_vectors_are_replaced_and_others_are_not():
    (book,) = books(1, size=4, dimension=2, replace=0.1)
    table = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [90.0, 90.0]])
    book.table.copy_(table)
    book.sums.copy_(table)
    book.usage.fill_(1.0)
    x = table[torch.arange(300) % 3]
    for _ in range(40):
        book.follow(x, book.nearest(x))
    torch.testing.assert_close(book.table[:3], table[:3], rtol=0, atol=1e-2)
    assert (book.table[3] - table[:3]).norm(dim=1).min() < 0.1


@pytest.mark.parametrize("size", [8, 40])
def test_a_book_of_more_vectors_than_data_starts(size):
    quantiser, x = residual(2, size=size), latents(1, 10, 6)
    quantiser.start(x, whole(x))
    assert len(quantiser.codebooks[0].table.unique(dim=0)) == size
    assert quantiser.codebooks[0].table.isfinite().all()


def test_padding_does_not_move_the_books():
    x, mask = latents(2, 20, 6), torch.arange(20) < torch.tensor([[20], [9]])
    tables = []
    for padding in (0.0, 50.0):
        quantiser = residual(2)
        padded = torch.where(mask[..., None], x, padding)
        quantiser.start(padded, mask)
        quantiser(padded, mask)
        tables.append(torch.stack([book.table for book in quantiser.codebooks]))
    torch.testing.assert_close(*tables)


@pytest.mark.parametrize(
    "quantiser",
    [
        FiniteScalar(LEVELS, 1, 3, 1.0),
        FiniteScalar(LEVELS, 3, 1, 1.0),
        residual(3, dropout=1.0, dimension=4),
    ],
    ids=["stages", "groups", "vectors"],
)
def test_dropout_uses_the_first_books_only_and_only_in_training(quantiser):
    x = latents(200, 3, quantiser.dimension)
    torch.manual_seed(0)
    result = quantiser.eval()(x, whole(x))
    torch.testing.assert_close(result.vectors, quantiser.vectors(result.codes))
    partial = torch.stack([quantiser.vectors(result.codes[..., :n]) for n in (1, 2, 3)])
    trained = quantiser.train()(x, whole(x)).vectors
    alike = (trained - partial).abs().amax((2, 3)) < 1e-5  # (stages, utterance)
    assert alike.any(0).all()
    assert (alike.sum(1) > 30).all()


def test_perplexity_counts_what_is_used():
    assert perplexity(torch.tensor([[5, 5, 0, 5], [7, 0, 0, 0]])).tolist() == pytest.approx([3, 1])
    counts = frequencies(torch.tensor([[0, 2], [0, 1], [3, 2]]), 4)
    assert counts.tolist() == [[2, 0, 0, 1], [0, 1, 2, 0]]


@pytest.mark.parametrize("levels", [[2, 8], [64, 64, 64]])
def test_levels_that_make_no_code_are_refused(levels):
    with pytest.raises(SettingError, match="needs at"):
        FiniteScalar(levels, 1, 1, 0.0)
