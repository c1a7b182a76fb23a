"""A short form of `tests/power.py`, and what its disk can lose."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import power
from tests.power import Call, Disk, after

FOLDER = Path("/disk")


def call(kind, inode=0, data=b"", path="", at=0):
    return Call(kind, inode, at, data, path)


def remains(calls, name, before=None):
    """All that can be under a name after a power cut at the end of some calls."""
    found = set()
    for seed in range(60):
        disk = after(before or Disk(folders={1: "."}), calls, FOLDER, random.Random(seed))
        inode = disk.names.get(name)
        found.add(None if inode is None else disk.contents.get(inode, b""))
    return found


MADE = [call("c", 7, b"/disk/new"), call("w", 7, b"one"), call("w", 7, b"two", at=3)]
RENAMED = call("r", 7, b"/disk/new", "/disk/out")


def test_what_was_not_flushed_can_be_lost_or_torn():
    assert remains([*MADE, RENAMED], "out") >= {None, b"", b"one", b"onetwo"}


def test_what_was_flushed_before_it_was_renamed_is_whole_or_not_there():
    assert remains([*MADE, call("s", 7), RENAMED], "out") == {None, b"onetwo"}


def test_a_name_whose_folder_was_flushed_is_certain():
    calls = [*MADE, call("s", 7), RENAMED, call("s", 1)]
    assert remains(calls, "out") == {b"onetwo"}
    assert remains(calls, "new") == {None}


def test_the_old_file_stays_where_the_new_name_is_lost():
    before = Disk({"out": 3}, {3: b"old"}, {1: "."})
    assert remains([*MADE, call("s", 7), RENAMED], "out", before) == {b"old", b"onetwo"}


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
@pytest.mark.skipif(sys.platform != "linux", reason="preloads a library as Linux does")
def test_after_a_power_cut_an_output_is_old_or_new_and_the_next_run_makes_the_same(tmp_path):
    code = (
        "import os\nfrom pathlib import Path\nfrom tests import power\n"
        "del os.environ['LD_PRELOAD']\n"
        f"power.campaign(Path({str(tmp_path)!r}), ['export srt', 'select'], 2, 0)\n"
    )
    settings = {"PYTHONPATH": str(Path(__file__).parents[1]), **power.environment(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings, capture_output=True, check=False
    )
    lines = found.stdout.decode().splitlines()
    assert lines[-1:] == ["0 finds"], found.stdout.decode() + found.stderr.decode()
    calls = int(lines[1].split()[1])
    assert lines[1] == f"select: {calls} calls, 2 cuts twice"
    assert calls > 20
