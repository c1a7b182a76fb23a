"""Work on utterances: parallel, resumable, and nothing dropped in silence."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.factory import alive, corpus_record, sha
from ttskit.artifacts import pool
from ttskit.artifacts.build import Recipe, Running, build
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.errors import Interrupted, LeftOut, TtskitError

RECIPE = Recipe("test", 1, Corpus, {"x": 1}, ["digest"], {"sample_rate": 16000})
ITEMS = {f"u{number:03}": number for number in range(8)}


def slowly(number):
    time.sleep(0.02 * (8 - number))  # the first one is ready last
    return corpus_record(number)


def odd_ones_fail(number):
    if number == 5:
        raise LeftOut("not asked for")
    if number % 2:
        named = "u007" if number == 7 else ""  # an error may name its utterance, or leave it
        raise TtskitError(f"{number} is odd, needs an even number", utterance=named)
    return corpus_record(number)


def dies(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return corpus_record(number)


def has_a_bug(number):
    return {}[number]


def fails_at_nine(number):
    return has_a_bug(number) if number == 9 else corpus_record(number)


def cannot_be_sent(number):
    return lambda: number


def threads(_):
    import torch

    return torch.get_num_threads()


def test_the_bytes_do_not_depend_on_jobs(tmp_path):
    for jobs in (1, 3):
        build(tmp_path / f"{jobs}.h5", RECIPE, ITEMS, slowly, Running(jobs=jobs))
    assert sha(tmp_path / "1.h5") == sha(tmp_path / "3.h5")
    assert list(Reader(tmp_path / "1.h5", Corpus)) == list(ITEMS)


@pytest.mark.parametrize("jobs", [1, 2])
def test_bad_utterances_are_listed_and_nothing_is_sealed(tmp_path, capsys, jobs):
    output = tmp_path / "x.h5"
    with pytest.raises(TtskitError, match=r"3 of 8 utterances are bad .* --skip-bad"):
        build(output, RECIPE, ITEMS, odd_ones_fail, Running(jobs=jobs), source="data")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"ttskit: data: u00{n}: {n} is odd, needs an even number" for n in (1, 3, 7)]
    assert not output.exists()
    build(output, RECIPE, ITEMS, odd_ones_fail, Running(jobs=jobs, skip_bad=True))
    reader = Reader(output, Corpus)
    assert list(reader) == ["u000", "u002", "u004", "u006"]
    assert list(reader.skipped) == ["u001", "u003", "u005", "u007"]  # in order


def test_utterances_skipped_by_an_earlier_stage_stay_on_record(tmp_path):
    recipe = Recipe(**{**vars(RECIPE), "skipped": {"gone": "was silent"}})
    build(tmp_path / "x.h5", recipe, ITEMS, corpus_record, Running())
    assert Reader(tmp_path / "x.h5", Corpus).skipped == {"gone": "was silent"}


def test_a_second_run_resumes_where_the_first_one_failed(tmp_path):
    build(tmp_path / "whole.h5", RECIPE, ITEMS, corpus_record, Running())
    output, calls = tmp_path / "x.h5", []

    def fails_once(number):
        calls.append(number)
        if len(calls) == 4:
            raise RuntimeError("a crash")
        return corpus_record(number)

    with pytest.raises(RuntimeError, match="u003: a bug in ttskit"):
        build(output, RECIPE, ITEMS, fails_once, Running())
    build(output, RECIPE, ITEMS, fails_once, Running())
    assert calls == [0, 1, 2, 3, 3, 4, 5, 6, 7]
    assert sha(output) == sha(tmp_path / "whole.h5")


def test_ctrl_c_while_sealing_says_what_is_kept(tmp_path, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ttskit.artifacts.sealing.seal", press)
    with pytest.raises(Interrupted, match=r"^interrupted; .*x\.h5\.part keeps 8 finished utter"):
        build(tmp_path / "x.h5", RECIPE, ITEMS, corpus_record, Running())


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_is_said_to_be_kept_of_an_artifact_for_standard_output(monkeypatch, jobs):
    """It was begun in a temporary folder, which goes with the run."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)

    def interrupted(number):
        if number == 3:
            raise KeyboardInterrupt
        return corpus_record(number)

    make, message = (interrupted, r"^interrupted$") if jobs == 1 else (dies, r"nothing is kept.*-o")
    with pytest.raises(TtskitError, match=message) as error:
        build(None, RECIPE, ITEMS, make, Running(jobs=jobs))
    assert "/" not in str(error.value)


def test_up_to_date_work_is_not_done_again(tmp_path, capsys):
    output = tmp_path / "x.h5"
    build(output, RECIPE, ITEMS, corpus_record, Running())
    os.utime(output, (0, 0))
    build(output, RECIPE, ITEMS, has_a_bug, Running())
    assert output.stat().st_mtime > 1
    assert capsys.readouterr().err.endswith("x.h5: up to date\n")
    with pytest.raises(RuntimeError, match="KeyError"):
        build(output, Recipe(**{**vars(RECIPE), "revision": 2}), ITEMS, has_a_bug, Running())


