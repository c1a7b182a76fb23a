"""The README and the tutorial do what they say: their shell blocks run, in their order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORTER = (  # the same commands on less
    (r"--(steps|minutes) \d+", "--steps 2"),
    (r"ttskit demo recordings.*", "ttskit demo recordings --utterances 8"),
    (r"^(make|pip|\. \.venv).*", ""),  # what sets all up runs where nothing is set up yet
)


@pytest.fixture
def shell(tmp_path):
    """A shell in an empty folder, with `ttskit`, and `aplay` that only takes what it gets."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, does in (
        ("ttskit", f'exec {sys.executable} -m ttskit "$@"'),
        ("aplay", "cat > /dev/null"),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    room = tmp_path / "room"
    room.mkdir()
    path = os.pathsep.join([str(programs), os.environ["PATH"]])

    def run(script):
        return subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=room,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )

    return room, run


def script_of(page):
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)
    script = "".join(blocks)
    for long, short in SHORTER:
        script = re.sub(long, short, script, flags=re.M)
    return script


def test_the_tutorial_tests_on_nothing_that_it_trains_on():
    script = script_of("docs/tutorial.md")
    (kept,) = set(re.findall(r"--glob '(.*?)'", script))
    trained = re.findall(r"ttskit train .*", script)
    of = {name for line in trained for name in re.findall(r"(\S+\.h5)", line.split(" -o ")[0])}
    assert of == {"train-alignment.h5", "train-features.h5", "smooth.h5"}
    assert f"select $kind.h5 --glob '{kept}' --others -o train-$kind.h5" in script


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "made"),
    [
        ("README.md", ("wavs", "spoken.h5", "hello.wav")),
        ("docs/tutorial.md", ("first.png", "voice.h5", "hello.wav", "scores.h5")),
    ],
)
def test_the_blocks_of_a_page_run(page, made, shell):
    room, run = shell
    found = run(script_of(page))
    assert found.returncode == 0, found.stderr[-2000:]
    assert [name for name in made if not (room / name).stat().st_size] == []
