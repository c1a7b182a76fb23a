"""The trainer, on an aligner that is small enough to train in seconds."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import ttskit
from tests.factory import GRID, PROVENANCE, answer, write_speech
from ttskit.artifacts.kinds import Features
from ttskit.artifacts.writer import Writer
from ttskit.errors import ArtifactError, Interrupted, TrainingError
from ttskit.models.attention import Attention
from ttskit.training import monitor
from ttskit.training.checkpoint import Checkpoint
from ttskit.training.configuration import Training
from ttskit.training.goal import Goal
from ttskit.training.run import request_of, train
from ttskit.voices.model import read_model

SMALL = ["embedding=8", "hidden=8", "space=8", "training.batch=4", "training.validate_every=10"]
COUNT = 24


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    write_speech(folder, COUNT)
    return [ttskit.read(folder / name) for name in ("features.h5", "tokens.h5")]


def run(readers, output, *settings, steps=12, **options):
    wish = request_of("aligner", "attention", "base", None, [*SMALL, *settings])
    train(readers, output, wish, Goal(steps=steps), **options)
    return read_model(output)


def weights(model):
    return {name: value.numpy() for name, value in model.weights().items()}


def losses(output):
    rows = monitor.read(output.with_name(output.name + ".run") / "log.jsonl")
    return [row["loss"] for row in rows if "step_seconds" in row]


def test_a_killed_training_resumes_bit_by_bit(speech, tmp_path):
    """Killed at a random moment, and resumed on the command line."""
    torch.set_num_threads(1)  # results depend on it in the last bits
    whole = run(speech, tmp_path / "whole.h5", steps=30)
    words = ["train", "aligner", *(reader.name for reader in speech), "-o", str(tmp_path / "x.h5")]
    words += ["--steps", "30", *(word for one in SMALL for word in ("--set", one))]
    words += ["--set", "training.save_every=0"]
    log = tmp_path / "x.h5.run" / "log.jsonl"
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-m", "ttskit", *words]
    killed = subprocess.Popen(program, env=settings, stderr=subprocess.DEVNULL)
    moment = random.randint(5, 25)
    while killed.poll() is None and len(monitor.read(log)) < moment:
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert not (tmp_path / "x.h5").exists()
    again = answer(*words)
    assert again.returncode == 0
    assert b"going on after update" in again.stderr
    assert losses(tmp_path / "x.h5") == losses(tmp_path / "whole.h5")
    resumed = weights(read_model(tmp_path / "x.h5"))
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(value, resumed[name], err_msg=name)


def test_ctrl_c_waits_for_the_update_and_reports_the_run_folder(speech, tmp_path, monkeypatch):
    def rate(_self, step, _progress):
        if step == 3:
            signal.raise_signal(signal.SIGINT)
        return 1e-3

    monkeypatch.setattr(Training, "rate", rate)
    with pytest.raises(Interrupted, match=r"x\.h5\.run keeps 4 updates"):
        run(speech, tmp_path / "x.h5")
    assert len(losses(tmp_path / "x.h5")) == 4
    assert (tmp_path / "x.h5.run" / "last.h5").exists()


def test_a_longer_training_continues_from_the_last_step(speech, tmp_path):
    run(speech, tmp_path / "x.h5", steps=5)
    first = losses(tmp_path / "x.h5")
    run(speech, tmp_path / "x.h5", steps=8)
    assert losses(tmp_path / "x.h5")[:5] == first
    assert len(losses(tmp_path / "x.h5")) == 8


def test_a_model_is_up_to_date_though_its_best_step_is_older(speech, tmp_path, capsys):
    still = ("training.learning_rate=0.0", "training.validation=0.2")
    run(speech, tmp_path / "x.h5", *still, steps=2)
    model = run(speech, tmp_path / "x.h5", *still, steps=4)
    assert model.container.attributes["steps"] == 2  # no later validation was better
    run(speech, tmp_path / "x.h5", *still, steps=4)
    assert "up to date" in capsys.readouterr().err


def test_the_last_weights_are_written_if_validation_does_not_select(speech, tmp_path, monkeypatch):
    monkeypatch.setattr(Attention, "judged", lambda _, progress: progress < 0.5)
    still = ("training.learning_rate=0.0", "training.validation=0.2", "training.validate_every=1")
    model = run(speech, tmp_path / "x.h5", *still, steps=4)
    assert model.container.attributes["steps"] == 4


def test_a_finished_training_of_other_settings_gives_way(speech, tmp_path, capsys):
    run(speech, tmp_path / "x.h5", steps=3)
    before = (tmp_path / "x.h5").read_bytes()
    run(speech, tmp_path / "x.h5", steps=3)
    assert "up to date" in capsys.readouterr().err
    run(speech, tmp_path / "x.h5", "hidden=9", steps=2)
    noted = capsys.readouterr().err
    assert "x.h5: of other inputs or settings (hidden 8 -> 9): trained anew" in noted
    assert "going on" not in noted
    assert (tmp_path / "x.h5").read_bytes() != before
    assert len(losses(tmp_path / "x.h5")) == 2


def test_other_settings_need_restart_where_a_training_is_unfinished(speech, tmp_path, capsys):
    run(speech, tmp_path / "x.h5", steps=3)
    (tmp_path / "x.h5").unlink()  # as if it had been killed
    capsys.readouterr()
    with pytest.raises(
        ArtifactError, match=r"x\.h5\.run: holds a training of other .*hidden 8 -> 9.*--restart"
    ):
        run(speech, tmp_path / "x.h5", "hidden=9", steps=3)
    with pytest.raises(ArtifactError, match="holds a training of other"):
        run(speech, tmp_path / "x.h5", "hidden=9", steps=3, dry_run=True)
    assert not (tmp_path / "x.h5").exists()
    run(speech, tmp_path / "x.h5", "hidden=9", steps=3, restart=True)
    assert (tmp_path / "x.h5").exists()


def test_renew_starts_over_only_where_inputs_or_settings_are_others(speech, tmp_path, capsys):
    run(speech, tmp_path / "x.h5", steps=3)
    run(speech, tmp_path / "x.h5", steps=5, renew=True)
    assert "going on after update 3" in capsys.readouterr().err
    run(speech, tmp_path / "x.h5", "hidden=9", steps=2, renew=True)
    assert "going on" not in capsys.readouterr().err
    assert len(losses(tmp_path / "x.h5")) == 2


def test_a_dry_run_says_where_a_training_would_go_on(speech, tmp_path, capsys):
    run(speech, tmp_path / "x.h5", steps=3)
    run(speech, tmp_path / "x.h5", steps=5, dry_run=True)
    assert "would go on after update 3" in capsys.readouterr().err


def test_accumulated_batches_give_the_loss_of_one_large_batch(speech, tmp_path):
    everything = ("training.validation=0.0", "training.clip_norm=0.0")
    whole = run(speech, tmp_path / "whole.h5", *everything, f"training.batch={COUNT}", steps=2)
    cut = ("training.batch=8", "training.accumulate=3")
    small = run(speech, tmp_path / "cut.h5", *everything, *cut, steps=2)
    np.testing.assert_allclose(
        losses(tmp_path / "cut.h5"), losses(tmp_path / "whole.h5"), rtol=1e-5
    )
    for name, value in weights(small).items():
        np.testing.assert_allclose(value, weights(whole)[name], atol=2e-5, err_msg=name)


def test_two_processes_equal_one_with_twice_the_batch(speech, tmp_path):
    names = [reader.name for reader in speech]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OMP_NUM_THREADS": "1",
    }
    words = ["-m", "ttskit", "train", "aligner", *names, "--steps", "6", "-o", "two.h5"]
    words += [word for one in SMALL for word in ("--set", one)]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*launch, *words], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    one = run(speech, tmp_path / "one.h5", "training.batch=8", steps=6)
    np.testing.assert_allclose(losses(tmp_path / "two.h5"), losses(tmp_path / "one.h5"), rtol=1e-5)
    for name, value in weights(read_model(tmp_path / "two.h5")).items():
        np.testing.assert_allclose(value, weights(one)[name], atol=2e-5, err_msg=name)


def test_a_nan_stops_the_training_and_names_the_utterance(speech, tmp_path):
    features, tokens = speech
    with Writer(tmp_path / "bad.h5", Features, attributes=GRID, provenance=PROVENANCE) as bad:
        for id in features:
            record = features[id]
            mel = record.mel.copy()
            mel[3] = np.nan if id == "u7" else mel[3]
            bad.append(
                Features(
                    **{**{f.name: getattr(record, f.name) for f in features.columns}, "mel": mel}
                )
            )
        bad.seal(features.ids)
    with pytest.raises(TrainingError, match=r"update \d+: u7 has a loss .* NaN or infinite"):
        run([ttskit.read(tmp_path / "bad.h5"), tokens], tmp_path / "x.h5", steps=20)
    assert not (tmp_path / "x.h5").exists()


def test_a_checkpoint_that_cannot_be_written_stops_the_training(speech, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Checkpoint, "save", full)
    with pytest.raises(OSError, match="No space left"):
        run(speech, tmp_path / "x.h5", "training.save_every=0")
    assert not (tmp_path / "x.h5").exists()


def test_held_out_utterances_are_recorded_and_never_trained_on(speech, tmp_path, monkeypatch):
    from ttskit.training.examples import Examples

    used: set[str] = set()
    batch = Examples.batch

    def recorded(self, rows, segment, seed):
        if seed[1]:  # batch 0 is also the number of validations
            used.update(self.ids[row] for row in rows)
        return batch(self, rows, segment, seed)

    monkeypatch.setattr(Examples, "batch", recorded)
    model = run(speech, tmp_path / "x.h5", "training.validation=0.2")
    held = model.table("validation")
    assert len(held) == 5
    assert used == set(speech[0].ids) - set(held)


@pytest.mark.parametrize("share", [0, 0.5, 2])
def test_a_training_begins_with_as_many_frames_as_the_model_wants(
    speech, tmp_path, monkeypatch, share
):
    begun = []
    lengths = dict(zip(speech[0].ids, speech[0].lengths("frame").tolist(), strict=True))
    wanted = share * sum(lengths.values())
    monkeypatch.setattr(Attention, "beginning", wanted)
    monkeypatch.setattr(Attention, "initialise", lambda _, batch: begun.append(batch.ids))
    run(speech, tmp_path / "x.h5", "training.validation=0", steps=1)
    (ids,) = begun
    assert len(set(ids)) == len(ids)
    frames = [lengths[id] for id in ids]
    assert len(ids) == COUNT if share > 1 else sum(frames[:-4]) < max(wanted, 1) <= sum(frames)


def test_averaged_weights_lag_behind_and_are_saved(speech, tmp_path):
    steady = ("training.validation=0.0", "training.schedule=constant")
    plain = run(speech, tmp_path / "plain.h5", *steady)
    averaged = run(speech, tmp_path / "ema.h5", "training.ema=0.9", *steady)
    start = run(speech, tmp_path / "start.h5", "training.learning_rate=0.0")
    name = "of_tokens.2.weight"
    moved = [weights(model)[name] - weights(start)[name] for model in (plain, averaged)]
    assert 0.05 < np.abs(moved[1]).sum() / np.abs(moved[0]).sum() < 0.95


def test_patience_stops_a_training_without_improvement(speech, tmp_path, capsys):
    settings = ("training.learning_rate=0.0", "training.patience=2", "training.validate_every=2")
    run(speech, tmp_path / "x.h5", *settings, "training.validation=0.2", steps=100)
    assert "stopping early" in capsys.readouterr().err
    assert len(losses(tmp_path / "x.h5")) == 6  # the first validation, and two without improvement


def test_a_gain_below_the_least_gain_does_not_count(speech, tmp_path, capsys):
    settings = ("training.patience=2", "training.validate_every=2", "training.least_gain=1e6")
    run(speech, tmp_path / "x.h5", *settings, "training.validation=0.2", steps=100)
    assert "stopping early" in capsys.readouterr().err
    assert len(losses(tmp_path / "x.h5")) == 6


def test_the_exponential_schedule_halves_the_rate_down_to_final():
    training = Training(
        learning_rate=3e-4, schedule="exponential", half_life=2000, final=1 / 3, warmup=0
    )
    rates = [training.rate(step, 0.5) for step in (0, 2000, 3000, 10_000)]
    assert rates == pytest.approx([3e-4, 1.5e-4, 3e-4 * 0.5**1.5, 1e-4])
    by_the_end = replace(training, half_life=0.0)
    assert by_the_end.rate(7, 0.5) == pytest.approx(3e-4 * 3**-0.5)


def test_noam_rises_to_its_peak_and_falls_with_the_root_of_the_updates():
    """192 ** -0.5 * min(n ** -0.5, n * 4000 ** -1.5) at update n, as published."""
    training = Training(learning_rate=(192 * 4000) ** -0.5, schedule="noam", warmup=4000)
    for n in (1, 100, 4000, 4001, 16_000, 1_000_000):
        published = 192**-0.5 * min(n**-0.5, n * 4000**-1.5)
        assert training.rate(n - 1, 0.5) == pytest.approx(published), n


def test_the_cosine_schedule_falls_from_its_peak_to_final():
    training = Training(learning_rate=2.0, schedule="cosine", final=0.1, warmup=4)
    assert [training.rate(step, 0.0) for step in range(5)] == [0.5, 1, 1.5, 2, 2]
    expected = [2, 0.2 + 1.8 * (1 + 0.5**0.5) / 2, 1.1, 0.2]
    assert [training.rate(9, x) for x in (0, 0.25, 0.5, 1)] == pytest.approx(expected)
    constant = replace(training, schedule="constant")
    assert [constant.rate(*at) for at in ((0, 0.0), (99, 0.9))] == [0.5, 2]


def test_the_rate_of_a_short_training_rises_in_its_first_tenth():
    training = Training(learning_rate=1.0, schedule="constant", warmup=200)
    short = [training.rate(step, step / 50) for step in (0, 1, 4, 5, 40)]
    assert short == pytest.approx([1 / 200, 0.2, 0.8, 1, 1])
    long = [training.rate(step, step / 10_000) for step in (0, 99, 199, 5000)]
    assert long == pytest.approx([1 / 200, 0.5, 1, 1])


def test_init_takes_the_weights_of_another_model(speech, tmp_path, capsys):
    first = run(speech, tmp_path / "first.h5", steps=8)
    wish = request_of("aligner", "attention", "base", None, [*SMALL, "training.learning_rate=0.0"])
    wish = replace(wish, init=tmp_path / "first.h5", seed=5)
    train(speech, tmp_path / "second.h5", wish, Goal(steps=1))
    second = read_model(tmp_path / "second.h5")
    for name, value in weights(first).items():
        np.testing.assert_array_equal(value, weights(second)[name], err_msg=name)
    assert "tensors taken over" in capsys.readouterr().err
    with pytest.raises(ArtifactError, match=r"first\.h5: is an input"):
        train(speech, tmp_path / "first.h5", wish, Goal(steps=1))


@pytest.mark.usefixtures("pictures")
def test_the_run_folder_is_for_people_to_read(speech, tmp_path):
    run(speech, tmp_path / "x.h5")
    folder = tmp_path / "x.h5.run"
    assert "embedding = 8" in (folder / "resolved.toml").read_text()
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["utterances"] == COUNT
    for name in ("loss.png", "alignment.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    row = monitor.read(folder / "log.jsonl")[0]
    assert row["loss"] == pytest.approx(sum(v for k, v in row.items() if k.startswith("loss/")))
    assert {"gradient", "learning_rate", "step_seconds", "data_seconds", "memory_mb"} <= set(row)


def test_a_lack_of_memory_is_warned_of(speech, tmp_path, monkeypatch, capsys):
    from ttskit.training import processes

    monkeypatch.setattr(processes, "free_memory", lambda: 1000.0)
    run(speech, tmp_path / "x.h5", steps=1)
    assert "may need" in capsys.readouterr().err
