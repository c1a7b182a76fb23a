"""Info: what an artifact is, how much is in it, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import TtskitError
from ttskit.options import Inputs, Json

if TYPE_CHECKING:
    from ttskit.artifact import Reader
    from ttskit.hdf5 import Container


def describe(container: Container) -> dict[str, Any]:
    """Return all that is worth knowing of an artifact, as JSON can say it."""
    from ttskit import kinds

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
    axes = {
        name.removeprefix("offsets/"): int(reader.column(name)[-1])
        for name in reader.container.columns
        if name.startswith("offsets/")
    }
    return {
        "utterances": len(reader),
        "speakers": len(set(reader.table("speaker"))),
        "hours": _hours(reader, axes),
        "axes": axes,
        "tables": {name: len(reader.table(name)) for name in reader.kind.tables},
        **(_of_scores(reader) if "measures" in reader.kind.tables else {}),
    }


def _of_scores(reader: Reader[Any]) -> dict[str, Any]:
    told = (reader.table(name) for name in ("measures", "hashes", "settings"))
    measures = {name: f"{hash}  {settings}" for name, hash, settings in zip(*told, strict=False)}
    return {"measures": measures, "libraries": reader.table("libraries")}


def _of_model(container: Container) -> dict[str, Any]:
    tables = ("symbols", "speakers", "validation")
    columns = container.columns
    return {"tables": {name: columns[name].shape[0] for name in tables if name in columns}}


def _hours(reader: Reader[Any], axes: dict[str, int]) -> float | None:
    rate, hop = reader.attributes.get("sample_rate"), reader.attributes.get("hop_length")
    if rate and "sample" in axes:
        return round(axes["sample"] / float(rate) / 3600, 6)
    if rate and hop and "frame" in axes:
        return round(axes["frame"] * float(hop) / float(rate) / 3600, 6)
    return None


def page(found: dict[str, Any]) -> str:
    """Return the same for a person: one thing a line."""
    lines = [f"{found['path']}: {found['kind']}, format version {found['version']}"]
    told = {name: found.get(name) for name in ("utterances", "speakers", "hours")}
    told |= {f"{axis}s": count for axis, count in found.get("axes", {}).items()}
    told |= found["tables"] if found["kind"] == "model" else {}
    told["megabytes"] = round(found["bytes"] / 1e6, 3)
    told |= found["attributes"]
    for name, value in told.items():
        if value is not None:
            first, *more = str(value).rstrip().split("\n")
            lines += [f"  {name:14} {first}", *(f"  {'':14} {line}" for line in more)]
    lines += [f"  {name:14} {how}" for name, how in found.get("measures", {}).items()]
    if "libraries" in found:
        lines.append(f"  libraries      {', '.join(found['libraries'])}")
    lines.append("  columns")
    for name, column in found["columns"].items():
        if "/" not in name:
            unit = f"  {column['unit']}" if column.get("unit") else ""
            shape = " x ".join(map(str, column["shape"]))
            axes = column.get("axes", "").replace(" ", ", ")
            lines.append(f"    {name:12} {column['dtype']:5} {shape} ({axes}){unit}")
    made = found["provenance"]
    options = ", ".join(
        f"{name} {value}"
        for name, value in made.get("options", {}).items()
        if "\n" not in str(value)  # a whole configuration, which is among the attributes
    )
    lines.append(f"  made by        {made.get('stage')} (revision {made.get('revision')})")
    if options:
        lines.append(f"  options        {options}")
    lines += [f"  input          {digest}" for digest in made.get("inputs", [])]
    lines.append(f"  digest         {found['digest']}")
    if found["skipped"]:
        lines.append(f"  skipped        {len(found['skipped'])}")
        lines += [f"    {id}: {reason}" for id, reason in found["skipped"].items()]
    return "\n".join(lines)


def summary(output: Path | None, wanted: bool) -> Callable[[Path], None]:
    """Return a function that tells what was made, as JSON, if that is wanted.

    Standard output can't take both the summary and the artifact.
    """
    from ttskit import hdf5

    if wanted and (output is None or str(output) == "-"):
        raise TtskitError("--json and the artifact can't both go to standard output: add -o FILE")

    def tell(path: Path) -> None:
        if wanted and path.exists():  # not after a dry run
            typer.echo(json.dumps(describe(hdf5.open_container(path)), ensure_ascii=False))

    return tell


def command(
    inputs: Inputs = None,
    as_json: Json = False,
    field: Annotated[
        str | None, typer.Option(help="One value alone: utterances, attributes.sample_rate ...")
    ] = None,
) -> None:
    """Say what an artifact is, how much is in it, and where it comes from."""
    from ttskit import streams

    for container in streams.containers(inputs):
        found = describe(container)
        if field:
            typer.echo(_one(found, field))
        else:
            typer.echo(json.dumps(found, ensure_ascii=False) if as_json else page(found))


def _one(found: dict[str, Any], field: str) -> str:
    value: Any = found
    for name in field.split("."):
        if not isinstance(value, dict) or name not in value:
            known = ", ".join(value) if isinstance(value, dict) else "nothing below it"
            raise TtskitError(f"{found['path']}: no field {field!r}; there is {known}")
        value = value[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
