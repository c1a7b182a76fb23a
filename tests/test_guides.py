"""The guides for extending ttskit, followed to the letter in a copy of the package.

A block of Python that begins with the name of a file is that file; a block of differences is
applied; the commands then run in an empty folder.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs").glob("adding-a-*.md"))


def blocks(page, language):
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


def apply(difference, root):
    """Put the lines of a difference with + in the place of those with -; others must be there."""
    head, *lines = difference.splitlines()
    path = root / head.removeprefix("--- ")
    old, new = (
        "".join(f"{line[1:]}\n" for line in lines if line[0] in marks) for marks in (" -", " +")
    )
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} has not:\n{old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def follow(page, root):
    """Return the files that a guide makes or changes, of a copy of the package."""
    shutil.copytree(ROOT / "ttskit", root / "ttskit")  # with what numba has compiled
    touched = set()
    for block in blocks(page, "python"):
        name, _, content = block.partition("\n")
        path = root / name.removeprefix("# ")
        assert not path.exists()
        path.write_text(content.lstrip("\n"), encoding="utf-8")
        touched.add(path)
    for block in blocks(page, "diff"):
        apply(block, root)
        touched.add(root / block.splitlines()[0].removeprefix("--- "))
    return touched


def run(script, room, root):
    programs = root / "programs"
    programs.mkdir()
    (programs / "ttskit").write_text(f'#!/bin/sh\nexec {sys.executable} -m ttskit "$@"\n')
    (programs / "ttskit").chmod(0o755)
    room.mkdir()
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=room,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_works_when_it_is_followed(page, tmp_path):
    touched = follow(page, tmp_path)
    assert len(touched) <= 3
    (script,) = blocks(page, "sh")
    done = run(script, tmp_path / "room", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    (shown,) = blocks(page, "text")
    assert done.stdout.endswith(shown)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    check = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *touched],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, check.stdout
