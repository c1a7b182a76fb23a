"""Descriptions of artifacts: for `info`, for the summaries of verbs and for other programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ttskit.errors import UsageError

if TYPE_CHECKING:
    from ttskit.artifacts.hdf5 import Container
    from ttskit.artifacts.reader import Reader


def describe(container: Container) -> dict[str, Any]:
    """Return a description of an artifact that JSON can hold."""
    from ttskit.artifacts import kinds

    reader = kinds.reader_of(container)
    return {
        "path": container.name,
        "kind": container.kind,
        "version": container.version,
        "bytes": container.size,
        **(_of_records(reader) if reader is not None else _of_model(container)),
        "attributes": dict(container.attributes),
        "columns": {
            name: {"shape": column.shape, "dtype": column.dtype.str, **column.notes}
            for name, column in container.columns.items()
        },
        "provenance": container.provenance,
        "digest": container.digest,
        "skipped": reader.skipped if reader is not None else {},
    }


def _of_records(reader: Reader[Any]) -> dict[str, Any]:
    from ttskit.artifacts import kinds

    axes = {
        name.removeprefix("offsets/"): int(reader.column(name)[-1])
        for name in reader.container.columns
        if name.startswith("offsets/")
    }
    return {
        "utterances": len(reader),
        "speakers": len(set(reader.table("speaker"))),
        "hours": _hours(reader),
        "axes": axes,
        "tables": {name: len(reader.table(name)) for name in reader.kind.tables},
        **(_of_scores(reader) if "measures" in reader.kind.tables else {}),
        **(_of_codes(reader) if reader.kind is kinds.Codes else {}),
        **(_of_takes(reader) if reader.has_axis("take") else {}),
    }


def _of_scores(reader: Reader[Any]) -> dict[str, Any]:
    tables = (reader.table(name) for name in ("measures", "hashes", "settings"))
    measures = {name: f"{hash}  {settings}" for name, hash, settings in zip(*tables, strict=False)}
    return {"measures": measures, "libraries": reader.table("libraries")}


def _of_codes(reader: Reader[Any]) -> dict[str, Any]:
    """Return what the codes cost, and how much of each book is used."""
    from ttskit.artifacts.usage import usage

    return {"usage": usage(reader)}


def _of_takes(reader: Reader[Any]) -> dict[str, Any]:
    """Return what the takes cost."""
    from ttskit.artifacts.usage import takes

    return {"takes": takes(reader)}


def _of_model(container: Container) -> dict[str, Any]:
    tables = ("symbols", "speakers", "validation")
    columns = container.columns
    return {"tables": {name: columns[name].shape[0] for name in tables if name in columns}}


def _hours(reader: Reader[Any]) -> float | None:
    from ttskit.artifacts.selection import durations

    lengths = durations(reader)
    return None if lengths is None else round(float(lengths.sum()) / 3600, 6)


def summary(output: Path | None, wanted: bool) -> Callable[[Path], None]:
    """Return a function that prints the description of the output as JSON, if `wanted`.

    Refuses to print it where the artifact itself goes to standard output.
    """
    from ttskit.artifacts import hdf5

    if wanted and (output is None or str(output) == "-"):
        raise UsageError("--json and the artifact can't both go to standard output: add -o FILE")

    def tell(path: Path) -> None:
        if wanted and hdf5.is_there(path):  # not after a dry run
            typer.echo(json.dumps(describe(hdf5.open_container(path)), ensure_ascii=False))

    return tell
