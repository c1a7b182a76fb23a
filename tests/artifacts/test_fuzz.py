"""A short form of `benchmarks/fuzz_artifacts.py`: a few mutated files of each kind."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz_artifacts import mutate
from tests.factory import alignment_record, write_alignment, write_corpus
from ttskit.artifacts import hdf5
from ttskit.artifacts.describe import describe
from ttskit.artifacts.kinds import read
from ttskit.errors import TtskitError
from ttskit.stages import info, verify

COUNT = 60


def complaint(path: Path) -> str:
    """Do what `info`, `verify` and every stage do with an input; return why one refuses it."""
    try:
        container = hdf5.open_container(path)
        info.page(describe(container))
        list(verify.complaints(container))
        list(read(path).values())
    except TtskitError as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore")  # what HDF5 says while it makes what no artifact is
@pytest.mark.parametrize("kind", ["corpus", "alignment"])
def test_a_mutated_file_is_read_or_refused_in_one_line(tmp_path, kind):
    whole, path = tmp_path / "whole.h5", tmp_path / "x.h5"
    if kind == "corpus":
        write_corpus(whole, range(4), skipped={"u9": "too short"})
    else:
        write_alignment(whole, alignment_record("a"), alignment_record("b"))
    complaints = []
    for number in range(COUNT):
        mutate(0, number, whole, path)
        complaints.append(complaint(path))
    assert not any("\n" in one for one in complaints)
    assert 0.05 < np.mean([not one for one in complaints]) < 0.95  # neither all nor none refused
