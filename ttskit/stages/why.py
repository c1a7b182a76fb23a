"""Why: everything that artifacts know of one utterance, and where it got lost.

Reads artifacts of any kind in any order; prints text, phonemes, times and scores of the
utterance, its rank among the others, which artifacts lack it, and the reasons on record.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ttskit.errors import TtskitError
from ttskit.options import TableJson

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.text import Text

    from ttskit.artifacts.hdf5 import Container
    from ttskit.artifacts.reader import Reader

ODD = ("state", "reason", "since", "text", "odd", "not_spoken")


def describe(id: str, containers: Sequence[Container]) -> dict[str, Any]:
    """Return all that artifacts know of an utterance, in the order of the pipeline."""
    artifacts = sorted((Artifact.of(one) for one in containers), key=lambda one: one.place)
    there = [one.reader for one in artifacts if one.reader is not None and id in one.reader]
    if not there and not any(id in one.skipped or id in one.held_out for one in artifacts):
        _refuse(id, artifacts)
    texts = [reader.value(reader.row(id), "text") for reader in there]
    speakers = {reader.value(reader.row(id), "speaker"): None for reader in there}
    return {
        "id": id,
        "text": texts[0] if texts else None,
        "speaker": next((speaker for speaker in speakers if speaker), None),
        "artifacts": [
            {**one.origin(artifacts), **one.state(id, artifacts), **one.facts(id, texts)}
            for one in artifacts
        ],
    }


def _refuse(id: str, artifacts: Sequence[Artifact]) -> NoReturn:
    """Say that no artifact knows an utterance, and which ids are like it."""
    ids = {known: None for one in artifacts for known in (*one.ids, *one.skipped, *one.held_out)}
    begun = [known for known in ids if known.startswith(id)][:3]
    near = begun or difflib.get_close_matches(id, ids, 3, 0.5)
    nearest = f"; nearest: {', '.join(near)}" if near else ""
    raise TtskitError(f"no artifact has an utterance {id}{nearest}")


@dataclass(frozen=True)
class Artifact:
    """One of the inputs; a model has no reader, but the ids held out of its training."""

    container: Container
    reader: Reader[Any] | None
    skipped: Mapping[str, str]
    held_out: Sequence[str]

    @classmethod
    def of(cls, container: Container) -> Artifact:
        from ttskit.artifacts import kinds

        reader = kinds.reader_of(container)
        held_out = container.strings("validation") if reader is None else ()
        return cls(container, reader, reader.skipped if reader is not None else {}, held_out)

    @property
    def ids(self) -> Sequence[str]:
        return self.reader.ids if self.reader is not None else ()

    @property
    def place(self) -> int:
        """Its place in the pipeline; models come last."""
        from ttskit.pages import facts

        kinds = [*facts.FACTS]
        return kinds.index(self.container.kind) if self.container.kind in kinds else len(kinds)

    def origin(self, others: Sequence[Artifact]) -> dict[str, Any]:
        """Return its kind, stage and inputs; inputs by name where they are among the others."""
        names = {one.container.digest: one.container.name for one in others}
        provenance = self.container.provenance
        return {
            "path": self.container.name,
            "kind": self.container.kind,
            "stage": provenance.get("stage"),
            "inputs": [names.get(digest, digest) for digest in provenance.get("inputs", [])],
        }

    def state(self, id: str, others: Sequence[Artifact]) -> dict[str, Any]:
        """Return whether it has the utterance, and why not."""
        if self.reader is None:
            return {"state": f"{'' if id in self.held_out else 'not '}held out of training"}
        if id in self.reader:
            return {"state": "there"}
        if id not in self.skipped:
            return {"state": "lacks it"}
        inputs = self.container.provenance.get("inputs", [])
        parents = [one for one in others if one.container.digest in inputs and id in one.skipped]
        since = {"since": parents[0].container.name} if parents else {}
        return {"state": "skipped", "reason": self.skipped[id], **since}

    def facts(self, id: str, texts: Sequence[str]) -> dict[str, Any]:
        """Return what it knows of the utterance; its text only where it is not the first one."""
        from ttskit.pages import facts

        if self.reader is None or id not in self.reader:
            return {}
        text = self.reader.value(self.reader.row(id), "text")
        other = {"text": text} if text != texts[0] else {}
        return other | dict(facts.FACTS[self.container.kind](id, self.reader))


def page(description: Mapping[str, Any]) -> Text:
    """Format what `describe` returns as text; what is odd is coloured on a terminal."""
    from rich.text import Text

    text = Text(f"{_plain(description['id'])}\n", end="")
    text.stylize("bold")
    for name in ("speaker", "text"):
        if description[name]:
            text.append(f"  {name:18} {_plain(description[name])}\n")
    paths = {one["path"] for one in description["artifacts"]}
    for artifact in description["artifacts"]:
        facts = dict(artifact)
        path, kind, stage, inputs = (facts.pop(key) for key in ("path", "kind", "stage", "inputs"))
        short = ", ".join(one if one in paths else one[:12] for one in inputs)
        text.append(f"\n{path}", "bold")
        text.append(f": {kind}, made by {stage}{' of ' if short else ''}{short}\n")
        if facts["state"] == "there":
            del facts["state"]
        for name, value in facts.items():
            for line in _lines(name.replace("_", " "), value):
                text.append(f"  {line}\n", "yellow" if name in ODD else "")
    return text


def _lines(name: str, value: Any) -> list[str]:
    """Format a fact as lines: a value, a list, values by name, or a list of those as a table."""
    from ttskit import tables

    if isinstance(value, list) and value and isinstance(value[0], dict):
        cells = [{key: _plain(one) for key, one in row.items()} for row in value]
        return tables.text(cells).split("\n")
    if isinstance(value, dict):
        value = ", ".join(f"{key.replace('_', ' ')} {_plain(one)}" for key, one in value.items())
    listed = value if isinstance(value, list) else [value]
    return [f"{name:18} {_plain(one)}" for one in listed]


def _plain(value: Any) -> str:
    """Format a value as one line of text."""
    from ttskit.progress import VISIBLE

    if value is None:
        return "unknown"
    return f"{value:.4g}" if isinstance(value, float) else str(value).translate(VISIBLE)


def picture(id: str, readers: Sequence[Reader[Any]]) -> Figure:
    """Return the plot of the utterance, by the first artifact of each kind that has it."""
    from ttskit.artifacts import kinds
    from ttskit.pages.figure import draw
    from ttskit.pages.utterance import from_artifacts, from_codes, from_controls

    first: dict[type[Any], Reader[Any]] = {}
    for reader in readers:
        if id in reader:
            first.setdefault(reader.kind, reader)
    features, mels = first.get(kinds.Features), first.get(kinds.Mels)
    controls = first.get(kinds.Controls)
    alignment, corpus = first.get(kinds.Alignment), first.get(kinds.Corpus)
    if features is None and mels is not None:
        return draw(from_artifacts(None, None, corpus, id, mels))
    if features is alignment is None and controls is not None:
        return draw(from_controls(controls, corpus, id))
    if features is alignment is None and kinds.Codes in first:
        return draw(from_codes(first[kinds.Codes], corpus, id))
    return draw(from_artifacts(features, alignment, corpus, id))


Utterance = Annotated[
    str,
    typer.Argument(metavar="UTTERANCE", help="Id of the utterance, as in `ttskit ls`."),
]
Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Artifacts of any kind, in any order; - reads standard input.",
        show_default="standard input",
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Picture of the utterance to write, too: .png, .pdf or .svg."
    ),
]


def command(
    utterance: Utterance,
    inputs: Inputs = None,
    as_json: TableJson = False,
    plot: Plot = None,
) -> None:
    """Show all that is known of one utterance, and why it is missing.

    Examples:
        ttskit why LJ001-0001 corpus.h5 tokens.h5 features.h5 alignment.h5
        ttskit why LJ001-0001 corpus.h5 alignment.h5 --plot LJ001-0001.png
    """
    from rich.console import Console

    from ttskit.artifacts import kinds, streams
    from ttskit.pages.utterance import save

    unreadable = list[TtskitError]()
    containers = [*streams.containers(inputs, unreadable)]
    if not containers:
        raise typer.Exit(1)
    description = describe(utterance, containers)
    if as_json:
        typer.echo(json.dumps(description, ensure_ascii=False))
    else:
        Console(highlight=False).print(page(description), soft_wrap=True, end="")
    if plot is not None:
        readers = [reader for one in containers if (reader := kinds.reader_of(one))]
        save(picture(utterance, readers), plot)
    raise typer.Exit(1 if unreadable else 0)
