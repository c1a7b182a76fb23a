"""Artifacts that another program replaces, overwrites or cuts short while they are read."""

import os
import pickle
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.factory import corpus_record, write_corpus
from ttskit.artifacts import pool, sealing
from ttskit.artifacts.build import Recipe, Running, build
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.errors import Changed

LATER = (2e9, 2e9)  # seconds since 1970


def other_corpus(path: Path) -> Path:
    """A file as large as that of the fixture, with the same ids and other audio."""
    write_corpus(path, range(12), skipped=None)
    contents = bytearray(path.read_bytes())
    place = Reader(path, Corpus).container.columns["audio"].place
    contents[place : place + 1000] = bytes(1000)
    path.write_bytes(contents)
    return path


def echo(reader: Reader, id: str):
    return reader[id]


def copied(reader: Reader, output: Path, make, jobs: int = 1) -> Path:
    recipe = Recipe("test", 1, Corpus, {}, [reader.digest], reader.attributes)
    return build(output, recipe, {id: id for id in reader.ids}, make, Running(jobs))


def test_a_replaced_file_is_read_as_it_was_opened(tmp_path, corpus):
    reader = Reader(corpus, Corpus)
    write_corpus(tmp_path / "other.h5", range(12, 24)).replace(corpus)
    assert reader["u003"].audio.tolist() == corpus_record(3).audio.tolist()


def test_a_worker_refuses_a_file_that_was_replaced(tmp_path, corpus):
    reader = pickle.dumps(Reader(corpus, Corpus))
    write_corpus(tmp_path / "other.h5", range(12, 24)).replace(corpus)
    with pytest.raises(Changed, match=r"corpus\.h5: was replaced while it was read"):
        pickle.loads(reader)


def test_workers_that_cannot_open_an_input_blame_no_utterance(tmp_path, corpus, monkeypatch):
    reader, start = Reader(corpus, Corpus), pool._start

    def late(make):
        write_corpus(tmp_path / "other.h5", range(12, 24)).replace(corpus)
        return start(make)

    monkeypatch.setattr(pool, "_start", late)
    with pytest.raises(Changed) as caught:
        copied(reader, tmp_path / "x.h5", partial(echo, reader), jobs=2)
    assert caught.value.utterance == ""
    assert not (tmp_path / "x.h5").exists()


def test_an_input_overwritten_midway_is_refused_and_what_was_made_before_is_kept(tmp_path, corpus):
    reader, kept = Reader(corpus, Corpus), shutil.copy(corpus, tmp_path / "kept.h5")
    other = other_corpus(tmp_path / "other.h5").read_bytes()

    def make(id):
        if id == "u004":
            with corpus.open("r+b") as file:
                file.write(other)
        return reader[id]

    with pytest.raises(Changed, match="was changed while it was read"):
        copied(reader, tmp_path / "x.h5", make)
    assert not (tmp_path / "x.h5").exists()
    with corpus.open("r+b") as file:
        file.write(Path(kept).read_bytes())
    again = Reader(corpus, Corpus)
    copied(again, tmp_path / "x.h5", again.__getitem__)
    written = Reader(tmp_path / "x.h5", Corpus)
    for number in range(12):
        record = corpus_record(number)
        assert written[record.id].audio.tolist() == record.audio.tolist()


def test_an_input_that_is_only_touched_is_read_on(tmp_path, corpus):
    reader = Reader(corpus, Corpus)

    def make(id):
        os.utime(corpus, LATER)
        return reader[id]

    assert len(Reader(copied(reader, tmp_path / "x.h5", make), Corpus)) == 12


def test_what_is_sealed_of_an_input_that_was_overwritten_does_not_appear(tmp_path, corpus):
    reader = Reader(corpus, Corpus)

    def chunks():
        yield reader.column("audio")
        with corpus.open("r+b") as file:
            file.write(other_corpus(tmp_path / "other.h5").read_bytes())

    audio = reader.column("audio")
    source = sealing.Source("weights/x", audio.shape, audio.dtype, chunks())
    with pytest.raises(Changed):
        sealing.seal(tmp_path / "model.h5", "model", {}, {"inputs": [reader.digest]}, [source])
    assert not (tmp_path / "model.h5").exists()


def test_a_file_that_was_overwritten_and_is_no_input_is_no_matter(tmp_path, corpus):
    reader = Reader(corpus, Corpus)
    with corpus.open("r+b") as file:
        file.write(other_corpus(tmp_path / "other.h5").read_bytes())
    sealing.seal(tmp_path / "model.h5", "model", {}, {"inputs": ["0" * 64]}, [])
    assert (tmp_path / "model.h5").exists()
    assert len(reader) == 12


CUT = """
import os, sys
from ttskit import cli
from ttskit.stages import cat

real = cat.lines

def lines(reader, *rest):
    os.truncate(reader.path, 4096)
    return real(reader, *rest)

cat.lines = lines
cli.main()
"""


def test_a_file_that_is_cut_short_while_it_is_read_gets_one_line(tmp_path):
    corpus = write_corpus(tmp_path / "corpus.h5", range(60))
    found = subprocess.run(
        [sys.executable, "-c", CUT, "cat", corpus, "--fields", "id,audio"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    says = f"ttskit: {corpus}: was cut short while it was read: run the command again\n"
    assert (found.returncode, found.stderr) == (1, says)
