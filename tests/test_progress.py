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
        while now[0] < progress.EVERY + 2 * seconds:
            now[0] += seconds
            advance()
    line = capsys.readouterr().err.splitlines()[-1]
    assert f" of 1000, {says}, " in line


def test_start_up_is_no_part_of_the_pace(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with progress.track("tokens", 1000) as advance:
        now[0] = 60.0  # until the first one
        advance()
        while now[0] < 72:
            now[0] += 0.1
            advance()
    first, second = capsys.readouterr().err.splitlines()
    assert first == "tokens: 1 of 1000"
    assert second.endswith(" of 1000, 10.0/s, 1 min 30 s left")


def test_the_pace_is_that_of_the_last_minute(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    pace = progress.Pace()
    for amount, seconds in enumerate((*[1.0] * 300, *[0.1] * 1000)):
        now[0] += seconds
        pace.mark(amount)
    assert pace.rate == pytest.approx(10, rel=0.01)
    assert pace.left(300) == ", 30 s left"
