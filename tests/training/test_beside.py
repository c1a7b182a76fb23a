"""What is done beside a training: one thing at a time, and no error is lost."""

import threading
from contextlib import closing

import pytest

from ttskit.training.beside import Beside


def test_the_training_goes_on_meanwhile_and_what_follows_waits():
    go, done = threading.Event(), list[str]()

    def slow():
        assert go.wait(60)
        done.append("slow")

    with closing(Beside()) as beside:
        beside.begin(slow)
        beside.check()
        assert done == []
        threading.Timer(0.05, go.set).start()
        beside.begin(lambda: done.append("next"))
        assert done[0] == "slow"
        beside.finish()
        assert done == ["slow", "next"]


@pytest.mark.parametrize("asked", [Beside.finish, lambda beside: beside.begin(print)])
def test_an_error_is_raised_by_whoever_asks(asked):
    def fail():
        raise OSError("no room")

    with closing(Beside()) as beside:
        beside.begin(fail)
        with pytest.raises(OSError, match="no room"):
            asked(beside)
        beside.finish()  # once


def test_an_error_is_noticed_at_the_next_check():
    failed = threading.Event()

    def fail():
        failed.set()
        raise OSError("no room")

    with closing(Beside()) as beside:
        beside.begin(fail)
        assert failed.wait(60)
        with pytest.raises(OSError, match="no room"):  # noqa: PT012
            while True:
                beside.check()


def test_what_was_begun_is_done_though_the_training_fails():
    done = list[str]()
    with pytest.raises(ValueError, match="NaN"), closing(Beside()) as beside:  # noqa: PT012
        beside.begin(lambda: done.append("checkpoint"))
        raise ValueError("NaN")
    assert done == ["checkpoint"]
