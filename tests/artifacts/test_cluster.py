"""A Dask cluster that loses its workers or its scheduler."""

import os
import time
from functools import cached_property

import pytest

from tests import clusters
from ttskit.artifacts import cluster, pool
from ttskit.errors import TtskitError

pytest.importorskip("distributed")
ITEMS = [(f"u{number}", number) for number in range(12)]


def deadly(number):
    """The square of a number, but seven kills its worker."""
    if number == 7:
        os._exit(1)
    return number**2


class Model:
    """What is loaded when it is first used, and notes where."""

    def __init__(self, log):
        self.log = log

    @cached_property
    def loaded(self):
        with self.log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return True

    def __getstate__(self):
        return {"log": self.log}

    def __call__(self, number):
        time.sleep(0.05)
        return self.loaded and number


def squared(number):
    time.sleep(0.1)
    return number**2


@pytest.fixture
def dask(tmp_path):
    """Start a scheduler and one worker; return them, a function that starts more, the address."""
    with clusters.running(tmp_path / "scheduler.json") as (scheduler, worker, address):
        yield scheduler, worker(), worker, address


@pytest.mark.slow
def test_items_of_workers_that_are_all_lost_go_to_later_ones(dask, capfd):
    _, first, worker, address = dask
    results: dict[str, object] = {}
    for id, result in cluster.each(squared, ITEMS, address):
        results[id] = result
        if len(results) == 2:
            first.kill()
            first.wait()
            worker()
    assert results == {id: number**2 for id, number in ITEMS}
    lines = capfd.readouterr().err.splitlines()  # none, if the later one is there at once
    assert {*lines} <= {f"--scheduler {address}: all workers are lost; waiting for another"}


@pytest.mark.slow
def test_a_scheduler_that_is_lost_takes_one_line_that_says_what_is_kept(dask, capfd):
    scheduler, _, _, address = dask
    results = cluster.each(squared, ITEMS, address)
    next(results)
    scheduler.kill()
    with pytest.raises(TtskitError, match="the scheduler is gone; what was finished is kept"):
        list(results)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_an_item_that_kills_every_worker_is_named_and_the_others_are_done(dask, workers, capfd):
    _, first, worker, address = dask
    for _ in range(workers):
        worker("--nanny")  # which starts another in its place
    first.terminate()
    first.wait()
    results = dict(cluster.each(deadly, ITEMS, address))
    (bad,) = [id for id, result in results.items() if isinstance(result, pool.Bad)]
    assert bad == "u7"
    assert "killed every Dask worker that had it" in str(results.pop("u7").error)
    assert results == {id: number**2 for id, number in ITEMS if number != 7}
    notes = capfd.readouterr().err.splitlines()
    assert all("waiting for another" in note for note in notes)


@pytest.mark.slow
def test_a_model_is_loaded_once_a_worker_and_workers_that_come_later_help(dask, tmp_path):
    _, _, worker, address = dask
    results = cluster.each(Model(tmp_path / "log"), [(str(n), n) for n in range(120)], address)
    done = dict([next(results)])
    worker()
    done |= dict(results)
    assert done == {str(n): n for n in range(120)}
    loads = (tmp_path / "log").read_text().split()
    assert len(loads) == len(set(loads)) == 2
