"""A Dask cluster that loses its workers or its scheduler."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ttskit.artifacts import cluster
from ttskit.errors import TtskitError

pytest.importorskip("distributed")
ITEMS = [(f"u{number}", number) for number in range(12)]


def squared(number):
    time.sleep(0.1)
    return number**2


def started(stack, *words):
    """Start a scheduler or a worker, which ends with the test."""
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = sys.executable, "-m", "dask", *words, "--no-dashboard"
    null = subprocess.DEVNULL
    one = subprocess.Popen(command, env=os.environ | path, stdout=null, stderr=null)
    stack.callback(one.wait)
    stack.callback(one.kill)
    return one


@pytest.fixture
def dask(tmp_path):
    """Start a scheduler and one worker; return them, a function that starts more, the address."""
    facts = tmp_path / "scheduler.json"
    with ExitStack() as stack:
        at_home = "--host", "127.0.0.1", "--port", "0", "--scheduler-file", facts
        scheduler = started(stack, "scheduler", *map(str, at_home))

        def worker():
            return started(
                stack, "worker", "--scheduler-file", str(facts), "--nthreads", "1", "--no-nanny"
            )

        first = worker()
        while not (facts.exists() and facts.stat().st_size):
            assert scheduler.poll() is None
            time.sleep(0.05)
        yield scheduler, first, worker, json.loads(facts.read_text())["address"]


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
    lines = capfd.readouterr().err.splitlines()
    assert lines == [f"--scheduler {address}: all workers are lost; waiting for another"]


@pytest.mark.slow
def test_a_scheduler_that_is_lost_takes_one_line_that_says_what_is_kept(dask, capfd):
    scheduler, _, _, address = dask
    results = cluster.each(squared, ITEMS, address)
    next(results)
    scheduler.kill()
    with pytest.raises(TtskitError, match="the scheduler is gone; what was finished is kept"):
        list(results)
    assert capfd.readouterr().err == ""
