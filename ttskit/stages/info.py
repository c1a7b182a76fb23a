"""Info: what an artifact is, how much is in it, and where it comes from."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ttskit.artifacts.describe import describe
from ttskit.errors import TtskitError
from ttskit.options import Inputs


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


def command(
    inputs: Inputs = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each artifact.")
    ] = False,
    field: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Print one value only, such as utterances, hours or attributes.sample_rate.",
        ),
    ] = None,
) -> None:
    """Show what an artifact is, what is in it, and how it was made.

    Examples:
        ttskit info corpus.h5
        ttskit info corpus.h5 --field utterances
    """
    from ttskit.artifacts import streams

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
            raise TtskitError(f"no field {field!r}; there is {known}", file=found["path"])
        value = value[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
