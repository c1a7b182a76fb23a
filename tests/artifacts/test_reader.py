import mmap
import pickle
from dataclasses import dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import numpy as np
import pytest

from tests.factory import PROVENANCE, corpus_record, sha, write_corpus
from ttskit.artifacts.kinds import Corpus
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import Record, array, string
from ttskit.artifacts.writer import Writer
from ttskit.errors import ArtifactError


@dataclass(frozen=True, eq=False, kw_only=True)
class Everything(Record):
    """A kind with every sort of field that there is."""

    attributes: ClassVar = {"hop_length": "samples"}
    tables: ClassVar = {"symbols": "what tokens stand for"}

    language: str = string("ISO code")
    mel: np.ndarray = array("frame mel", "f4")
    voiced: np.ndarray = array("frame", "?")
    words: np.ndarray = array("word", "S")
    spans: np.ndarray = array("word 2", "i4")
    timbre: np.ndarray = array("channel", "f4")
    score: np.ndarray = array("", "f8")
    extra: np.ndarray | None = array("frame", "f4", optional=True)


def everything(number, mels=3, extra=False):
    rng = np.random.default_rng(number)
    frames, words = number * 2, number
    return Everything(
        id=f"e{number}",
        speaker="",
        text="a\ttext\nof two lines",
        language="nl",
        mel=rng.normal(size=(frames, mels)),
        voiced=rng.uniform(size=frames) > 0.5,
        words=np.array([f"wörd{i}" if i else "" for i in range(words)], dtype=object),
        spans=rng.integers(0, 9, (words, 2)),
        timbre=rng.normal(size=4),
        score=number / 3,
        extra=rng.normal(size=frames) if extra else None,
    )


def write(path, records, order=None, **settings):
    with Writer(
        path,
        Everything,
        provenance=PROVENANCE,
        attributes={"hop_length": 256},
        tables={"symbols": ["_", "a", "é"]},
        **settings,
    ) as writer:
        for record in records:
            writer.append(record)
        writer.seal(order or [record.id for record in records])
    return path


def assert_same(found, written):
    for name in (spec.name for spec in fields(written)):
        x, y = getattr(found, name), getattr(written, name)
        if y is None or isinstance(y, str):
            assert x == y, name
        else:
            assert x.dtype == y.dtype, name
            np.testing.assert_array_equal(x, y, err_msg=name)


@pytest.mark.parametrize("extra", [False, True])
def test_reads_back_what_was_written(tmp_path, extra):
    written = [everything(number, extra=extra) for number in (4, 1, 0, 7)]
    reader = Reader(write(tmp_path / "x.h5", written), Everything)
    assert list(reader) == ["e4", "e1", "e0", "e7"]
    assert reader.attributes == {"hop_length": 256}
    assert reader.table("symbols") == ["_", "a", "é"]
    for record in written:
        assert_same(reader[record.id], record)


def test_columns_are_mapped_and_aligned(tmp_path):
    reader = Reader(write(tmp_path / "x.h5", [everything(n) for n in (3, 5)]), Everything)
    for name in ("mel", "spans", "voiced", "timbre", "offsets/frame"):
        assert reader.container.columns[name].place % 64 == 0
    base: Any = reader["e5"].mel
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(getattr(base, "obj", base), mmap.mmap)
    with pytest.raises(ValueError, match="read-only"):
        reader.column("mel")[0, 0] = 1


def test_order_is_that_of_the_seal_and_not_of_arrival(tmp_path):
    records = [everything(number) for number in range(6)]
    order = [record.id for record in records]
    straight = write(tmp_path / "a.h5", records)
    shuffled = write(tmp_path / "b.h5", records[::-1], order)
    assert sha(straight) == sha(shuffled)


def test_a_reader_can_be_pickled_to_another_process(corpus):
    reader = Reader(corpus, Corpus)
    copy = pickle.loads(pickle.dumps(reader))
    assert len(pickle.dumps(reader)) < 1000
    assert_same(copy["u003"], corpus_record(3))


