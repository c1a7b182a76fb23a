"""Verify: check that artifacts are intact: offsets, digests, ids, ranges, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import wording
from ttskit.errors import ArtifactError
from ttskit.options import Inputs

if TYPE_CHECKING:
    from ttskit.artifacts.hdf5 import Container
    from ttskit.artifacts.reader import Reader


def complaints(container: Container, quick: bool = False) -> Iterator[str]:
    """Yield what is wrong with an artifact that could be opened; `quick` reads no values."""
    from ttskit.artifacts import hdf5, kinds

    if len(container.parts) > 1:
        kinds.reader_of(container)  # refuses an utterance that is in two
        yield from (
            f"{part.name}: {one}" for part in container.parts for one in complaints(part, quick)
        )
        return
    if more := hdf5.appended(container):
        yield f"is longer than what was written: {wording.count(more, 'byte')} follow its end"
    reader = kinds.reader_of(container)  # refuses ids and offsets that are wrong
    if quick:
        return
    yield from container.complaints()
    yield from _numbers(container) if reader is None else unfit(reader)


def unfit(reader: Reader[Any]) -> Iterator[str]:
    """Yield values that are out of range, and indices of missing characters."""
    for spec in reader.columns:
        yield from _range(reader, spec)
    if any(spec.name == "spans" for spec in reader.columns):
        yield from _spans(reader)
    if any(spec.name == "codes" for spec in reader.columns):
        yield from _codes(reader)


def _numbers(container: Container) -> Iterator[str]:
    """Yield the tensors of a model that hold NaN or infinity."""
    import numpy as np

    for name, column in container.columns.items():
        if column.dtype.kind == "f" and not np.isfinite(container.map(name)).all():
            yield f"{name}: holds NaN or infinity"


def _spans(reader: Reader[Any]) -> Iterator[str]:
    """Yield the first index of a character that is out of range."""
    for row, id in enumerate(reader.ids):
        most = len(reader.value(row, "text")) + 1
        if (top := reader.value(row, "spans").max(initial=-1)) >= most:
            yield f"{id}: spans holds {top}, needs less than {most}"
            return


def _codes(reader: Reader[Any]) -> Iterator[str]:
    """Yield the first count of frames that does not fit its codes."""
    stride = int(reader.attributes["stride"])
    for row, id in enumerate(reader.ids):
        codes, frames = reader.value(row, "codes"), int(reader.value(row, "frames"))
        if -(-frames // stride) != len(codes):
            yield f"{id}: frames is {frames}, which is not {len(codes)} codes of {stride} frames"
            return


def _range(reader: Reader[Any], spec: Field[Any]) -> Iterator[str]:
    """Yield the first value of a column that is out of its range, NaN or infinite."""
    import numpy as np

    from ttskit.artifacts import hdf5

    column = reader.column(spec.name)
    if column.dtype.kind == "S":
        for row in range(len(reader)):
            reader.value(row, spec.name)  # refuses what is not UTF-8
        return
    if column.dtype.kind == "b":
        column, least, most = column.view(np.uint8), 0, 1
    else:
        least, most = spec.metadata["least"], spec.metadata["most"]
    start = 0
    for chunk in hdf5.chunks_of(column):
        bad = np.isinf(chunk) if spec.metadata["unknown"] else ~np.isfinite(chunk)
        bad |= False if least is None else chunk < least
        bad |= False if most is None else chunk > most
        if bad.any():
            place = np.unravel_index(bad.argmax(), bad.shape)
            owner = _owner(reader, spec, start + int(place[0]))
            bounds = f"{'' if least is None else least} to {'' if most is None else most}"
            needs = f"a number from {bounds}" if bounds != " to " else "a finite number"
            yield f"{owner}: {spec.name} is {chunk[place]}, needs {needs}"
            return
        start += len(chunk)


def _owner(reader: Reader[Any], spec: Field[Any], position: int) -> str:
    """Return the id of the utterance that a position in a column belongs to."""
    import numpy as np

    from ttskit.artifacts.record import RAGGED

    axes = spec.metadata["axes"]
    if axes and axes[0] in RAGGED:
        position = int(np.searchsorted(reader.offsets(axes[0]), position, "right")) - 1
    return reader.ids[position]


Quick = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="Check the layout, ids, offsets and indices alone, not every byte: seconds instead "
        "of the time to read all.",
    ),
]


def command(inputs: Inputs = None, quick: Quick = False) -> None:
    """Check that artifacts are intact: offsets, digests, values.

    Examples:
        ttskit verify corpus.h5 tokens.h5 features.h5
        ttskit verify --quick features.h5
    """
    from ttskit import progress
    from ttskit.artifacts import joined, streams

    damaged = False
    for path in streams.named(inputs):
        try:
            container = joined.open_artifact(*streams.local(path))
            faults = [f"{container.name}: {line}" for line in complaints(container, quick)]
        except ArtifactError as error:
            faults = [str(error)]
        for line in faults:
            progress.complain(f"ttskit: {line}")
        if not faults:
            typer.echo(f"{container.name}: {'in order, its values unread' if quick else 'whole'}")
        damaged = damaged or bool(faults)
    raise typer.Exit(1 if damaged else 0)
