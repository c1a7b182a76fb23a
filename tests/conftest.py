"""What tests share: an artifact, the command line as a user runs it, real recordings."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factory import answer, write_corpus
from ttskit.artifacts import pool

# Tests run side by side, on as many cores as there are: each keeps to one thread.
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items):
    """Trace no lines in long tests, which that makes longer: short ones reach nearly all, too."""
    for item in items:
        if item.get_closest_marker("slow") or item.get_closest_marker("corpora"):
            item.add_marker("no_cover")
    gc.collect()
    gc.freeze()  # thousands of tests live to the end: no collection need look at them again


@pytest.fixture(autouse=True)
def one_thread():
    """Let no test compute on the threads that another one chose: the last bits depend on them."""
    yield
    if (torch := sys.modules.get("torch")) and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@pytest.fixture
def corpus(tmp_path):
    """A Corpus of twelve utterances by two speakers."""
    return write_corpus(tmp_path / "corpus.h5")


@pytest.fixture
def ttskit(tmp_path, monkeypatch):
    """Run the command line within the test's folder: by one job, unless more are asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pool, "cores", lambda: 1)
    return answer


@pytest.fixture
def process(tmp_path):
    """Run the command line in a process of its own, as a user does, within the test's folder."""

    def run(*words, stdin: bytes | None = None, timeout: float = 60, **settings):
        return subprocess.run(
            [sys.executable, "-m", "ttskit", *map(str, words)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=timeout,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            check=False,
            **settings,
        )

    return run


@pytest.fixture(scope="session", autouse=True)
def _no_pictures():
    """Train without drawing, which takes longer than a short training."""
    from ttskit.training import curves

    save = curves.save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "save", lambda *_, **__: None)
        yield save


@pytest.fixture
def pictures(_no_pictures, monkeypatch):
    """Draw in trainings all the same."""
    monkeypatch.setattr("ttskit.training.curves.save", _no_pictures)


@pytest.fixture(scope="session")
def corpora():
    """The folder of real recordings."""
    folder = os.environ.get("TTSKIT_CORPORA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real recordings: TTSKIT_CORPORA does not name their folder")
    return Path(folder)
