"""`ttskit features` through the command line, on signals whose truth is known."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from tests.made import PROVENANCE, sha
from ttskit.artifact import Reader, Writer
from ttskit.dsp import speechlike
from ttskit.kinds import Corpus, Features

RATE, HOP = 22050, 256


def utterance(number, words):
    rng = np.random.default_rng(number)
    spoken = speechlike.sounds(words, rng)
    audio, truth = speechlike.synthesise(spoken, rng, RATE, 120.0 + 40 * number)
    record = Corpus(
        id=f"u{number}",
        speaker="",
        text=words,
        audio=np.round(audio * 32767).astype(np.int16),
    )
    return record, truth


TEXTS = ["yellow moon", "seven rivers", "animal", "quiet stone"]


@pytest.fixture(scope="module")
def made():
    return [utterance(number, words) for number, words in enumerate(TEXTS)]


@pytest.fixture
def corpus(tmp_path, made):
    path = tmp_path / "corpus.h5"
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": RATE}) as writer:
        for record, _ in made:
            writer.append(record)
        writer.seal([record.id for record, _ in made], {"gone": "was silent"})
    return path


def test_every_column_is_on_the_grid_and_pitch_is_heard(corpus, made, tmp_path, ttskit):
    found = ttskit("features", corpus, "--crepe", "tiny", "-o", "x.h5", timeout=300)
    assert (found.returncode, found.stdout) == (0, b""), found.stderr
    reader = Reader(tmp_path / "x.h5", Features)
    assert reader.skipped == {"gone": "was silent"}
    assert reader.attributes["fmax"] == 8000.0
    for record, truth in made:
        features = reader[record.id]
        frames = len(record.audio) // HOP
        assert features.mel.shape == (frames, 80)
        centres = np.arange(frames) * HOP + HOP // 2
        voiced = truth.voiced[centres]
        heard = features.voiced & voiced
        cents = 1200 * np.abs(np.log2(features.f0[heard] / truth.f0[centres][heard]))
        assert np.median(cents) < 15
        assert (features.voiced != voiced).mean() < 0.15
        assert features.loudness[voiced].mean() > features.loudness[~voiced].mean() + 10


def test_bytes_depend_neither_on_jobs_nor_on_being_killed(corpus, tmp_path, ttskit):
    options = ["--crepe", "tiny", "--jobs"]
    assert ttskit("features", corpus, *options, 1, "-o", "one.h5", timeout=300).returncode == 0
    chance = random.Random(1)
    for _ in range(4):
        words = [sys.executable, "-m", "ttskit", "features", corpus, *options, 2, "-o", "two.h5"]
        run = subprocess.Popen(
            [str(word) for word in words], cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        with suppress(subprocess.TimeoutExpired):
            run.wait(chance.uniform(0.5, 4))
        run.kill()
        run.wait()
    assert ttskit("features", corpus, *options, 2, "-o", "two.h5", timeout=300).returncode == 0
    assert sha(tmp_path / "one.h5") == sha(tmp_path / "two.h5")


def test_reuse_copies_what_would_be_the_same(corpus, tmp_path, ttskit):
    first = ttskit("features", corpus, "--crepe", "tiny", "-o", "old.h5", timeout=300)
    assert first.returncode == 0
    words = ["features", corpus, "--crepe", "tiny", "--n-mels", 40]
    found = ttskit(*words, "--reuse", "old.h5", "-o", "new.h5", timeout=300)
    assert b"old.h5: reusing pitch, loudness" in found.stderr
    assert ttskit(*words, "-o", "whole.h5", timeout=300).returncode == 0
    assert sha(tmp_path / "new.h5") == sha(tmp_path / "whole.h5")
    other = ttskit("features", corpus, "--reuse", corpus, "-o", "y.h5")
    assert other.returncode == 1
    assert b"is corpus, needs features" in other.stderr or b"no features artifact" in other.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["corpus.h5", "--f0", "ear"], "--f0 ear: there is crepe and praat"),
        (["corpus.h5", "--crepe", "huge"], "--crepe huge: there is full and tiny"),
        (["corpus.h5", "--fmax", "20000"], "fmax"),
        (["corpus.h5", "--hop-length", "4096"], "n_fft 1024 is less than hop_length 4096"),
        (["corpus.h5", "--hop-length", "99999", "--n-fft", "131072"], "less than one frame"),
        (["nowhere.h5"], "nowhere.h5: no such file"),
        (["corpus.h5", "--f0-min", "600"], "fmin"),
        (["corpus.h5", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers"),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_what_the_user_can_mend_is_said(ttskit, words, says):
    found = ttskit("features", *words, "-o", "x.h5")
    told = found.stderr.decode()
    assert found.returncode == 1
    assert "Traceback" not in told
    assert says in told


def test_a_dask_cluster_gives_the_same_bytes_though_a_worker_is_lost(corpus, tmp_path, ttskit):
    distributed = pytest.importorskip("distributed")
    assert (
        ttskit("features", corpus, "--crepe", "tiny", "-o", "here.h5", timeout=300).returncode == 0
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        words = ["features", corpus, "--crepe", "tiny", "--scheduler", address, "-o", "there.h5"]
        run = subprocess.Popen([sys.executable, "-m", "ttskit", *map(str, words)], cwd=tmp_path)
        index = tmp_path / "there.h5.part" / "index.jsonl"
        while run.poll() is None and not (index.exists() and index.stat().st_size):
            time.sleep(0.01)
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        assert run.wait(300) == 0
    assert sha(tmp_path / "here.h5") == sha(tmp_path / "there.h5")
