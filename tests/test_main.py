"""What the program says when it is stopped, or lacks what it needs of the system."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.factory import write_corpus


def test_ctrl_c_while_modules_are_imported_prints_nothing(tmp_path):
    """The module that is imported after half of the others presses it."""
    (tmp_path / "typer.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n"
    )
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's jobs ignore it
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from ttskit.__main__ import main\n"  # as the script that is installed does
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert found.returncode == -signal.SIGINT
    assert found.stderr == b""


def test_ctrl_c_within_a_verb_ends_with_status_130_and_one_line(ttskit, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ttskit.artifacts.streams.containers", press)
    found = ttskit("info", "x.h5")
    assert found.returncode == 130
    assert found.stderr == b"ttskit: interrupted\n"


def test_ctrl_c_while_an_error_is_printed_has_no_traceback(ttskit, monkeypatch):
    said = []

    def press(message):
        said.append(message)
        if len(said) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("ttskit.progress.complain", press)
    assert ttskit("info", "nowhere.h5").returncode == 130
    assert said[1:] == ["ttskit: interrupted"]


def test_what_is_printed_to_a_closed_standard_output_is_an_error(tmp_path):
    write_corpus(tmp_path / "x.h5")
    command = f"exec {sys.executable} -m ttskit info x.h5 >&-"
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    found = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=os.environ | path, stderr=-1, check=False
    )
    assert found.returncode == 1
    assert b"ttskit: standard output is closed" in found.stderr


def test_a_name_that_is_not_utf_8_is_printed_as_it_is(tmp_path, process):
    name = b"x\xff.h5"
    write_corpus(tmp_path / os.fsdecode(name), [1])
    os.environ["PYTHONIOENCODING"] = "utf-8:strict"
    try:
        assert process("info", os.fsdecode(name)).stdout.startswith(name)
    finally:
        del os.environ["PYTHONIOENCODING"]


def test_too_many_open_files_has_a_remedy(ttskit, monkeypatch):
    def fail(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("ttskit.artifacts.streams.containers", fail)
    found = ttskit("info", "x.h5")
    assert found.returncode == 1
    assert b"Too many open files: raise the limit (ulimit -n 4096)" in found.stderr
