"""Datasets: recognise the format, read the utterances, and note what is odd."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ttskit.datasets import (
    kaldi,
    lhotse,
    libritts,
    ljspeech,
    manifest,
    pairs,
    parquet,
    recording,
    vctk,
)
from ttskit.datasets.clips import Clip, Dataset
from ttskit.errors import ArtifactError, DatasetError

__all__ = ["FORMATS", "Clip", "Dataset", "DatasetFormat", "digest", "understand"]


BLOCK = 1 << 14  # bytes
SUFFIXES = (".h5", ".hdf5")  # of artifacts


class DatasetFormat(Protocol):
    """The interface of the module of a dataset format."""

    NEEDS: str  # what makes a dataset of this format, in one line

    def matches(self, path: Path) -> str | None:
        """Return by what a path is recognised, or None."""

    def read(self, path: Path) -> Dataset:
        """Read the dataset at a path."""


FORMATS: Mapping[str, DatasetFormat] = MappingProxyType(
    {
        "ljspeech": ljspeech,
        "libritts": libritts,
        "vctk": vctk,
        "pairs": pairs,
        "manifest": manifest,
        "recording": recording,
        "kaldi": kaldi,
        "lhotse": lhotse,
        "parquet": parquet,
    }
)


def understand(path: Path, format: str | None = None) -> Dataset:
    """Read a dataset folder or file, by the format it is recognised as or by the one named."""
    try:
        return _understand(path, format)
    except OSError as error:
        raise DatasetError(
            f"cannot be read: {error.strerror or error}", file=error.filename or path
        ) from error


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 over relative paths, transcripts, and audio files by size and some blocks.

    Whatever is done to a recording as a whole changes these blocks.
    The location of the dataset and the dates of its files do not matter.
    """
    total = hashlib.sha256()
    sampled: dict[Path, tuple[int, str]] = {}
    for clip in dataset.clips:
        try:
            if clip.audio not in sampled:
                sampled[clip.audio] = _sample(clip.audio)
        except OSError as error:
            raise DatasetError(f"cannot be read: {error.strerror}", file=clip.audio) from error
        inside = clip.audio.is_relative_to(dataset.root)
        audio = (clip.audio.relative_to(dataset.root) if inside else clip.audio).as_posix()
        row = [clip.id, clip.text, clip.speaker, audio, *sampled[clip.audio], clip.start, clip.end]
        total.update(json.dumps(row).encode() + b"\n")
    for id, _ in dataset.bad:
        total.update(json.dumps([id]).encode() + b"\n")
    return total.hexdigest()


def _understand(path: Path, format: str | None) -> Dataset:
    if not path.exists():
        what = "a link that leads nowhere" if path.is_symlink() else "no such folder or file"
        raise DatasetError(f"{what}", file=path)
    if format is None:
        format, reason = _recognise(path)
    elif format in FORMATS:
        reason = "as asked for"
    else:
        raise DatasetError(f"unknown format {format}; known are {', '.join(FORMATS)}")
    dataset = FORMATS[format].read(path)
    return replace(dataset, notes=(f"read as {format}: {reason}", *dataset.notes))


def _is_artifact(path: Path) -> bool:
    from ttskit.artifacts import hdf5

    return path.suffix.lower() in SUFFIXES and hdf5.is_hdf5(path)


def _use_of(path: Path) -> str:
    """Return the kind of an artifact, and what to do with it, as far as it can be read."""
    from ttskit.artifacts import hdf5

    try:
        kind = hdf5.open_container(path).kind
    except ArtifactError:
        return ""
    step = f"go on with `ttskit features {path.name}`, or " if kind == "corpus" else ""
    return f" ({kind}): {step}name the folder or the file that it was made from"


def _sample(path: Path) -> tuple[int, str]:
    """Return the size of a file, and the hash of blocks at its start, middle and end."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        for start in (0, size // 2, max(0, size - BLOCK)):
            file.seek(start)
            total.update(file.read(BLOCK))
    return size, total.hexdigest()


def _recognise(path: Path) -> tuple[str, str]:
    if path.is_file() and _is_artifact(path):
        raise DatasetError(f"is an artifact already{_use_of(path)}", file=path)
    matches = {name: module.matches(path) for name, module in FORMATS.items()}
    reasons = {name: reason for name, reason in matches.items() if reason}
    if not reasons:
        needs = "; ".join(f"{name} needs {module.NEEDS}" for name, module in FORMATS.items())
        raise DatasetError(f"is not a dataset of a known format: {needs}", file=path)
    if len(reasons) > 1:
        formats = ", or ".join(f"{name} ({reason})" for name, reason in reasons.items())
        raise DatasetError(f"could be {formats}; say which by --format", file=path)
    return next(iter(reasons.items()))