def test_axes_of_one_name_agree():
    with pytest.raises(ArtifactError, match="e1: voiced has 3 frames, other fields 2"):
        Everything(**{**vars(everything(1)), "voiced": np.zeros(3, bool)})


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("mel", np.zeros((2, 3), complex), r"mel is complex128 \(2, 3\), needs float32"),
        ("mel", np.zeros(2), r"mel is float64 \(2,\), needs float32 \(frame, mel\)"),
        ("spans", np.zeros((1, 3), int), "spans has 3 2s, other fields 2"),
        ("voiced", [0.5, 0.5], "voiced is float64"),
        ("spans", np.array([[0, 1], [1, 2**31]]), "spans holds 2147483648, which no int32 is"),
        ("text", "a\0b", "needs text without NUL"),
        ("words", [3], "needs text"),
        ("id", "a/b", "slash"),
        ("id", "", "empty id"),
        ("id", "a\nb", "unprintable"),
        ("id", "..", "slash or an unprintable"),
        ("id", "x" * 201, "longer than 200 bytes"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_named(field, value, says):
    with pytest.raises(ArtifactError, match=says):
        Everything(**{**vars(everything(1)), field: value})


def test_records_of_one_artifact_have_the_same_columns_and_widths(tmp_path):
    with pytest.raises(ArtifactError, match="e2: has 4 mels, the others 3"):
        write(tmp_path / "x.h5", [everything(1), everything(2, mels=4)])
    with pytest.raises(ArtifactError, match=r"e2: differs in its columns: \['extra'\]"):
        write(tmp_path / "y.h5", [everything(1), everything(2, extra=True)])


def test_an_id_is_written_once(tmp_path):
    with pytest.raises(ArtifactError, match="e1 is there twice"):
        write(tmp_path / "x.h5", [everything(1), everything(1)])


def test_an_artifact_without_utterances_can_be_read(tmp_path):
    reader = Reader(write(tmp_path / "x.h5", []), Everything)
    assert (len(reader), reader.column("mel").shape) == (0, (0, 0))


def test_the_file_appears_only_when_complete(tmp_path):
    path = tmp_path / "x.h5"
    path.write_text("old")
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": 8000}) as writer:
        writer.append(corpus_record(1))
        assert path.read_text() == "old"
        writer.seal(["u001"])
    assert list(Reader(path, Corpus)) == ["u001"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


def test_appended_records_survive_and_are_resumed(tmp_path):
    path = tmp_path / "x.h5"
    header: dict[str, Any] = {"provenance": PROVENANCE, "attributes": {"sample_rate": 16000}}
    with Writer(path, Corpus, **header) as writer:
        writer.append(corpus_record(2))
        writer.append(corpus_record(0))
    assert not path.exists()
    with Writer(path, Corpus, **header) as writer:
        assert set(writer.finished) == {"u002", "u000"}
        writer.append(corpus_record(1))
        writer.seal(["u000", "u001", "u002"])
    whole = write_corpus(tmp_path / "whole.h5", range(3))
    assert sha(path) == sha(whole)


@pytest.mark.parametrize("column", ["audio", "text", "index"])
def test_incomplete_ends_are_cut_off(tmp_path, column):
    path = tmp_path / "x.h5"
    header: dict[str, Any] = {"provenance": PROVENANCE, "attributes": {"sample_rate": 16000}}
    with Writer(path, Corpus, **header) as writer:
        for number in range(3):
            writer.append(corpus_record(number))
    torn = path.with_name("x.h5.part") / ("index.jsonl" if column == "index" else f"{column}.raw")
    torn.write_bytes(torn.read_bytes()[:-1])
    with Writer(path, Corpus, **header) as writer:
        assert set(writer.finished) == {"u000", "u001"}
        writer.append(corpus_record(2))
        writer.seal(["u000", "u001", "u002"])
    assert sha(path) == sha(write_corpus(tmp_path / "whole.h5", range(3)))


def test_work_of_other_options_is_not_mixed_in(tmp_path):
    path = tmp_path / "x.h5"
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": 8000}) as writer:
        writer.append(corpus_record(1))
    other = {**PROVENANCE, "options": {"trim": True}}
    with pytest.raises(ArtifactError, match="--restart"):
        Writer(path, Corpus, provenance=other, attributes={"sample_rate": 8000})
    with Writer(
        path, Corpus, provenance=other, attributes={"sample_rate": 8000}, restart=True
    ) as writer:
        assert not writer.finished


def _try_to_write(path, answers):
    try:
        Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": 8000})
    except ArtifactError as error:
        answers.put(str(error))


def test_two_runs_cannot_write_the_same_artifact(tmp_path):
    path, context = tmp_path / "x.h5", get_context("spawn")
    answers = context.Queue()
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": 8000}):
        other = context.Process(target=_try_to_write, args=(path, answers))
        other.start()
        assert "another run is writing it" in answers.get(timeout=120)
        other.join()


def test_an_unwritable_folder_is_an_error_and_not_waited_for(tmp_path, monkeypatch):
    calls = iter([FileNotFoundError(2, "No such file or directory")])  # as /proc answers
    monkeypatch.setattr(Path, "mkdir", mock.Mock(side_effect=calls))
    with pytest.raises(ArtifactError, match=r"x\.h5: cannot be written: No such file"):
        Writer(tmp_path / "x.h5", Corpus, provenance=PROVENANCE, attributes={"sample_rate": 8000})


def test_digest_depends_on_contents_and_not_on_provenance(tmp_path):
    records = [everything(1), everything(2)]
    one = Reader(write(tmp_path / "a.h5", records), Everything)
    same = Reader(write(tmp_path / "b.h5", records), Everything)
    other = Reader(write(tmp_path / "c.h5", [everything(1), everything(3)]), Everything)
    assert one.digest == same.digest != other.digest


def test_an_artifact_is_read_from_python_by_name(corpus):
    import ttskit

    reader = ttskit.read(str(corpus))
    assert reader.kind is Corpus
    assert_same(reader["u003"], corpus_record(3))


@pytest.mark.parametrize(
    "row",
    [
        '{"id": ["a"], "axes": {}, "bytes": {}}',
        '{"id": "u009", "axes": {}, "bytes": {}}',
        '{"id": "u009", "axes": {"sample": 1}, "bytes": [1]}',
        '{"id": "u009", "axes": {"sample": "x"}, "bytes": {"id": 5}}',
        '{"id": "u009", "axes": {"sample": 1}, "bytes": {"id": 5, "audio": -1}}',
        '{"id": "u009", "axes": {"sample": 1}, "bytes": {"id": 0, "../../evil": 0}}',
        '{"id": "u000", "axes": {"sample": 0}, "bytes": {"id": 0}}',
        "garbage",
    ],
)
def test_an_invalid_row_of_the_index_is_cut_off(tmp_path, row):
    path = tmp_path / "x.h5"
    header: dict[str, Any] = {"provenance": PROVENANCE, "attributes": {"sample_rate": 16000}}
    with Writer(path, Corpus, **header) as writer:
        writer.append(corpus_record(0))
    with (tmp_path / "x.h5.part" / "index.jsonl").open("a") as index:
        index.write(row + "\n")
    with Writer(path, Corpus, **header) as writer:
        assert set(writer.finished) == {"u000"}
        writer.append(corpus_record(1))
        writer.seal(["u000", "u001"])
    assert sha(path) == sha(write_corpus(tmp_path / "whole.h5", range(2)))
    assert {path.name for path in tmp_path.iterdir()} == {"x.h5", "whole.h5"}


@pytest.mark.parametrize(("value", "says"), [(np.nan, "mel is nan"), (np.inf, "mel is inf")])
def test_verify_names_nan_and_infinity(tmp_path, value, says):
    from ttskit.stages import verify

    whole, broken = everything(2), everything(5)
    broken.mel[7, 1] = value
    reader = Reader(write(tmp_path / "x.h5", [whole, broken]), Everything)
    assert list(verify.unfit(reader)) == [f"e5: {says}, needs a finite number"]
