"""Where libraries keep what takes long."""

import os
import tempfile

import pytest

from ttskit.artifacts import caches


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """A system on which temporary files alone can be written."""
    monkeypatch.setattr(caches, "_writable", lambda _: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "environ", {"MPLCONFIGDIR": "mine"})
    return tmp_path


def test_without_a_writable_home_compiled_functions_are_kept_among_temporary_files(read_only):
    caches.provide()
    folder = os.environ["NUMBA_CACHE_DIR"]
    assert folder.startswith(str(read_only))
    assert os.stat(folder).st_mode & 0o777 == 0o700  # noqa: PTH116 (as the code sees it)
    assert os.environ["MPLCONFIGDIR"] == "mine"


@pytest.mark.parametrize("made", ["open", "link"])
def test_a_folder_that_others_can_write_is_not_trusted(read_only, made):
    folder = read_only / f"compiled-for-ttskit-{os.getuid()}"
    if made == "open":
        folder.mkdir()
        folder.chmod(0o777)
    else:
        folder.symlink_to(read_only)
    caches.provide()
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_a_home_that_can_be_written_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path)})
    caches.provide()
    assert os.environ.keys() == {"HOME"}
