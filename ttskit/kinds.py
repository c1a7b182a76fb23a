"""The kinds of artifact: what is in each file, by field, axis and dtype.

`docs/artifacts.md` says the same in prose; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ttskit import hdf5
from ttskit.artifact import Reader, Record, array
from ttskit.errors import ArtifactError


@dataclass(frozen=True, eq=False, kw_only=True)
class Corpus(Record):
    """Recordings with their transcripts: what `ttskit corpus` makes of a dataset."""

    attributes: ClassVar = {"sample_rate": "Hz"}

    audio: np.ndarray = array("sample", "i2", "full scale is 32768")


KINDS: tuple[type[Record], ...] = (Corpus,)


def read(path: Path, name: str = "") -> Reader[Any]:
    """Open an artifact of whatever kind it is; `name` is what errors call it."""
    kind = hdf5.open_container(path, name).kind
    for known in KINDS:
        if known.kind() == kind:
            return Reader(path, known, name)
    raise ArtifactError(f"{name or path}: is of the kind {kind}, which this ttskit does not know")
