"""`ttskit features` through the command line, on signals whose truth is known."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial

import numpy as np
import parselmouth
import pytest

from tests.factory import PROVENANCE, answer, run, sha
from ttskit.artifacts import pool
from ttskit.artifacts.kinds import Corpus, Features
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.dsp import speechlike

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
def planted():
    return [utterance(number, words) for number, words in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, planted):
    """A folder with corpus.h5, and x.h5, its features by one process."""
    folder = tmp_path_factory.mktemp("features")
    attributes = {"sample_rate": RATE}
    with Writer(
        folder / "corpus.h5", Corpus, provenance=PROVENANCE, attributes=attributes
    ) as writer:
        for record, _ in planted:
            writer.append(record)
        writer.seal([record.id for record, _ in planted], {"gone": "was silent"})
    output = ("--jobs", 1, "-o", folder / "x.h5")
    result = answer("features", folder / "corpus.h5", *TINY, *output)
    assert (result.returncode, result.stdout) == (0, b""), result.stderr
    return folder


TINY = ("--crepe", "tiny")


def words(*options):
    return [sys.executable, "-m", "ttskit", "features", *map(str, options)]


@pytest.fixture
def call(folder, monkeypatch):
    """Run `ttskit features` in the folder, in this process: by one job, unless more are asked."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(pool, "cores", lambda: 1)
    return partial(answer, "features")


def test_columns_lie_on_the_grid_and_pitch_is_the_planted_one(folder, planted):
    reader = Reader(folder / "x.h5", Features)
    assert reader.skipped == {"gone": "was silent"}
    assert reader.attributes["fmax"] == 8000.0
    for record, truth in planted:
        features = reader[record.id]
        frames = len(record.audio) // HOP
        assert features.mel.shape == (frames, 80)
        centres = np.arange(frames) * HOP + HOP // 2
        voiced = truth.voiced[centres]
        both = features.voiced & voiced
        cents = 1200 * np.abs(np.log2(features.f0[both] / truth.f0[centres][both]))
        assert np.median(cents) < 15
        assert (features.voiced != voiced).mean() < 0.15
        assert features.loudness[voiced].mean() > features.loudness[~voiced].mean() + 10


def test_bytes_depend_neither_on_jobs_nor_on_being_killed(folder, call):
    options = ["corpus.h5", *TINY, "--jobs", 2, "-o", "killed.h5"]
    rng = random.Random(1)
    for _ in range(3):
        begun = subprocess.Popen(words(*options), cwd=folder, stderr=subprocess.DEVNULL)
        with suppress(subprocess.TimeoutExpired):
            begun.wait(rng.uniform(1, 3))
        begun.kill()
        begun.wait()
    assert call(*options).returncode == 0
    assert sha(folder / "killed.h5") == sha(folder / "x.h5")


def test_reuse_copies_columns_whose_options_are_the_same(folder, call):
    options = ["corpus.h5", *TINY, "--n-mels", 40]
    result = call(*options, "--reuse", "x.h5", "-o", "new.h5")
    assert b"x.h5: reusing loudness, pitch" in result.stderr
    old, new = (Reader(folder / name, Features) for name in ("x.h5", "new.h5"))
    np.testing.assert_array_equal(old.column("f0"), new.column("f0"))
    assert new.column("mel").shape == (len(old.column("mel")), 40)
    assert call(*options, "-o", "whole.h5").returncode == 0
    assert sha(folder / "new.h5") == sha(folder / "whole.h5")


def test_reuse_of_fewer_utterances_measures_the_others(folder, call):
    assert call("corpus.h5", *TINY, "--limit", 2, "-o", "few.h5").returncode == 0
    result = call("corpus.h5", *TINY, "--reuse", "few.h5", "-o", "more.h5")
    assert result.returncode == 0, result.stderr
    assert sha(folder / "more.h5") == sha(folder / "x.h5")


