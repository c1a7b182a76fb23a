"""A training by two processes of torchrun."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.factory import write_alignment_of, write_speech
from ttskit.training import monitor
from ttskit.voices.model import read_model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder in which two processes have done what `together` says."""
    folder = tmp_path_factory.mktemp("together")
    write_speech(folder, 12)
    write_alignment_of(folder)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    launch += ["--redirects=3", "--log-dir=logs", str(ROOT / "tests" / "training" / "together.py")]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(launch, cwd=folder, env=settings, capture_output=True, check=False)
    return folder


def errors(folder, rank):
    (path,) = folder.glob(f"logs/**/{rank}/stderr.log")
    return path.read_text()


def test_a_training_by_several_processes_resumes_bit_by_bit(folder):
    whole, stopped = (read_model(folder / f"{name}.h5") for name in ("whole", "stopped"))
    for name, value in whole.weights().items():
        np.testing.assert_array_equal(value, stopped.weights()[name], err_msg=name)


def test_processes_split_the_same_candidates(folder):
    """Were they to differ, those of the first process alone, from a checkpoint, would go on."""
    whole, stopped = (read_model(folder / f"ddn-{name}.h5") for name in ("whole", "stopped"))
    rows = monitor.read(folder / "ddn-whole.h5.run" / "log.jsonl")
    splits = [any(name.startswith("split/") for name in row) for row in rows]
    assert any(splits[:2])
    assert any(splits[2:])
    for name, value in whole.weights().items():
        np.testing.assert_array_equal(value, stopped.weights()[name], err_msg=name)


def test_a_signal_to_one_process_stops_all_after_the_same_update(folder):
    assert [(folder / f"interrupted-{rank}").read_text() for rank in (0, 1)] == ["130", "130"]
    assert len(monitor.read(folder / "interrupted.h5.run" / "log.jsonl")) == 3
    assert "interrupted.h5.run keeps 3 updates" in errors(folder, 0)


def test_the_end_of_one_process_ends_the_others_with_one_line(folder):
    *_, last = errors(folder, 1).splitlines()
    assert last.startswith("ttskit: another process of this training has ended")
    assert "Traceback" not in errors(folder, 1)
