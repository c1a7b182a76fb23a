"""Copies of some utterances of an artifact, and the durations of utterances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.errors import TtskitError

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Running
    from ttskit.artifacts.reader import Reader


def copy(
    output: Path | None,
    stage: str,
    options: Mapping[str, Any],
    readers: Sequence[Reader[Any]],
    ids: Sequence[str],
    skipped: Mapping[str, str],
    running: Running,
    read: Callable[[str], Any] | None = None,
    tables: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write an artifact with the utterances `ids`, each as `read`, or as in the first reader.

    Its tables are those of the first reader where `tables` has no other.
    """
    from ttskit.artifacts.build import Recipe, build

    first = readers[0]
    recipe = Recipe(
        stage=stage,
        revision=1,
        kind=first.kind,
        options=options,
        inputs=[reader.digest for reader in readers],
        attributes=first.attributes,
        tables={name: first.table(name) for name in first.kind.tables} | dict(tables or {}),
        numbers=first.numbers,
        skipped=skipped,
    )
    build(output, recipe, {id: id for id in ids}, read or first.__getitem__, running)


def durations(reader: Reader[Any]) -> np.ndarray | None:
    """Return the seconds of each utterance; None where an artifact does not know them."""
    rate, hop = (float(reader.attributes.get(name, 0)) for name in ("sample_rate", "hop_length"))
    if rate and reader.has_axis("sample"):
        return reader.lengths("sample") / rate
    if rate and hop and reader.has_axis("frame"):
        return reader.lengths("frame") * (hop / rate)
    if rate and hop and reader.has_axis("code"):
        return reader.column("frames") * (hop / rate)
    return None


def seconds(reader: Reader[Any]) -> Callable[[int], float]:
    """Return a function from a row to the seconds of its utterance."""
    lengths = durations(reader)
    if lengths is not None:
        return lambda row: float(lengths[row])
    raise TtskitError(f"a {reader.kind.kind()} artifact does not know durations", file=reader.name)
