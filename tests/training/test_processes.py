"""A training by two processes of torchrun."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.factory import run, write_alignment_of, write_speech
from tests.training import together
from ttskit.artifacts import hdf5
from ttskit.training import monitor
from ttskit.voices.model import read_model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder in which two processes have done what `together` says."""
    folder = tmp_path_factory.mktemp("together")
    write_speech(folder, 12)
    write_alignment_of(folder)
    launched(folder)
    return folder


def launched(folder, *options, script=()):
    """Run `together` by two processes of torchrun."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    launch += ["--redirects=3", f"--log-dir=logs{''.join(script)}", *options, together.__file__]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*launch, *script], cwd=folder, env=settings, capture_output=True, check=False)


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


@pytest.mark.parametrize("name", together.SMOOTH)
def test_two_processes_train_as_one_with_the_doubled_batch(folder, name, monkeypatch):
    """Every player of an adversarial training, too: weights differ by rounding alone."""
    monkeypatch.chdir(folder)
    words = [*together.SMOOTH[name], *together.settings(*together.SETTINGS, "training.batch=4")]
    with together.without_dropout():
        run("train", *words, "--steps", 3, "-o", "alone.h5", "--restart", "--threads", 1)
        run("train", *words, "--steps", 1, "-o", "begun.h5", "--restart", "--threads", 1)
    one, begun, two = (states(folder / f"{kind}.h5.run") for kind in ("alone", "begun", name))
    assert one.keys() == two.keys()
    moved = {key for key, value in one.items() if np.abs(value - begun[key]).max() > 1e-4}
    critics = {key for key in one if "critic" in key or "adversary" in key}
    assert moved
    assert (name == "adversarial") == bool(critics & moved)
    for key, value in two.items():
        np.testing.assert_allclose(one[key], value, rtol=1e-4, atol=1e-5, err_msg=key)


def states(run_folder):
    """All weights of the last checkpoint, those of critics too."""
    container = hdf5.open_container(run_folder / "last.h5")
    return {name: container.map(name) for name in container.columns if name.startswith("model/")}


def test_a_training_that_is_started_again_goes_on_bit_by_bit(folder):
    launched(folder, "--max-restarts=1", script=["restarted"])
    whole, again = (read_model(folder / f"{name}.h5") for name in ("whole", "restarted"))
    for name, value in whole.weights().items():
        np.testing.assert_array_equal(value, again.weights()[name], err_msg=name)


def test_the_end_of_one_process_ends_the_others_with_one_line(folder):
    *_, last = errors(folder, 1).splitlines()
    assert last.startswith("ttskit: process 0 of this training has ended, so this one ends too")
    assert "Traceback" not in errors(folder, 1)
