"""Tables of Hugging Face data sets that have the recordings in them."""

import sys

import pyarrow
import pytest
from pyarrow import ipc, parquet

from ttskit.datasets import digest, understand
from ttskit.errors import DatasetError


@pytest.fixture
def rows(tone, tmp_path):
    """Return rows of recordings, each with the bytes of a file."""

    def rows(*stems, named=True):
        made = []
        for stem in stems:
            content = tone(tmp_path / f"made/{stem}.wav").read_bytes()
            audio = {"bytes": content, "path": f"{stem}.wav" if named else None}
            made.append({"audio": audio, "text": f"Text {stem}.", "speaker_id": 7})
        return made

    return rows


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.Table.from_pylist(rows)
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
        return
    with ipc.new_stream(path, table.schema) as file:
        file.write_table(table)


def listed(found):
    return [(clip.id, clip.text, clip.speaker, found.parts[clip.id]) for clip in found.clips]


@pytest.mark.parametrize(
    "names",
    [
        ("data/test-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"),
        ("test/data-00000-of-00001.arrow", "train/data-00000-of-00001.arrow"),
    ],
)
def test_splits_and_recordings_come_out_of_the_tables(rows, tmp_path, names):
    made = rows("c"), rows("a", "b")
    for name, part in zip(names, made, strict=True):
        write(tmp_path / "set" / name, part)
    found = understand(tmp_path / "set")
    assert (found.format, found.bad) == ("parquet", ())
    assert listed(found) == [
        ("c", "Text c.", "7", "test"),
        ("a", "Text a.", "7", "train"),
        ("b", "Text b.", "7", "train"),
    ]
    contents = [row["audio"]["bytes"] for part in made for row in part]
    assert [clip.audio.read_bytes() for clip in found.clips] == contents
    assert digest(understand(tmp_path / "set")) == digest(found)


def test_a_recording_without_a_name_is_named_by_its_row(rows, tmp_path):
    write(tmp_path / "set/a.parquet", rows("a", "b", named=False))
    found = understand(tmp_path / "set/a.parquet")
    assert [(clip.id, clip.audio.suffix) for clip in found.clips] == [
        ("000000", ".wav"), ("000001", ".wav")
    ]  # fmt: skip


def test_a_row_without_a_recording_is_reported(rows, tmp_path):
    write(tmp_path / "set/a.parquet", [*rows("a"), {"audio": None, "text": "x", "speaker_id": 7}])
    ((_, reason),) = understand(tmp_path / "set").bad
    assert "has no recording in its column audio" in reason


def test_what_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match=r"a\.parquet: cannot be read"):
        understand(tmp_path / "set")
    write(tmp_path / "other/a.parquet", [{"sound": b"x", "text": "y"}])
    with pytest.raises(DatasetError, match=r"a\.parquet: no column names the audio: has sound"):
        understand(tmp_path / "other")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DatasetError, match="needs the extra parquet: pip install"):
        understand(tmp_path / "other")
