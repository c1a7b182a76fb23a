"""`ttskit corpus` through the command line, killed, starved and interrupted."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.dsp.test_lengths import talk
from tests.factory import alive, run, sha
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader

RATE = 8000


@pytest.fixture
def dataset(tmp_path):
    """Forty recordings in LJSpeech's layout, the samples of each known."""
    folder = tmp_path / "data"
    (folder / "wavs").mkdir(parents=True)
    lines = []
    for number in range(40):
        samples = np.random.default_rng(number).integers(-9000, 9000, 2000 + 50 * number)
        soundfile.write(folder / "wavs" / f"c{number:02}.wav", samples.astype(np.int16), RATE)
        lines.append(f"c{number:02}|This is sentence {number}.")
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder


def test_what_is_too_long_by_its_header_is_left_out_unread(dataset, tmp_path, ttskit):
    path = dataset / "wavs" / "c00.wav"
    path.write_bytes(path.read_bytes()[:44] + bytes(200_000))  # silent: it could not be used
    content = bytearray(path.read_bytes())
    content[4:8], content[40:44] = (size.to_bytes(4, "little") for size in (200_036, 200_000))
    path.write_bytes(content)
    words = ("corpus", dataset, "--sample-rate", RATE, "-o", "x.h5")
    assert b"entirely silent" in ttskit(*words).stderr
    assert ttskit(*words, "--max-seconds", "10", "--restart").returncode == 0
    assert Reader(tmp_path / "x.h5", Corpus).skipped == {
        "c00": "lasts 12.50 s, more than --max-seconds 10"
    }


def test_a_part_of_a_dataset_is_chosen_and_listed(dataset, tmp_path, ttskit):
    rows = [f"wavs/c{n:02}.wav\tsentence {n}\t{'test' if n % 4 else 'dev'}" for n in range(40)]
    table = dataset / "table.tsv"
    table.write_text("\n".join(["audio\ttext\tsubset", *rows]))
    assert b"parts       2: test 30, dev 10" in ttskit("corpus", table, "--explain").stdout
    assert ttskit("corpus", table, "--part", "dev", "-o", "x.h5").returncode == 0
    assert list(Reader(tmp_path / "x.h5", Corpus)) == [f"c{n:02}" for n in range(0, 40, 4)]
    assert b"no part 'tst'; there is dev, test" in ttskit("corpus", table, "--part", "tst").stderr


def test_the_first_utterances_of_each_speaker_are_read(dataset, tmp_path, ttskit):
    rows = [f"wavs/c{n:02}.wav\tsentence {n}\t{'abc'[n // 10 % 3]}" for n in range(40)]
    table = dataset / "table.tsv"
    table.write_text("\n".join(["audio\ttext\tspeaker", *rows]))
    words = ("corpus", table, "--per-speaker", "2", "--limit", "5", "-o", "x.h5")
    assert ttskit(*words).returncode == 0
    assert list(Reader(tmp_path / "x.h5", Corpus)) == ["c00", "c01", "c10", "c11", "c20"]


def call(*words):
    return [sys.executable, "-m", "ttskit", "corpus", *map(str, words)]


def test_the_samples_are_those_of_the_files(dataset, tmp_path, ttskit):
    found = ttskit("corpus", dataset, "--sample-rate", RATE, "-o", "x.h5")
    assert (found.returncode, found.stdout) == (0, b""), found.stderr
    reader = Reader(tmp_path / "x.h5", Corpus)
    assert list(reader) == [f"c{number:02}" for number in range(40)]
    assert reader["c07"].text == "This is sentence 7."
    samples, _ = soundfile.read(dataset / "wavs" / "c07.wav", dtype="int16")
    np.testing.assert_array_equal(reader["c07"].audio, samples)


def test_the_options_do_what_they_say(dataset, tmp_path, ttskit):
    silence = np.zeros(4000)
    tone = 0.25 * np.sin(np.arange(8000) * 0.3)
    tone[::997] += 0.01
    noise = np.random.default_rng(0).normal(0, 1e-4, 16000)
    soundfile.write(
        dataset / "wavs" / "c00.wav", np.concatenate([silence, tone, silence]) + noise, RATE
    )
    words = ["--sample-rate", 16000, "--trim", "--peak", -6, "--min-seconds", 0.4, "--limit", 9]
    words += ["--speaker", "ann"]
    found = ttskit("corpus", dataset, *words, "-o", "x.h5")
    assert found.returncode == 0, found.stderr
    reader = Reader(tmp_path / "x.h5", Corpus)
    assert len(reader["c00"].audio) / 16000 == pytest.approx(1.2, abs=0.1)
    assert np.abs(reader["c00"].audio).max() == pytest.approx(32768 * 10 ** (-6 / 20), abs=2)
    assert [reader[id].speaker for id in reader] == ["ann"]
    assert len(reader.skipped) == 8
    assert reader.skipped["c01"] == "lasts 0.26 s, less than --min-seconds 0.4"


