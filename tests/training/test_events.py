"""A training as events, read back by TensorBoard's own reader."""

import json
import os
import threading

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.factory import run as invoke
from ttskit.artifacts import lock
from ttskit.errors import TtskitError, UsageError
from ttskit.training import events

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def row(step, loss):
    return {"step": step, "seconds": 2.0 * step, "loss": loss, "loss/mel": loss / 2,
            "step_seconds": 0.5}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """A run folder with two updates, a validation and a picture."""
    folder = tmp_path / "model.h5.run"
    folder.mkdir()
    (folder / "meta.json").write_text("{}")
    os.utime(folder / "meta.json", (1000.0, 1000.0))
    held = {"step": 2, "held_out/loss": 5.0, "watch/error": 0.25}
    write(folder, row(1, 4.0), row(2, 3.0), held)
    (folder / "true.png").write_bytes(PNG)
    return folder


def write(folder, *rows, rest=""):
    with (folder / "log.jsonl").open("a") as file:
        file.write("".join(json.dumps(one) + "\n" for one in rows) + rest)


def read(folder):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def values(folder, tag):
    return [(one.step, one.value) for one in read(folder).Scalars(tag)]


def test_each_number_is_a_scalar_of_its_update(run, tmp_path):
    assert events.write(run, tmp_path / "out") == 2
    training = read(tmp_path / "out" / "training")
    assert set(training.Tags()["scalars"]) == {"loss", "loss/mel", "step_seconds"}
    assert values(tmp_path / "out" / "training", "loss/mel") == [(1, 2.0), (2, 1.5)]
    assert [one.wall_time for one in training.Scalars("loss")] == [1002.0, 1004.0]


def test_validation_has_the_tags_of_training(run, tmp_path):
    events.write(run, tmp_path / "out")
    assert values(tmp_path / "out" / "validation", "loss") == [(2, 5.0)]
    assert values(tmp_path / "out" / "validation", "watch/error") == [(2, 0.25)]


def test_pictures_are_images(run, tmp_path):
    events.write(run, tmp_path / "out")
    (image,) = read(tmp_path / "out" / "validation").Images("true")
    assert (image.step, image.encoded_image_string) == (2, PNG)


def test_a_second_export_replaces_the_first(run, tmp_path):
    events.write(run, tmp_path / "out")
    events.write(run, tmp_path / "out")
    assert values(tmp_path / "out" / "training", "loss") == [(1, 4.0), (2, 3.0)]
    assert len(list((tmp_path / "out" / "training").iterdir())) == 1


def test_a_training_is_followed_until_it_ends(run, tmp_path, monkeypatch):
    held = lock.hold(run, "busy")
    looked = threading.Semaphore(0)

    def sleep(_):
        if not looked.acquire(blocking=False):  # the first look: half a row has come
            write(run, row(3, 2.0), rest='{"step": 4')
            looked.release()
            return
        write(run, rest=', "loss": 1.0, "step_seconds": 1.0}\n')
        held.close()

    monkeypatch.setattr("time.sleep", sleep)
    assert events.write(run, tmp_path / "out", follow=True) == 4
    assert values(tmp_path / "out" / "training", "loss") == [(1, 4), (2, 3), (3, 2), (4, 1)]


def test_the_command_takes_a_model_or_its_run(run, tmp_path):
    (tmp_path / "model.h5").write_bytes(b"")
    for path, output in ((run, tmp_path / "a"), (tmp_path / "model.h5", tmp_path / "b")):
        result = invoke("export", path, "--format", "tensorboard", "-o", output)
        assert f"2 updates; tensorboard --logdir {output}" in result.stderr
        assert (output / "training" / events.FILE).is_file()
    (tmp_path / "other.h5").write_bytes(b"")
    with pytest.raises(TtskitError, match=r"no log\.jsonl in it"):
        invoke("export", tmp_path / "other.h5", "--format", "tensorboard", "-o", tmp_path)
    with pytest.raises(UsageError, match="--follow goes with --format tensorboard"):
        invoke("export", run, "--format", "ctm", "--follow")
