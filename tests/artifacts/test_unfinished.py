"""Unfinished work: whatever a kill leaves of it, what is resumed is what was appended."""

import json
import resource
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.factory import PROVENANCE
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import Record, array
from ttskit.artifacts.unfinished import Unfinished
from ttskit.artifacts.writer import Writer
from ttskit.errors import ArtifactError

HEADER = {"kind": "test"}
COLUMNS = ("id", "text", "mel")
ROWS = {
    "a": {"id": b"a\0", "text": b"one\0", "mel": b"01234567"},
    "b": {"id": b"b\0", "text": b"\0", "mel": b""},
    "c": {"id": b"c\0", "text": b"three\0", "mel": b"89ab"},
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Heard(Record):
    """A small kind with texts, a ragged axis and a fixed one."""

    attributes: ClassVar = {}

    mel: np.ndarray = array("frame mel", "f4")
    words: np.ndarray = array("word", "S")
    score: np.ndarray = array("", "f8")


def opened(folder):
    return Unfinished(folder / "x.h5", HEADER, COLUMNS)


def append(part, id):
    part.append(id, {"frame": len(ROWS[id]["mel"]) // 4}, ROWS[id])


def kept(part):
    """The bytes of each row that is there."""
    return {
        id: {name: part.read(name, *part.place(name, row)) for name in part.ends}
        for id, row in part.rows.items()
    }


def writes(folder):
    """Every write of a run in its order, as the file and the bytes that are added to it."""
    part = opened(folder)
    for id in ROWS:
        append(part, id)
    part.close()
    index = (folder / "x.h5.part" / "index.jsonl").read_bytes().splitlines(keepends=True)
    for blobs, line in zip(ROWS.values(), index, strict=True):
        yield from ((f"{name}.raw", blob) for name, blob in blobs.items())
        yield "index.jsonl", line


@pytest.fixture
def torn(tmp_path):
    """The folder of a run, and a function that puts back what it had written after n bytes."""
    every = list(writes(tmp_path))
    part = tmp_path / "x.h5.part"

    def put_back(count):
        for path in part.iterdir():
            if path.suffix in (".raw", ".jsonl"):
                path.unlink()
        for name, data in every:
            with (part / name).open("ab") as file:
                file.write(data[: max(0, count)])
            count -= len(data)

    return tmp_path, put_back, sum(len(data) for _, data in every)


def test_a_run_killed_after_any_byte_is_resumed_as_if_it_had_not_been(torn):
    folder, put_back, total = torn
    counts = set()
    for count in range(total + 1):
        put_back(count)
        part = opened(folder)
        counts.add(len(part.rows))
        assert kept(part) == {id: ROWS[id] for id in [*ROWS][: len(part.rows)]}, count
        for id in ROWS.keys() - part.rows.keys():
            append(part, id)
        assert kept(part) == ROWS, count
        part.close()
        part = opened(folder)
        assert kept(part) == ROWS, count
        part.close()
    assert counts == {0, 1, 2, 3}


def test_bytes_without_a_row_are_cut_off(torn):
    """Of a column that is in no row too."""
    folder, put_back, _ = torn
    put_back(0)
    for name in ("text.raw", "mel.raw"):
        (folder / "x.h5.part" / name).write_bytes(b"left by a kill")
    part = opened(folder)
    assert {path.stat().st_size for path in part.folder.glob("*.raw")} == {0}
    part.close()


def test_a_flipped_bit_of_any_byte_is_found(torn):
    folder, put_back, total = torn
    put_back(total)
    for path in sorted((folder / "x.h5.part").iterdir()):
        content = path.read_bytes() if path.suffix in (".raw", ".jsonl") else b""
        for at in range(len(content)):
            put_back(total)
            path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
            part = opened(folder)
            assert len(part.rows) < 3, (path.name, at)
            assert kept(part) == {id: ROWS[id] for id in part.rows}, (path.name, at)
            part.close()


@pytest.mark.parametrize("name", ["id", "text", "mel"])
@pytest.mark.parametrize("size", range(6))
def test_rows_beyond_the_end_of_a_raw_file_are_made_again(torn, name, size):
    folder, put_back, total = torn
    put_back(total)
    with (folder / "x.h5.part" / f"{name}.raw").open("r+b") as file:
        file.truncate(size)
    part = opened(folder)
    assert kept(part) == {id: ROWS[id] for id in [*ROWS][: len(part.rows)]}
    assert len(part.rows) < 3
    part.close()


def test_rows_without_a_checksum_are_still_read(torn):
    folder, put_back, total = torn
    put_back(total)
    index = folder / "x.h5.part" / "index.jsonl"
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    assert all(row.pop("crc32") for row in rows)
    index.write_text("".join(json.dumps(row) + "\n" for row in rows))
    part = opened(folder)
    assert kept(part) == ROWS
    part.close()


def test_a_failed_write_does_not_shift_what_is_appended_after_it(tmp_path):
    part = opened(tmp_path)
    append(part, "b")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, limits[1]))  # of 8 bytes, 5 are written
    try:
        with pytest.raises(ArtifactError, match="cannot be written"):
            append(part, "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    append(part, "c")
    assert kept(part) == {id: ROWS[id] for id in "bc"}
    part.close()
    part = opened(tmp_path)
    assert kept(part) == {id: ROWS[id] for id in "bc"}
    part.close()


def heard(number, seed=0):
    rng = np.random.default_rng([number, seed])
    return Heard(
        id=f"h{number}",
        speaker="",
        text="é" * number,
        mel=rng.standard_normal((number, 2), np.float32),
        words=np.array([f"w{i}" for i in range(number % 3)], dtype=object),
        score=np.asarray(rng.standard_normal()),
    )


def test_seal_refuses_a_raw_file_that_was_cut_meanwhile(tmp_path):
    with Writer(tmp_path / "x.h5", Heard, provenance=PROVENANCE) as writer:
        for number in range(1, 4):
            writer.append(heard(number))
        with (tmp_path / "x.h5.part" / "mel.raw").open("r+b") as file:
            file.truncate(20)
        with pytest.raises(ArtifactError, match=r"mel\.raw: ends before byte .* run the same"):
            writer.seal(["h1", "h2", "h3"])
    assert not (tmp_path / "x.h5").exists()
    with Writer(tmp_path / "x.h5", Heard, provenance=PROVENANCE) as writer:
        assert set(writer.finished) == {"h1"}


@pytest.mark.parametrize("column", ["mel", "words", "score", "text"])
def test_seal_refuses_sizes_that_disagree_with_the_axes(tmp_path, column):
    """Of rows without a checksum, the axes are all that is known."""
    with Writer(tmp_path / "x.h5", Heard, provenance=PROVENANCE) as writer:
        for number in (3, 1, 2):
            writer.append(heard(number))
    index = tmp_path / "x.h5.part" / "index.jsonl"
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    for row in rows:
        del row["crc32"]
    rows[-1]["bytes"][column] -= 1
    index.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Writer(tmp_path / "x.h5", Heard, provenance=PROVENANCE) as writer:
        assert len(writer.finished) == 3
        with pytest.raises(ArtifactError, match=rf"x\.h5\.part: {column} has other sizes"):
            writer.seal(["h1", "h2", "h3"])
    assert not (tmp_path / "x.h5").exists()


class Kills(RuleBasedStateMachine):
    """Append, be killed, find files damaged, go on: beside a plain dictionary."""

    def __init__(self):
        super().__init__()
        self.folder = Path(mkdtemp())
        self.known = {}

    @initialize()
    def open(self):
        self.writer = Writer(self.folder / "x.h5", Heard, provenance=PROVENANCE)
        assert set(self.writer.finished) <= self.known.keys()
        self.known = {id: self.known[id] for id in self.writer.finished}

    @rule(number=st.integers(0, 9), seed=st.integers(0, 3))
    def append(self, number, seed):
        record = heard(number, seed)
        if record.id not in self.known:
            self.writer.append(record)
            self.known[record.id] = record

    @rule(
        data=st.data(),
        how=st.sampled_from(["extend", "truncate", "flip", "torn append", "nothing"]),
        at=st.integers(0, 10**6),
    )
    def kill(self, data, how, at):
        self.writer._part.close()
        part = self.folder / "x.h5.part"
        files = sorted([*part.glob("*.raw"), part / "index.jsonl"])
        hit = files if how == "torn append" else [data.draw(st.sampled_from(files))]
        for path in hit:
            content = bytearray(path.read_bytes())
            if how in ("extend", "torn append"):
                content += content[: at % 50] or b"x" * (at % 50)
            elif how == "truncate":
                del content[at % (len(content) + 1) :]
            elif how == "flip" and content:
                content[at % len(content)] ^= 1 << at % 8
            path.write_bytes(content)
        self.open()

    @rule()
    def seal(self):
        self.writer.seal([*self.known])
        reader = Reader(self.folder / "x.h5", Heard)
        assert list(reader) == [*self.known]
        for id, record in self.known.items():
            for name, value in record.columns().items():
                np.testing.assert_array_equal(getattr(reader[id], name), value)
        assert [path.name for path in self.folder.iterdir()] == ["x.h5"]
        self.known = {}
        self.open()

    @invariant()
    def nothing_finished_is_forgotten(self):
        if self.known:
            assert self.writer.finished == self.known.keys()

    def teardown(self):
        self.writer._part.close()
        shutil.rmtree(self.folder)


TestKills = Kills.TestCase
TestKills.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize("restart", [False, True])
def test_a_link_in_place_of_the_folder_is_refused_and_left_alone(tmp_path, restart):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("of years")
    (tmp_path / "x.h5.part").symlink_to(mine)
    with pytest.raises(ArtifactError, match=r"x\.h5\.part: is a link"):
        Unfinished(tmp_path / "x.h5", HEADER, COLUMNS, restart=restart)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("name", ["thesis.txt", "index.jsonl", "mel.raw", "lock", "folder"])
def test_foreign_names_and_links_in_the_folder_are_refused(tmp_path, restart, name):
    mine = tmp_path / "mine.txt"
    mine.write_text("of years")
    part = tmp_path / "x.h5.part"
    part.mkdir()
    if name == "thesis.txt":
        (part / name).write_text("of years")
    elif name == "folder":
        (part / name).mkdir()
    else:
        (part / name).symlink_to(mine)
    with pytest.raises(ArtifactError, match=rf"x\.h5\.part: holds {name}, which is not ttskit's"):
        Unfinished(tmp_path / "x.h5", HEADER, COLUMNS, restart=restart)
    assert mine.read_text() == "of years"
    assert [path.name for path in part.iterdir()] == [name]


def test_a_file_that_another_program_adds_outlives_the_run(tmp_path):
    part = opened(tmp_path)
    (part.folder / "thesis.txt").write_text("of years")
    part.remove()
    assert [path.name for path in part.folder.iterdir()] == ["thesis.txt"]


def test_restart_deletes_what_was_finished(tmp_path):
    part = opened(tmp_path)
    append(part, "a")
    part.close()
    (part.folder / "pitch.raw").write_bytes(b"of another kind")
    part = Unfinished(tmp_path / "x.h5", HEADER, COLUMNS, restart=True)
    assert not part.rows
    assert {path.name for path in part.folder.iterdir()} == {"lock", "header.json", "index.jsonl"}
    part.remove()
    assert not list(tmp_path.iterdir())
