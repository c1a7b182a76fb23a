"""Whatever ends a run, what lies under the name of its output is whole."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.factory import alignment_record, run, write_alignment, write_corpus
from tests.interrupts import ctrl_c_everywhere
from ttskit.artifacts import atomic, hdf5, sealing, streams
from ttskit.errors import ArtifactError
from ttskit.formats import audio
from ttskit.pages import listening, utterance
from ttskit.speaking.output import open_sound


def begun(folder):
    """What is there but the output."""
    return [path.name for path in folder.iterdir() if path.name != "x.txt"]


def interrupted(path, error):
    """Write half a file."""
    with atomic.replacing(path) as unfinished:
        unfinished.write_text("half")
        raise error


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with atomic.replacing(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert (path.read_text(), begun(tmp_path)) == ("new", [])


@pytest.mark.parametrize("ends", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_write_keeps_the_old_file(tmp_path, ends):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(ends):
        interrupted(path, ends())
    assert (path.read_text(), begun(tmp_path)) == ("old", [])


KILLED = """
import os, sys
from pathlib import Path
from ttskit.artifacts import atomic, streams
if "named" in sys.argv:
    atomic._nameless = lambda folder: None  # as on file systems that have no O_TMPFILE
if "between" in sys.argv:
    os.replace = lambda *_, **__: os.kill(os.getpid(), 9)
    Path.replace = os.replace
streams.scratch()
with atomic.replacing(Path("x.txt")) as unfinished:
    unfinished.write_text("half")
    if "between" not in sys.argv:
        os.kill(os.getpid(), 9)
"""


def killed(folder, *how):
    """Kill a run that writes x.txt."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    path = {"PYTHONPATH": str(Path(atomic.__file__).parents[2]), "TMPDIR": str(temporary)}
    words = [sys.executable, "-c", KILLED, *how]
    found = subprocess.run(words, cwd=folder, env=os.environ | path, check=False)
    assert found.returncode == -signal.SIGKILL
    return [path for path in folder.iterdir() if path != temporary]


def test_a_killed_run_leaves_no_file(tmp_path):
    assert killed(tmp_path) == []


@pytest.mark.parametrize("how", ["named", "between"])
def test_what_a_killed_run_leaves_has_no_known_suffix_and_goes_with_the_next_one(tmp_path, how):
    (left,) = killed(tmp_path, how)
    assert (left.name[0], left.suffix) == (".", ".part")
    atomic.write_text(tmp_path / "x.txt", "whole")
    assert [path.name for path in tmp_path.glob("*x*")] == ["x.txt"]
    assert not left.exists()


def test_a_temporary_folder_of_a_killed_run_goes_with_the_next_one(tmp_path, monkeypatch):
    killed(tmp_path)
    (left,) = (tmp_path / "temporary").iterdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    one, other = streams.scratch(), streams.scratch()
    assert not left.exists()
    assert one.is_dir()
    assert other.is_dir()
    assert one.stat().st_mode & 0o777 == 0o700


def test_folders_and_links_of_others_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/lock").touch()
    (tmp_path / "ttskit-link").symlink_to(tmp_path / "mine")
    (tmp_path / "ttskit-thesis").mkdir()
    (tmp_path / "ttskit-thesis/chapter.txt").touch()
    streams.scratch()
    assert (tmp_path / "mine/lock").exists()
    assert (tmp_path / "ttskit-thesis/chapter.txt").exists()


@pytest.mark.parametrize("named", [False, True])
def test_a_living_writer_keeps_its_file_while_others_write_the_same_target(
    tmp_path, monkeypatch, named
):
    if named:
        monkeypatch.setattr(atomic, "_nameless", lambda _: None)
    path = tmp_path / "x.txt"
    with atomic.replacing(path) as one:
        one.write_text("one")
        for text in ("two", "three"):
            atomic.write_text(path, text)
            assert path.read_text() == text
    assert path.read_text() == "one"
    assert begun(tmp_path) == []


