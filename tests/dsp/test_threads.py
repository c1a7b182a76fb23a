"""How many threads compute, and how they wait: what is decided, not how long it takes."""

import os
import subprocess
import sys
from threading import Barrier, Thread

import numba
import numpy as np
import pytest
import threadpoolctl
import torch

from ttskit.dsp import mas, threads
from ttskit.errors import TtskitError

PRINTED = "import os, sys; from ttskit import cli; sys.argv = ['ttskit', '--version']\n" + (
    "try: cli.main()\nfinally: print(os.environ.get('OMP_WAIT_POLICY'))"
)


@pytest.fixture
def free(monkeypatch):
    """An environment that says nothing about threads."""
    for name in (*threads.VARIABLES, *threads.WAITING):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def two():
    """Let torch have two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("settings", "policy"),
    [
        ({}, "passive"),
        ({"OMP_WAIT_POLICY": "active"}, "active"),
        ({"GOMP_SPINCOUNT": "1000"}, "None"),
        ({"KMP_BLOCKTIME": "5"}, "None"),
    ],
)
@pytest.mark.usefixtures("free")
def test_the_command_line_waits_passively_unless_the_user_says_how(settings, policy):
    run = subprocess.run(
        [sys.executable, "-c", PRINTED],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[1] == policy


@pytest.mark.usefixtures("free")
def test_speech_takes_one_thread_unless_the_user_says_how_many(monkeypatch):
    assert threads.to_speak(None) == 1
    assert threads.to_speak(3) == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert threads.to_speak(None) is None  # torch reads it itself
    assert threads.to_speak(3) == 3


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2"])
def test_a_wrong_number_of_threads_is_named(wrong):
    with pytest.raises(TtskitError, match=rf"threads {wrong!r}: needs a whole number from 1 up"):
        threads.to_speak(wrong)


@pytest.mark.usefixtures("free", "two")
def test_a_limit_holds_for_torch_for_blas_and_for_new_processes_and_ends():
    with threads.limited(1):
        assert torch.get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpoolctl.threadpool_info()} == {1}
        assert {os.environ[name] for name in threads.VARIABLES} == {"1"}
        with threads.limited(3):
            assert torch.get_num_threads() == 3
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    assert not set(threads.VARIABLES) & os.environ.keys()


@pytest.mark.usefixtures("free", "two")
@pytest.mark.parametrize("limit", [threads.limited, threads.lent])
def test_no_limit_changes_nothing(limit):
    with limit(None):
        assert torch.get_num_threads() == 2
        assert "OMP_NUM_THREADS" not in os.environ


@pytest.mark.usefixtures("two")
def test_a_kernel_is_compiled_under_a_limit_after_threads_of_numba_were_started():
    """numba refuses to compile once its number in the environment has changed."""
    numba.get_num_threads()  # starts them
    with threads.limited(1):
        assert numba.njit(lambda x: x + 1)(1) == 2


@pytest.mark.usefixtures("two")
def test_a_program_that_speaks_in_several_threads_at_once_gets_its_own_number_back():
    before, together, after = dict(os.environ), Barrier(2, timeout=60), []

    def speak(leaves_first):
        with threads.lent(1):
            together.wait()
            assert torch.get_num_threads() == 1
            if not leaves_first:
                first.join()
        after.append(torch.get_num_threads())

    first, last = Thread(target=speak, args=[True]), Thread(target=speak, args=[False])
    first.start()
    last.start()
    last.join()
    new = Thread(target=lambda: after.append(torch.get_num_threads()))
    new.start()
    new.join()
    assert after == [2, 2, 2]
    assert dict(os.environ) == before


def test_parallel_kernels_of_numba_use_no_more_threads_than_torch(monkeypatch):
    before = numba.get_num_threads()
    during: list[int] = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    kernel = threads.shared()(lambda: during.append(numba.get_num_threads()))
    kernel()
    assert during == [1]
    assert numba.get_num_threads() == before


def test_the_search_of_many_utterances_runs_in_such_a_kernel(monkeypatch):
    limits: list[int] = []
    monkeypatch.setattr(numba, "set_num_threads", limits.append)
    mas.search(np.zeros((2, 400, 150), np.float32))
    assert limits == [
        min(numba.get_num_threads(), torch.get_num_threads()),
        numba.get_num_threads(),
    ]
