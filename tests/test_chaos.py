"""A short form of `make chaos`: some faults, some kills, of the cases that are quick."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import chaos


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
@pytest.mark.skipif(sys.platform != "linux", reason="preloads a library as Linux does")
def test_after_faults_and_kills_the_next_run_makes_the_same_bytes_and_leaves_nothing(tmp_path):
    library = str(chaos.compiled(tmp_path))
    code = (
        "import os\nfrom pathlib import Path\nfrom tests import chaos\n"
        "del os.environ['LD_PRELOAD']\n"
        f"chaos.campaign(Path({str(tmp_path)!r}), ['export srt', 'select'], 2, 0)\n"
    )
    settings = {"PYTHONPATH": str(Path(__file__).parents[1]), "LD_PRELOAD": library}
    found = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings, capture_output=True, check=False
    )
    lines = found.stdout.decode().splitlines()
    assert lines[-1:] == ["0 finds"], found.stdout.decode() + found.stderr.decode()
    assert lines[1].startswith("select: ")
    assert lines[1].endswith("2 x short write, 2 x kill")
