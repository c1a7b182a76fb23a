"""Wherever the utterances of a stage are worked on, its result has the same bytes."""

import os

import fsspec
import numpy as np
import pytest

from tests.clusters import running
from tests.factory import (
    SPOKEN,
    run,
    sha,
    write_alignment_of,
    write_corpus,
    write_model,
    write_speakers,
    write_speech,
)
from ttskit.artifacts import cluster
from ttskit.errors import UsageError
from ttskit.formats import audio

RVQ = {"stride": 4, "size": 32, "books": 3, "channels": 16, "layers": 1}
MODELS = ("--duration", "duration.h5", "--decoder", "decoder.h5")
STAGES = {
    "corpus": ("wavs", "--sample-rate", 16000),
    "features": ("corpus.h5", "--f0", "praat", "--hop-length", 32, "--n-fft", 128, "--n-mels", 8),
    "tokens": ("lines.tsv", "--language", "characters"),
    "align": ("features.h5", "tokens.h5", "--aligner", "flat", "--rounds", 2),
    "encode": ("features.h5", "alignment.h5", "--codec", "rvq.h5"),
    "decode": ("tokens.h5", *MODELS, "--noise-scale", 0.7, "--seed", 3),
    "vocode": ("features.h5", "--vocoder", "griffinlim", "--rounds", 2),
    "evaluate": ("corpus.h5", "other.h5", "--measures", "loudness,length", "--timing", "plain"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the stages read, and what each makes of it in one process: STAGE.h5."""
    folder = tmp_path_factory.mktemp("everywhere")
    write_speech(folder, count=7, table=SPOKEN)
    write_alignment_of(folder)
    write_speakers(folder)
    write_model(folder / "rvq.h5", "rvq", RVQ)
    write_corpus(folder / "corpus.h5", range(40, 47))
    write_corpus(folder / "other.h5", range(40, 47))
    (folder / "lines.tsv").write_text("".join(f"t{n}\tline of {'a' * n}\n" for n in range(1, 8)))
    (folder / "wavs").mkdir()
    for number in range(7):
        noise = np.random.default_rng(number).normal(0, 2000, 900 + number).astype(np.int16)
        audio.write(folder / "wavs" / f"w{number}.wav", noise, 22050)
        (folder / "wavs" / f"w{number}.txt").write_text(f"noise {number}")
    os.chdir(folder)
    for stage in STAGES:
        made(stage, folder / f"one-{stage}.h5", "-j", 1)
    return folder


def made(stage, path, *words):
    run(stage, *STAGES[stage], "-o", path, *words)
    return sha(path)


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("stage", STAGES)
def test_three_shards_merge_into_the_bytes_of_one_process(folder, tmp_path, stage):
    paths = [tmp_path / f"{number}.h5" for number in (1, 2, 3)]
    for number, path in enumerate(paths, 1):
        made(stage, path, "-j", 1, "--shard", f"{number}/3")
    run("merge", *paths, "-o", tmp_path / "merged.h5")
    assert sha(tmp_path / "merged.h5") == sha(folder / f"one-{stage}.h5")


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_two_processes_make_the_bytes_of_one(folder, tmp_path, stage):
    assert made(stage, tmp_path / "two.h5", "-j", 2) == sha(folder / f"one-{stage}.h5")


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "corpus"])
def test_remote_inputs_and_outputs_have_the_bytes_of_files(folder, stage):
    memory = fsspec.filesystem("memory")
    for path in folder.glob("*.h5"):
        memory.pipe_file(f"/{path.name}", path.read_bytes())
    words = [f"memory://{one}" if str(one).endswith(".h5") else one for one in STAGES[stage]]
    run(stage, *words, "-j", 1, "-o", "memory://remote.h5")
    assert memory.cat_file("/remote.h5") == (folder / f"one-{stage}.h5").read_bytes()
    memory.store.clear()


def test_an_aligner_that_every_shard_would_train_is_refused():
    with pytest.raises(UsageError, match="make it by `ttskit train aligner` first"):
        run("align", "features.h5", "tokens.h5", "--shard", "1/2", "-o", "x.h5")


@pytest.fixture(scope="module")
def dask(folder):
    """A scheduler, and a function that starts a worker."""
    pytest.importorskip("distributed")
    with running(folder / "scheduler.json") as (_, worker, address):
        yield worker, address


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_three_dask_workers_of_which_one_is_killed_make_the_bytes_of_one_process(
    folder, dask, tmp_path, monkeypatch, stage
):
    start, address = dask
    workers = [start() for _ in range(3)]
    each = cluster.each

    def disturbed(*words):
        for number, result in enumerate(each(*words)):
            yield result
            if number == 1:
                workers[0].kill()
                workers[0].wait()

    monkeypatch.setattr(cluster, "each", disturbed)
    try:
        made(stage, tmp_path / "there.h5", "--scheduler", address)
    finally:
        for worker in workers[1:]:
            worker.terminate()
    assert workers[0].poll() is not None
    assert sha(tmp_path / "there.h5") == sha(folder / f"one-{stage}.h5")