def test_a_summary_as_json(dataset, ttskit):
    found = ttskit("corpus", dataset, "-o", "x.h5", "--json")
    assert json.loads(found.stdout)["utterances"] == 40
    refused = ttskit("corpus", dataset, "--json")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"can't both go to standard output" in refused.stderr


def test_explain_writes_nothing(dataset, tmp_path, ttskit):
    found = ttskit("corpus", dataset, "--explain")
    output = found.stdout.decode()
    assert "ljspeech" in output
    assert "8000 Hz, mono: 40 files" in output
    assert "utterances  40" in output
    fewer = ttskit("corpus", dataset, "--explain", "--limit", 2).stdout.decode()
    assert "utterances  2\n" in fewer
    assert "8000 Hz, mono: 2 files" in fewer
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_bad_recordings_are_listed_and_skipped_only_on_request(dataset, tmp_path, ttskit):
    (dataset / "wavs" / "c03.wav").write_bytes(b"")
    (dataset / "wavs" / "c05.wav").unlink()
    soundfile.write(dataset / "wavs" / "c09.wav", np.zeros(3000), RATE)
    soundfile.write(dataset / "wavs" / "c11.wav", np.array([0.1, np.nan]), RATE, subtype="FLOAT")
    found = ttskit("corpus", dataset, "-o", "x.h5")
    errors = found.stderr.decode()
    assert found.returncode == 1
    for id in ("c03", "c05", "c09", "c11"):
        assert sum(f": {id}: " in line for line in errors.splitlines()) == 1, errors
    assert errors.splitlines()[-1].startswith("ttskit: x.h5: not made: 4 of 40 utterances are bad")
    assert not (tmp_path / "x.h5").exists()
    again = ttskit("corpus", dataset, "-o", "x.h5", "--skip-bad")
    assert again.returncode == 0
    summary = json.loads(ttskit("info", "x.h5", "--json").stdout)
    assert summary["utterances"] == 36
    assert set(summary["skipped"]) == {"c03", "c05", "c09", "c11"}


def test_a_killed_run_is_resumed_to_the_same_bytes(dataset, tmp_path, ttskit):
    """Killed at random moments, workers and all; then left to end."""
    assert ttskit("corpus", dataset, "--jobs", 2, "-o", "whole.h5").returncode == 0
    chance = random.Random(0)
    for _ in range(8):
        words = call(dataset, "--jobs", 2, "-o", tmp_path / "x.h5")
        run = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        with suppress(subprocess.TimeoutExpired):
            run.wait(chance.uniform(0.1, 0.6))
        run.kill()
        run.wait()
    found = ttskit("corpus", dataset, "--jobs", 2, "-o", "x.h5")
    assert found.returncode == 0
    assert sha(tmp_path / "x.h5") == sha(tmp_path / "whole.h5")
    assert not (tmp_path / "x.h5.part").exists()


def test_no_worker_outlives_a_killed_run(dataset, tmp_path):
    run = subprocess.Popen(call(dataset, "--jobs", 2, "-o", tmp_path / "x.h5"))
    workers: list[str] = []
    while run.poll() is None and len(workers) < 2:
        with suppress(OSError):
            workers = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        time.sleep(0.01)
    run.kill()
    run.wait()
    deadline = time.monotonic() + 60
    while left := [pid for pid in workers if alive(pid)]:
        assert time.monotonic() < deadline, f"{left} live on"
        time.sleep(0.05)


def test_ctrl_c_keeps_finished_utterances(dataset, tmp_path, ttskit):
    lines = (dataset / "metadata.csv").read_text().splitlines()
    for number in range(40, 900):
        source = dataset / "wavs" / f"c{number % 40:02}.wav"
        shutil.copy(source, dataset / "wavs" / f"c{number}.wav")
        lines.append(f"c{number}|This is sentence {number}.")
    (dataset / "metadata.csv").write_text("\n".join(lines))
    words = call(dataset, "--jobs", 2, "-o", tmp_path / "x.h5")
    run = subprocess.Popen(
        words,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # a shell's background jobs ignore Ctrl-C, and so would what they start
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    index = tmp_path / "x.h5.part" / "index.jsonl"
    while run.poll() is None and not (index.exists() and index.stat().st_size):
        time.sleep(0.002)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: the whole group
    errors = run.communicate(timeout=120)[1].decode()
    assert run.returncode == 130, errors
    assert errors.splitlines()[-1].startswith("ttskit: interrupted; ")
    assert "Traceback" not in errors
    ttskit("corpus", dataset, "-o", "whole.h5")
    assert ttskit("corpus", dataset, "-o", "x.h5").returncode == 0
    assert sha(tmp_path / "x.h5") == sha(tmp_path / "whole.h5")


@pytest.mark.parametrize("room", [20_000, 120_000, 240_000])
def test_a_full_disk_takes_one_line_and_loses_nothing(dataset, tmp_path, ttskit, process, room):
    """No file may grow beyond `room` bytes: while utterances are written, or while sealing."""

    def starve():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    words = ["corpus", dataset, "--sample-rate", RATE, "-o", "x.h5"]
    found = process(*words, preexec_fn=starve)
    errors = found.stderr.decode()
    assert found.returncode == 1, errors
    assert "what was finished is kept" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not (tmp_path / "x.h5").exists()
    assert ttskit(*words).returncode == 0
    ttskit(*words[:-1], "whole.h5")
    assert sha(tmp_path / "x.h5") == sha(tmp_path / "whole.h5")


def test_a_changed_dataset_is_noticed(dataset, ttskit):
    assert ttskit("corpus", dataset, "-o", "x.h5").returncode == 0
    assert b"up to date" in ttskit("corpus", dataset, "-o", "x.h5").stderr
    metadata = dataset / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("sentence 3.", "sentence three."))
    assert b"up to date" not in ttskit("corpus", dataset, "-o", "x.h5").stderr


