"""Trainings of several seeds: what is said of logs with planted distances."""

import json
import sys

import pytest

from benchmarks import seeds_ddsp


@pytest.fixture
def logs(tmp_path):
    """Three seeds of two variants; each is best at its second validation of three."""
    folders = []
    for name, distances in (("gru", (1.0, 1.1, 1.2)), ("micro-rnn", (0.99, 1.1, 1.188))):
        for seed, distance in enumerate(distances):
            rows = [
                {"step": step, "held_out/loss": total, "held_out/loss/stft": 0.25,
                 "held_out/loss/log_stft": distance - 0.25 + (step != 20)}
                for step, total in ((10, 9), (20, 7), (30, 8))
            ]  # fmt: skip
            folder = tmp_path / f"{name}-{seed}.h5.run"
            folder.mkdir()
            text = "\n".join(map(json.dumps, [{"step": 9, "loss": 1.0}, *rows]))
            (folder / "log.jsonl").write_text(text + "\n")
            folders.append(str(folder))
    return folders


def test_variants_are_compared_by_seed(logs, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["seeds_ddsp.py", *logs])
    seeds_ddsp.main()
    *_, first, other = capsys.readouterr().out.splitlines()
    # mean, and mean +- t(0.975, 2) deviation / sqrt(3), with t = 4.3027
    assert first == ("| gru | 30, 30, 30 | 1.100 (0.852 to 1.348) | 1.000, 1.100, 1.200 |  |")
    assert other.split(" | ")[-1] == "-0.7 (-2.1 to +0.8) % |"


def test_a_single_seed_has_no_interval():
    assert seeds_ddsp.interval([1.5], ".2f") == "1.50"
