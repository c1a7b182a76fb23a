"""Ctrl-C while the program starts."""

import signal
import subprocess
import sys


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


def test_ctrl_c_within_a_verb_ends_with_status_130_and_no_traceback(ttskit, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ttskit.artifacts.streams.containers", press)
    found = ttskit("info", "x.h5")
    assert found.returncode == 130
    assert found.stderr == b""


def test_ctrl_c_while_an_error_is_printed_has_no_traceback(ttskit, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ttskit.progress.complain", press)
    assert ttskit("info", "nowhere.h5").returncode == 130