def praats(audio, **limits):
    """F0 at the frame centres by parselmouth itself, NaN where unvoiced."""
    estimate = parselmouth.Sound(audio / 32768, RATE).to_pitch_ac(time_step=HOP / RATE, **limits)
    times = (np.arange(len(audio) // HOP) + 0.5) * HOP / RATE
    return np.array([estimate.get_value_at_time(time) for time in times])


def test_praat_and_crepe_agree_on_pitch(folder, call, planted):
    result = call("corpus.h5", "--f0", "praat", "--praat", "-o", "praat.h5")
    assert result.returncode == 0, result.stderr
    crepe, praat = (Reader(folder / name, Features) for name in ("x.h5", "praat.h5"))
    both = crepe.column("voiced") & praat.column("voiced")
    assert both.mean() > 0.9 * crepe.column("voiced").mean()
    cents = 1200 * np.abs(np.log2(crepe.column("f0")[both] / praat.column("f0")[both]))
    assert np.median(cents) < 15
    assert praat.column("formants").shape == (len(both), 5)
    cross = call("corpus.h5", "--f0", "praat-cc", "-o", "cc.h5")
    assert cross.returncode == 0, cross.stderr
    other = Reader(folder / "cc.h5", Features)
    both &= other.column("voiced")
    cents = 1200 * np.abs(np.log2(other.column("f0")[both] / praat.column("f0")[both]))
    assert 0 < np.median(cents) < 15
    for record, _ in planted:
        features = praat[record.id]
        theirs = praats(record.audio, pitch_floor=50.0, pitch_ceiling=550.0)
        both = features.voiced & (theirs > 0)
        assert both.sum() > 0.95 * max(features.voiced.sum(), (theirs > 0).sum())
        cents = 1200 * np.abs(np.log2(features.f0[both] / theirs[both]))
        assert np.percentile(cents, 95) < 1


def test_swift_finds_the_planted_pitch_by_any_number_of_jobs(folder, call, planted):
    options = "corpus.h5", "--f0", "swift"
    assert call(*options, "-o", "swift.h5").returncode == 0
    features = Reader(folder / "swift.h5", Features)
    for record, truth in planted:
        heard, centres = features[record.id], np.arange(len(record.audio) // HOP) * HOP + HOP // 2
        assert heard.f0.shape == centres.shape
        both = heard.voiced & truth.voiced[centres]
        cents = 1200 * np.abs(np.log2(heard.f0[both] / truth.f0[centres][both]))
        assert np.median(cents) < 15
        assert (heard.voiced != truth.voiced[centres]).mean() < 0.15
    assert call(*options, "--jobs", 2, "-o", "two.h5").returncode == 0
    assert sha(folder / "two.h5") == sha(folder / "swift.h5")


def test_without_swift_one_line_names_the_extra(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "swift_f0", None)
    result = call("corpus.h5", "--f0", "swift", "-o", "y.h5")
    assert result.returncode == 1
    assert result.stderr.decode().splitlines() == [
        "ttskit: --f0 swift needs the extra swift: pip install 'ttskit[swift]'"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["corpus.h5", "--f0", "swift", "--f0-max", "51"], "SwiftF0 knows pitch from 46.9"),
        (["corpus.h5", "--device", "cuda:99"], "--device cuda:99: there is no such device here"),
        (["corpus.h5", "--n-mels", "1000"], "hold no frequency"),
        (["corpus.h5", "--fmax", "20000"], "fmax"),
        (["corpus.h5", "--hop-length", "4096"], "n_fft 1024 is less than hop_length 4096"),
        (["corpus.h5", "--hop-length", "65536", "--n-fft", "65536"], "less than one frame"),
        (["nowhere.h5"], "nowhere.h5: no such file"),
        (["corpus.h5", "--f0-min", "600"], "--f0-min 600: needs less than --f0-max 550"),
        (["corpus.h5", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers"),
    ],
)
def test_errors_of_the_user_are_one_message(call, options, message):
    result = call(*options, "-o", "y.h5")
    stderr = result.stderr.decode()
    assert result.returncode == (2 if "--f0-min" in options else 1)
    assert "Traceback" not in stderr
    assert message in stderr


@pytest.mark.parametrize("option", [("--voiced", 2), ("--stay", -1), ("--silence", "nan")])
def test_thresholds_out_of_range_are_usage_errors(option):
    assert run("features", "corpus.h5", *option).exit_code == 2


def test_a_dask_cluster_gives_the_same_bytes_though_a_worker_is_lost(folder):
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(processes=True, **settings) as cluster:
        address = cluster.scheduler_address
        options = ["corpus.h5", *TINY, "--scheduler", address, "-o", "there.h5"]
        run = subprocess.Popen(words(*options), cwd=folder)
        index = folder / "there.h5.part" / "index.jsonl"
        while run.poll() is None and not (index.exists() and index.stat().st_size):
            time.sleep(0.01)
        lost = cluster.workers[0]
        lost.close_gracefully()  # the nanny is to start no other in its place
        os.kill(lost.pid, signal.SIGKILL)
        assert run.wait(300) == 0
    assert sha(folder / "there.h5") == sha(folder / "x.h5")
