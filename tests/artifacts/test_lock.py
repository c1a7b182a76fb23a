"""One process at a time holds a folder."""

import shutil

import pytest

from ttskit.artifacts import lock
from ttskit.errors import ArtifactError


def test_a_folder_that_is_held_is_refused_until_it_is_let_go(tmp_path):
    with lock.hold(tmp_path / "x", "is busy"), pytest.raises(ArtifactError, match=r"^is busy$"):
        lock.hold(tmp_path / "x", "is busy")
    lock.hold(tmp_path / "x", "is busy").close()


def test_a_folder_that_its_holder_deleted_is_locked_again(tmp_path):
    with lock.hold(tmp_path / "x", "is busy"):
        shutil.rmtree(tmp_path / "x")
        with lock.hold(tmp_path / "x", "is busy"):
            assert (tmp_path / "x" / lock.NAME).exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot be written"):
        lock.hold(tmp_path / "file" / "x", "is busy")
