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


def describe(reader: Reader[Any]) -> dict[str, Any]:
    """Return all that is worth knowing of an artifact, as JSON can say it."""
    container = reader.container
    axes = {
        name.removeprefix("offsets/"): int(reader.column(name)[-1])
        for name in container.columns
        if name.startswith("offsets/")
    }
    found: dict[str, Any] = {
        "path": reader.name,
        "kind": reader.kind.kind(),
        "version": container.version,
        "bytes": container.size,
        "utterances": len(reader),
        "speakers": len(set(reader.table("speaker"))),
        "hours": _hours(reader, axes),
        "axes": axes,
        "attributes": dict(reader.attributes),
        "columns": {
            name: {"shape": column.shape, "dtype": column.dtype.str, **column.notes}
            for name, column in container.columns.items()
        },
        "tables": {name: len(reader.table(name)) for name in reader.kind.tables},
        "provenance": reader.provenance,
        "digest": reader.digest,
        "skipped": reader.skipped,
    }
    return found


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
    told = {name: found[name] for name in ("utterances", "speakers", "hours")}
    told |= {f"{axis}s": count for axis, count in found["axes"].items()}
    told["megabytes"] = round(found["bytes"] / 1e6, 3)
    told |= found["attributes"]
    lines += [f"  {name:14} {value}" for name, value in told.items() if value is not None]
    lines.append("  columns")
    for name, column in found["columns"].items():
        if "/" not in name:
            unit = f"  {column['unit']}" if column.get("unit") else ""
            shape = " x ".join(map(str, column["shape"]))
            axes = column.get("axes", "").replace(" ", ", ")
            lines.append(f"    {name:12} {column['dtype']:5} {shape} ({axes}){unit}")
    made = found["provenance"]
    options = ", ".join(f"{name} {value}" for name, value in made.get("options", {}).items())
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
    from ttskit import kinds

    if wanted and (output is None or str(output) == "-"):
        raise TtskitError("--json and the artifact can't both go to standard output: add -o FILE")

    def tell(path: Path) -> None:
        if wanted and path.exists():  # not after a dry run
            typer.echo(json.dumps(describe(kinds.read(path)), ensure_ascii=False))

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

    for reader in streams.opened(inputs):
        found = describe(reader)
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
