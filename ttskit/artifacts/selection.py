"""Copies of some utterances of an artifact, and the durations of utterances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.errors import TtskitError

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Recipe, Running
    from ttskit.artifacts.copying import Piece
    from ttskit.artifacts.reader import Reader


def copy(
    output: Path | None,
    stage: str,
    options: Mapping[str, Any],
    reader: Reader[Any],
    rows: Sequence[int] | np.ndarray,
    running: Running,
) -> None:
    """Write an artifact with the utterances in some rows of another one, which ascend."""
    import numpy as np

    from ttskit.artifacts.copying import Piece

    recipe = recipe_of(reader, reader.digests, stage, options)
    put(output, recipe, [Piece(reader, np.array(rows, np.int64))], running)


def recipe_of(
    reader: Reader[Any], inputs: Sequence[str], stage: str, options: Mapping[str, Any]
) -> Recipe:
    """Return what a copy of utterances of an artifact is made of."""
    from ttskit.artifacts.build import Recipe

    return Recipe(
        stage=stage,
        revision=1,
        kind=reader.kind,
        options=options,
        inputs=inputs,
        attributes=reader.attributes,
        tables={name: reader.table(name) for name in reader.kind.tables},
        numbers=reader.numbers,
        skipped=reader.skipped,
    )


def put(output: Path | None, recipe: Recipe, pieces: Sequence[Piece], running: Running) -> None:
    """Write an artifact from pieces of others, in their order."""
    from ttskit import wording
    from ttskit.artifacts import copying
    from ttskit.artifacts.build import made
    from ttskit.errors import Interrupted

    size = sum(len(piece.rows) for piece in pieces)

    def write(path: Path, _: str) -> str:
        try:
            copying.seal(path, recipe, pieces)
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None
        return wording.count(size, "utterance")

    made(output, recipe, size, running, write)


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