def test_a_link_to_itself_is_refused(tmp_path):
    path = tmp_path / "x.txt"
    path.symlink_to(path)
    with pytest.raises(OSError, match="levels of symbolic links"):
        atomic.write_text(path, "new")
    with pytest.raises(ArtifactError, match=r"x\.txt: is a link to itself"):
        streams.writable(path)
    assert path.is_symlink()


def test_two_concurrent_writers_leave_one_complete_file(tmp_path):
    path = tmp_path / "x.txt"
    with atomic.replacing(path) as one, atomic.replacing(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"


def test_permissions_are_those_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        atomic.write_text(tmp_path / "x.txt", "new")
        audio.write(tmp_path / "x.wav", np.ones(9, np.int16), 8000)
        write_corpus(tmp_path / "x.h5", range(1))
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


def test_a_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/x.txt")
    for text in ("made through it", "replaced through it"):
        atomic.write_text(tmp_path / "link", text)
        assert (tmp_path / "folder/x.txt").read_text() == text
        assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_to_and_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    received = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_text()))
    reader.start()
    atomic.write_text(tmp_path / "pipe", "through")
    reader.join(60)
    assert received == ["through"]
    assert (tmp_path / "pipe").is_fifo()


def test_errors_name_the_target_and_not_the_temporary_file(tmp_path):
    for path in (tmp_path / "nowhere" / "x.txt", tmp_path):
        with pytest.raises(OSError, match=r"\S") as error:
            atomic.write_text(path, "new")
        assert error.value.filename == str(path)
    if Path("/dev/full").exists():
        with pytest.raises(OSError, match=r"No space left on device: '/dev/full'"):
            atomic.write_text(Path("/dev/full"), "new")
    with pytest.raises(OSError, match="No space left") as error:
        interrupted(tmp_path / "x.txt", OSError(28, "No space left on device"))
    assert error.value.filename == str(tmp_path / "x.txt")


def test_ctrl_c_is_obeyed_wherever_it_comes_while_an_artifact_is_sealed(tmp_path):
    """HDF5 calls Python back to write, where an exception would be taken for a failed write."""

    def seal():
        sources = [sealing.Source.of(name, np.arange(99), "frame") for name in ("a", "b")]
        sealing.seal(tmp_path / "x.h5", "test", {}, {}, sources)

    obeyed = list(ctrl_c_everywhere(seal, "sealing.py"))
    assert len(obeyed) > 10
    assert all(obeyed)
    assert hdf5.open_container(tmp_path / "x.h5").columns.keys() == {"a", "b"}
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


def stream(path):
    with open_sound(path, 8000) as write:
        write(np.ones(9, np.float32))


def exported(path):
    run("export", write_alignment(path.parent / "in.h5", alignment_record()), "-o", path)


def listed(path):
    run(
        "export",
        write_corpus(path.parent / "in.h5", [1]),
        "-f",
        "wav",
        "--overwrite",
        "-o",
        path.parent,
    )


def drawn(path):
    from matplotlib.figure import Figure

    utterance.save(Figure(), path)


WRITERS = {
    "x.wav": lambda path: audio.write(path, np.ones(9, np.int16), 8000),
    "x.ogg": stream,
    "x.html": lambda path: listening.write(path, ["<p>", "</p>"]),
    "x.h5": lambda path: sealing.seal(path, "test", {}, {}, []),
    "x.srt": exported,
    "metadata.csv": listed,
    "x.png": drawn,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_replaces_the_old_file_at_the_end(tmp_path, name):
    """A file that is open keeps what it held: what was there was replaced, not written over."""
    path = tmp_path / name
    path.write_text("old")
    with path.open() as old:
        WRITERS[name](path)
        assert old.read() == "old"
    assert path.read_bytes() != b"old"
    assert not list(tmp_path.rglob(".ttskit-*"))
