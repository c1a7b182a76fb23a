"""The command-line options that mean the same in every verb that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Inputs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[INPUT]...", help="Artifacts to read; - or none: standard input."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Artifact to write; - or none: standard output."),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=0, help="Processes; 0: one for each core.")]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler to run on instead.")
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad utterances out, on record.")]
Restart = Annotated[bool, typer.Option("--restart", help="Throw unfinished work away.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Take only the first so many.")]
Seed = Annotated[int, typer.Option(min=0, help="Of all that is left to chance.")]
TableJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
TableCsv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")]
TableMarkdown = Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")]
Measures = Annotated[
    str | None, typer.Option(help="Which, by commas.  [default: those without extras]")
]
Json = Annotated[bool, typer.Option("--json", help="Print a summary as JSON on standard output.")]
Device = Annotated[str, typer.Option(help="What to run the model on: cpu, cuda, cuda:1 ...")]