@pytest.mark.parametrize("left", ["all", "without header", "lock alone"])
@pytest.mark.parametrize("revision", [1, 2])
def test_what_a_run_killed_after_naming_its_output_left_is_deleted(tmp_path, left, revision):
    output, part = tmp_path / "x.h5", tmp_path / "x.h5.part"
    with pytest.raises(RuntimeError, match="KeyError"):
        build(output, RECIPE, {**ITEMS, "bug": 9}, fails_at_nine, Running())
    contents = {path: path.read_bytes() for path in part.iterdir()}
    build(output, RECIPE, ITEMS, corpus_record, Running())
    assert not part.exists()
    part.mkdir()
    for path, content in contents.items():
        name = path.name
        if left == "all" or name == "lock" or (left == "without header" and name != "header.json"):
            path.write_bytes(content)
    recipe = Recipe(**{**vars(RECIPE), "revision": revision})
    build(output, recipe, ITEMS, has_a_bug if revision == 1 else corpus_record, Running())
    assert not part.exists()
    assert Reader(output, Corpus).provenance["revision"] == revision


def test_unfinished_work_of_an_output_that_is_not_there_is_kept(tmp_path):
    output = tmp_path / "x.h5"
    build(output, RECIPE, ITEMS, corpus_record, Running())
    other = Recipe(**{**vars(RECIPE), "revision": 2})
    with pytest.raises(RuntimeError, match="KeyError"):
        build(output, other, {**ITEMS, "bug": 9}, fails_at_nine, Running())
    build(output, RECIPE, ITEMS, has_a_bug, Running())  # up to date
    with pytest.raises(TtskitError, match="--restart"):
        build(output, Recipe(**{**vars(RECIPE), "revision": 3}), ITEMS, has_a_bug, Running())
    build(output, other, ITEMS, has_a_bug, Running())


def test_options_equal_those_read_back_from_json(tmp_path, capsys):
    recipe = Recipe(**{**vars(RECIPE), "options": {"sizes": (512, 1024), "deep": {"t": (1,)}}})
    for _ in range(2):
        build(tmp_path / "x.h5", recipe, ITEMS, corpus_record, Running())
    assert capsys.readouterr().err.endswith("x.h5: up to date\n")


def test_a_worker_that_is_killed_is_named(tmp_path):
    with pytest.raises(TtskitError, match=r"u003: the worker process .* killed.*--jobs"):
        build(tmp_path / "x.h5", RECIPE, ITEMS, dies, Running(jobs=2))


def never_ends(path):
    with Path(path).open("a") as file:
        print(os.getpid(), file=file, flush=True)
    time.sleep(600)


def test_a_worker_in_the_midst_of_an_item_ends_with_its_parent(tmp_path):
    pids = tmp_path / "pids"
    pids.touch()
    code = (
        "from tests.artifacts import test_build\nfrom ttskit.artifacts import pool\n"
        f"list(pool.each(test_build.never_ends, [('a', {str(pids)!r}), ('b', {str(pids)!r})], 2))"
    )
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.Popen([sys.executable, "-c", code], env=os.environ | path)
    while run.poll() is None and len(workers := pids.read_text().split()) < 2:
        time.sleep(0.01)
    run.kill()
    run.wait()
    assert len(workers) == 2
    deadline = time.monotonic() + 120
    while left := [pid for pid in workers if alive(pid)]:
        assert time.monotonic() < deadline, f"{left} live on"
        time.sleep(0.05)


def test_an_unpicklable_result_is_a_bug_and_not_a_killed_worker(tmp_path):
    with pytest.raises(RuntimeError, match="a bug in ttskit"):
        build(tmp_path / "x.h5", RECIPE, ITEMS, cannot_be_sent, Running(jobs=2))


def test_a_bug_in_a_worker_keeps_its_traceback(tmp_path):
    with pytest.raises(RuntimeError, match="has_a_bug"):
        build(tmp_path / "x.h5", RECIPE, ITEMS, has_a_bug, Running(jobs=2))


def test_a_dry_run_writes_nothing(tmp_path):
    build(tmp_path / "x.h5", RECIPE, ITEMS, has_a_bug, Running(dry_run=True))
    assert not list(tmp_path.iterdir())


def test_results_come_in_any_order_but_with_their_names():
    found: dict[str, Any] = dict(pool.each(slowly, ITEMS.items(), jobs=3))
    assert list(found) != list(ITEMS)
    for name, number in ITEMS.items():
        np.testing.assert_array_equal(found[name].audio, corpus_record(number).audio)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_uses_one_thread(jobs):
    found = dict(pool.each(threads, [("a", 0), ("b", 0)], jobs=jobs))
    assert found == {"a": 1, "b": 1}


def test_in_order_yields_results_in_the_order_of_the_items():
    numbers = list(range(8))
    found: list[Any] = list(pool.in_order(slowly, numbers, jobs=3))
    assert [record.id for record in found] == [f"u{number:03}" for number in numbers]


def test_what_differs_is_said_where_a_finished_artifact_gives_way(tmp_path, capsys):
    path = tmp_path / "x.h5"
    build(path, RECIPE, ITEMS, corpus_record, Running())
    assert "of other" not in capsys.readouterr().err
    other = replace(RECIPE, options={"x": 2, "mel": {"bands": 80}}, inputs=["another"])
    build(path, other, ITEMS, corpus_record, Running())
    assert (
        f"{path}: of other inputs or options (x 1 -> 2, mel.bands none -> 80, other inputs): "
        "made anew"
    ) in capsys.readouterr().err
    newer = replace(other, revision=2)
    build(path, newer, ITEMS, corpus_record, Running())
    assert "(by another ttskit): made anew" in capsys.readouterr().err
    build(path, newer, ITEMS, corpus_record, Running())
    assert "made anew" not in capsys.readouterr().err
