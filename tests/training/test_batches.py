"""The order of batches, validation utterances, and batches loaded in advance."""

import time

import numpy as np
import pytest

from ttskit.training.batches import Order, ahead, held_out


def test_an_epoch_has_every_utterance_once_in_batches_of_similar_length():
    lengths = np.random.default_rng(0).integers(50, 800, 333)
    order = Order(lengths, 8, seed=1)
    for epoch in range(2):
        numbers = range(epoch * order.per_epoch, (epoch + 1) * order.per_epoch)
        batches = [order.rows(number) for number in numbers]
        assert sorted(np.concatenate(batches)) == list(range(333))
        padding = sum(lengths[rows].max() * len(rows) for rows in batches) / lengths.sum() - 1
        assert padding < 0.05  # in random batches it would be about 0.8


def test_the_order_follows_from_the_seed_and_changes_with_the_epoch():
    lengths = np.arange(1, 101)
    one, same, other = Order(lengths, 5, 3), Order(lengths, 5, 3), Order(lengths, 5, 4)
    rows = [list(one.rows(number)) for number in range(40)]
    assert rows[33] == list(same.rows(33))  # without those before
    assert rows[:20] != rows[20:]
    assert rows != [list(other.rows(number)) for number in range(40)]


def test_every_process_gets_a_share_of_every_batch():
    order = Order(np.arange(1, 10), 8, 0, processes=2)
    assert order.per_epoch == 1  # the remaining utterance cannot be split between two
    assert len(order.rows(0)) == 8


def test_recordings_of_one_text_are_held_out_together():
    texts = [f"text {number % 40}" for number in range(100)]
    held = held_out(texts, 0.1, 64, seed=0)
    assert 8 <= held.sum() <= 12
    inside = {text for text, out in zip(texts, held, strict=True) if out}
    assert inside.isdisjoint(text for text, out in zip(texts, held, strict=True) if not out)


@pytest.mark.parametrize("seed", range(6))
def test_texts_are_held_out_one_by_one_while_they_fit(seed):
    numbers = np.random.default_rng(seed).integers(0, 12, 60)
    texts = [f"text {number}" for number in numbers]
    order = [*dict.fromkeys(texts)]
    held: set[str] = set()
    for place in np.random.default_rng(seed).permutation(len(order)):
        many = sum(text in held for text in texts)
        if many < 12 and many + texts.count(order[place]) <= 14:
            held.add(order[place])
    expected = [text in held for text in texts] if len(held) < len(order) else None
    assert held_out(texts, 0.2, 14, seed).tolist() == expected


@pytest.mark.parametrize("texts", [["a"], ["a", "a", "a"], ["a", "b"]])
def test_at_least_one_utterance_is_trained_on(texts):
    assert not held_out(texts, 0.9, 64, seed=0).all()


def test_batches_are_loaded_in_advance_and_in_order():
    loaded = []

    def load(number):
        loaded.append(number)
        return number * number

    numbers = ahead(load, iter(range(1000)))
    assert [next(numbers) for _ in range(3)] == [0, 1, 4]
    deadline = time.monotonic() + 60
    while len(loaded) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert 6 <= len(loaded) <= 8
    numbers.close()