def test_a_recording_changed_in_place_is_noticed(dataset, ttskit):
    assert ttskit("corpus", dataset, "-o", "x.h5").returncode == 0
    path = dataset / "wavs" / "c05.wav"
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples // 2, rate)
    assert b"up to date" not in ttskit("corpus", dataset, "-o", "x.h5").stderr


def test_a_recording_that_would_become_silence_is_bad(dataset, ttskit):
    quiet = np.full(4000, 1e-6)
    soundfile.write(dataset / "wavs" / "c05.wav", quiet, RATE, subtype="FLOAT")
    found = ttskit("corpus", dataset, "--sample-rate", RATE, "-o", "x.h5")
    assert found.returncode == 1
    assert b"c05.wav: nothing is left of it in 16 bit" in found.stderr


def test_a_recording_beyond_full_scale_is_bad_without_peak(dataset, ttskit):
    loud = 1.1 * np.sin(np.arange(4000) * 0.3)
    soundfile.write(dataset / "wavs" / "c05.wav", loud, RATE, subtype="FLOAT")
    found = ttskit("corpus", dataset, "--sample-rate", RATE, "-o", "x.h5")
    assert found.returncode == 1
    assert b"samples are beyond full scale; scale it with --peak" in found.stderr
    words = ["--sample-rate", RATE, "--peak", -1, "--restart", "-o", "x.h5"]
    scaled = ttskit("corpus", dataset, *words)
    assert scaled.returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], "nowhere: no such"),
        (["data/wavs/c01.wav"], "data/wavs/c01.wav: "),
        (["data", "--format", "cake"], "cake"),
    ],
)
@pytest.mark.usefixtures("dataset")
def test_a_path_that_is_not_a_dataset_takes_one_line(ttskit, words, says):
    found = ttskit("corpus", *words, "-o", "x.h5")
    errors = found.stderr.decode()
    assert (found.returncode, errors.count("\n")) == (1, 1), errors
    assert errors.startswith("ttskit: ")
    assert says in errors


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "utterances", "hours"),
    [
        ("kathleen", 1563, 1.3215),
        ("LJSpeech-1.1", 24, 0.0444),
        ("nathalie", 1130, 0.697),
        ("kerstin", 300, 0.3944),
        ("digits", 300, 0.0359),
    ],
)
def test_all_real_recordings_are_read(corpora, ttskit, name, utterances, hours):
    found = ttskit("corpus", corpora / name, "-o", "x.h5")
    assert found.returncode == 0, found.stderr
    summary = json.loads(ttskit("info", "x.h5", "--json").stdout)
    assert summary["utterances"] == utterances
    assert summary["hours"] == pytest.approx(hours, abs=6e-5 if name != "nathalie" else 6e-4)
    assert summary["skipped"] == {}


def test_a_text_without_times_is_cut_by_lengths_where_there_is_no_aligner(tmp_path):
    words = "Een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien".split()
    sentences = [" ".join(words[n % 7 : n % 7 + 2 + n % 5]) + "." for n in range(30)]
    samples, places = talk([2 + sum(map(str.isalnum, one)) for one in sentences])
    soundfile.write(tmp_path / "talk.wav", samples, RATE)
    (tmp_path / "talk.txt").write_text("\n".join(f"De {one.lower()}" for one in sentences))
    made = run("corpus", tmp_path / "talk.wav", "--text", tmp_path / "talk.txt", "--skip-bad",
               "-o", tmp_path / "c.h5")  # fmt: skip
    assert "by the lengths of sentences" in " ".join(made.stderr.split())
    reader = Reader(tmp_path / "c.h5", Corpus)
    rate = int(reader.attributes["sample_rate"])
    seconds = {id: len(reader[id].audio) / rate for id in reader}
    right = [
        abs(seconds[id] - (end - start)) < 0.4
        for n, (start, end) in enumerate(places, start=1)
        if (id := f"talk_{n:04d}") in seconds
    ]
    assert sum(right) > 25
