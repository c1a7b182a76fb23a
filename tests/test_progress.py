"""What is said on stderr while something is done."""

import pytest

from ttskit import progress


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0.05, "20.0/s"), (8, "0.1/s"), (12, "12 s each"), (200, "3 min 20 s each")],
)
def test_what_is_slow_is_told_by_the_time_of_one(monkeypatch, capsys, seconds, says):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with progress.track("measure", 1000) as advance:
        while now[0] < progress.EVERY:
            now[0] += seconds
            advance()
    (line,) = capsys.readouterr().err.splitlines()
    assert f" of 1000, {says}, " in line
