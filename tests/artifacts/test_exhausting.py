"""Small files that claim much: each is refused in one line, before time or memory goes."""

import h5py
import numpy as np
import pytest

from tests.artifacts.test_hostile import craft
from tests.factory import Contents
from ttskit.artifacts import hdf5
from ttskit.artifacts.kinds import read
from ttskit.errors import ArtifactError


def complaint(path) -> str:
    with pytest.raises(ArtifactError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def sparse(path, name, rows):
    """Make a column of very many rows, of which the disk holds the last alone."""
    with h5py.File(path, "r+", libver="v110") as file:
        dtype = file[name].dtype
        del file[name]
        made = file.create_dataset(name, (rows,), dtype)
        made[-1:] = np.zeros(1, f"S{dtype.itemsize}" if dtype.kind == "S" else dtype).view(dtype)
    return path


@pytest.mark.parametrize("name", ["id", "text", "audio"])
def test_bytes_that_were_never_written_are_not_read(tmp_path, name):
    path = sparse(craft(tmp_path / "x.h5"), name, 10**9)
    assert path.stat().st_blocks * 512 < 1 << 20
    assert "most of which were never written" in complaint(path)


def test_zeros_that_a_copy_has_not_written_are_read(tmp_path):
    """As `rsync --sparse` and some file systems leave them."""
    path = craft(tmp_path / "x.h5", audio=np.zeros(1 << 20, "i2"), offsets__sample=[0, 9, 1 << 20])
    contents = path.read_bytes()
    copy = tmp_path / "copy.h5"
    with copy.open("wb") as file:
        for start in range(0, len(contents), 4096):
            block = contents[start : start + 4096]
            file.seek(start)
            if any(block):
                file.write(block)
        file.truncate(len(contents))
    assert copy.stat().st_blocks * 512 < len(contents) / 2
    assert len(read(copy)) == 2


def test_a_list_has_no_more_entries_than_memory_for_its_file(tmp_path):
    contents = Contents.of(craft(tmp_path / "x.h5"))
    contents.columns["skipped/id"] = np.full(4_000_000, b"a")
    contents.columns["skipped/reason"] = np.full(4_000_000, b"a")
    container = hdf5.open_container(contents.write(tmp_path / "x.h5"))
    with pytest.raises(ArtifactError, match="skipped/id has 4,000,000 entries, too many"):
        container.strings("skipped/id")


def test_groups_with_many_names_are_walked_once(tmp_path):
    path = craft(tmp_path / "x.h5")
    with h5py.File(path, "r+", libver="v110") as file:
        below = file.create_group("fan0")
        for level in range(1, 8):
            group = file.create_group(f"fan{level}")
            for number in range(9):
                group[str(number)] = below
            below = group
    assert "is a second name" in complaint(path)


@pytest.mark.parametrize("place", ["/", "audio"])
def test_very_many_attributes_are_refused_before_they_are_read(tmp_path, place):
    path = craft(tmp_path / "x.h5")
    with h5py.File(path, "r+", libver="v110") as file:
        for number in range(1000):
            file[place].attrs[f"a{number}"] = number
    assert "attributes in one place, needs at most 256" in complaint(path)


def test_very_many_groups_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "MOST_COLUMNS", 50)
    path = craft(tmp_path / "x.h5")
    with h5py.File(path, "r+", libver="v110") as file:
        for number in range(51):
            file.create_group(f"many/{number}")
    assert "holds more groups or columns than an artifact has" in complaint(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_rate", 10**9),
        ("sample_rate", 8000.5),
        ("sample_rate", True),
        ("sample_rate", "x"),
        ("sample_rate", float("nan")),
    ],
)
def test_an_attribute_out_of_its_bounds_is_named(tmp_path, name, value):
    path = craft(tmp_path / "x.h5", attributes={name: value})
    assert f"its {name} is {value!r}, needs a" in complaint(path)


@pytest.mark.parametrize(
    ("provenance", "says"),
    [
        ([], "is not a JSON object"),
        ({"inputs": 5}, "inputs that are no list"),
        ({"inputs": [{}]}, "inputs that are no digests"),
        ({"options": 1}, "options that are no dict"),
    ],
)
def test_provenance_of_another_shape_is_refused(tmp_path, provenance, says):
    contents = Contents.of(craft(tmp_path / "x.h5"))
    contents.provenance = provenance
    assert says in complaint(contents.write(tmp_path / "x.h5"))
