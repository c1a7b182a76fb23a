"""Progress of a training on stderr."""

import re

import pytest

from ttskit import progress
from ttskit.training import monitor

TIMES = {"step_seconds": 25.0, "data_seconds": 0.0}


def line(rows, capsys, monkeypatch, fraction=0.0):
    """The last line of progress after some updates."""
    monkeypatch.setattr(progress, "EVERY", 0.0)
    display = monitor.Display("train x", 100)
    for step, row in enumerate(rows, 1):
        display.update({"step": step, **row, **TIMES}, fraction * step)
    return capsys.readouterr().err.splitlines()[-1]


def test_the_displayed_terms_add_up_to_the_loss(capsys, monkeypatch):
    rows = [{"loss": 8.0 / step, "loss/mel": 8.0 / step} for step in range(1, 40)]
    rows += [{"loss": 7.0, "loss/mel": 2.0, "loss/critic": 5.0}] * 4
    shown = line(rows, capsys, monkeypatch)
    loss, *terms = map(float, re.findall(r"(?:loss|mel|critic) ([\d.]+)", shown))
    assert sum(terms) == pytest.approx(loss, rel=1e-3)
    recent = [row["loss"] for row in rows[-monitor.RECENT :]]
    assert loss == pytest.approx(sum(recent) / len(recent), rel=1e-3)
    assert f"last {monitor.RECENT}: loss" in shown


def test_the_first_line_shows_the_first_update(capsys, monkeypatch):
    shown = line([{"loss": 3.0, "loss/mel": 3.0}], capsys, monkeypatch)
    assert shown == "train x: update 1 of 100, last 1: loss 3 (mel 3), 25 s each"


def test_the_remaining_time_is_displayed_once_it_is_known(capsys, monkeypatch):
    rows = [{"loss": 3.0, "loss/mel": 3.0}] * 2
    assert line(rows, capsys, monkeypatch, fraction=0.5).endswith(" left")


def test_a_log_goes_on_after_the_rows_of_its_checkpoint(tmp_path):
    path = tmp_path / "log.jsonl"
    rows = [{"step": step, "loss": 1.0 / step} for step in (1, 2, 3, 4)]
    with monitor.Log(path, 0) as log:
        for row in rows:
            log.write(row)
    path.write_text(path.read_text() + '{"step": 5, "lo')
    assert monitor.read(path) == rows
    with monitor.Log(path, 2) as log:
        log.write({"step": 3, "loss": 0.5})
    assert monitor.read(path) == [*rows[:2], {"step": 3, "loss": 0.5}]
    with monitor.Log(path, 0):
        assert monitor.read(path) == []
