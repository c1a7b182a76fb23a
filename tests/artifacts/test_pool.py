"""How worker processes end."""

import pytest

from ttskit.artifacts import pool


@pytest.fixture
def workers(monkeypatch):
    """The workers that are started."""
    started, start = [], pool._start

    def noted(make):
        started.append(start(make))
        return started[-1]

    monkeypatch.setattr(pool, "_start", noted)
    return started


def test_workers_that_have_done_all_end_by_themselves(workers):
    assert sorted(pool.each(abs, [("a", -1), ("b", 2)], 2)) == [("a", 1), ("b", 2)]
    assert [worker.process.exitcode for worker in workers] == [0, 0]


def test_workers_of_a_run_that_is_given_up_are_ended(workers):
    results = pool.each(abs, [("a", -1), ("b", 2), ("c", 3)], 2)
    next(results)
    del results  # which closes the generator
    assert len(workers) == 2
    assert not any(worker.process.is_alive() for worker in workers)
