"""What is said on stderr while something is done."""

import pytest

from ttskit import progress


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0.05, "20.0/s"), (8, "0.1/s"), (12, "12 s each"), (200, "3 min 20 s each")],
)
def test_slow_progress_is_shown_as_time_per_item(monkeypatch, capsys, seconds, says):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with progress.track("measure", 1000) as advance:
        while now[0] < progress.EVERY:
            now[0] += seconds
            advance()
    (line,) = capsys.readouterr().err.splitlines()
    assert f" of 1000, {says}, " in line
