"""Info: what an artifact is, how much is in it, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from ttskit.artifacts.describe import describe
from ttskit.errors import TtskitError
from ttskit.options import Inputs


def page(description: Mapping[str, Any]) -> str:
    """Format the description of an artifact as text, one fact a line."""
    path, kind, version = (description[name] for name in ("path", "kind", "version"))
    parts = (_facts, _columns, _origin)
    lines = [line for part in parts for line in part(description)]
    return "\n".join([f"{path}: {kind}, format version {version}", *lines])


def _facts(description: Mapping[str, Any]) -> Iterator[str]:
    """Yield counts, attributes and measures."""
    facts = _of_training(description) if description["kind"] == "model" else {}
    facts |= {name: description[name] for name in ("utterances", "speakers", "hours")
              if name in description}  # fmt: skip
    facts |= {f"{axis}s": count for axis, count in description.get("axes", {}).items()}
    facts |= description["tables"] if description["kind"] == "model" else {}
    facts["megabytes"] = round(description["bytes"] / 1e6, 3)
    facts |= description["attributes"]
    for name, value in facts.items():
        if value is not None:
            first, *more = str(value).rstrip().split("\n")
            yield f"  {name:14} {first}"
            yield from (f"  {'':14} {line}" for line in more)
    yield from (f"  {name:14} {how}" for name, how in description.get("measures", {}).items())
    yield from _usage(description.get("usage", {}))
    if takes := description.get("takes"):
        bits = (
            f"{takes['bits_per_second']:g} bits a second, at least {takes['entropy_per_second']:g}"
        )
        yield f"  takes          {takes['choices']} choices, {bits}"
    if "libraries" in description:
        yield f"  libraries      {', '.join(description['libraries'])}"


def _of_training(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model is, and how it came about."""
    attributes, tables = description["attributes"], description["tables"]
    options = description["provenance"].get("options", {})
    loss = attributes.get("validation_loss")
    return {
        "role": attributes.get("role"),
        "family": attributes.get("family"),
        "language": attributes.get("language"),
        "speakers": tables.get("speakers"),
        "steps": attributes.get("steps"),
        "minutes": options.get("minutes"),
        "held-out loss": None if loss is None else f"{loss:.4g}",
    }


def _usage(usage: Mapping[str, Any]) -> Iterator[str]:
    """Yield what codes cost, and how much of each book they use."""
    if not usage:
        return
    yield f"  books          {usage['books']}"
    yield (
        f"  bits a second  {usage['bits_per_second']:g}, at least "
        f"{usage['entropy_per_second']:g} by how often each code is used"
    )
    for book, (varied, dead) in enumerate(zip(usage["perplexity"], usage["dead"], strict=True), 1):
        yield f"  book {book:<9} perplexity {varied:g}, {dead:g} % of its codes dead"


def _columns(description: Mapping[str, Any]) -> Iterator[str]:
    """Yield dtype, shape, axes and unit of each column."""
    yield "  columns"
    for name, column in description["columns"].items():
        if "/" not in name:
            unit = f"  {column['unit']}" if column.get("unit") else ""
            shape = " x ".join(map(str, column["shape"]))
            axes = column.get("axes", "").replace(" ", ", ")
            yield f"    {name:12} {column['dtype']:5} {shape} ({axes}){unit}"


def _origin(description: Mapping[str, Any]) -> Iterator[str]:
    """Yield stage, options and inputs, the digest, and what was skipped."""
    provenance = description["provenance"]
    options = ", ".join(
        f"{name} {value}"
        for name, value in provenance.get("options", {}).items()
        if "\n" not in str(value)  # a whole configuration, which is among the attributes
    )
    yield f"  made by        {provenance.get('stage')} (revision {provenance.get('revision')})"
    if options:
        yield f"  options        {options}"
    yield from (f"  input          {digest}" for digest in provenance.get("inputs", []))
    yield f"  digest         {description['digest']}"
    if description["skipped"]:
        yield f"  skipped        {len(description['skipped'])}"
        yield from (f"    {id}: {reason}" for id, reason in description["skipped"].items())


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for each artifact.")]
Field = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Print one value only, such as utterances, hours or attributes.sample_rate.",
    ),
]


def command(
    inputs: Inputs = None,
    as_json: AsJson = False,
    field: Field = None,
) -> None:
    """Show what an artifact is, what is in it, and how it was made.

    Examples:
        ttskit info corpus.h5
        ttskit info corpus.h5 --field utterances
    """
    from ttskit.artifacts import streams

    unreadable = list[TtskitError]()
    for container in streams.containers(inputs, unreadable):
        description = describe(container)
        if field:
            typer.echo(_one(description, field))
        else:
            typer.echo(
                json.dumps(description, ensure_ascii=False) if as_json else page(description)
            )
    raise typer.Exit(1 if unreadable else 0)


def _one(description: dict[str, Any], field: str) -> str:
    value: Any = description
    for name in field.split("."):
        if not isinstance(value, dict) or name not in value:
            known = ", ".join(value) if isinstance(value, dict) else "nothing below it"
            raise TtskitError(f"no field {field!r}; there is {known}", file=description["path"])
        value = value[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
