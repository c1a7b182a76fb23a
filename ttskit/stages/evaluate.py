"""Evaluate: measure synthesised speech against recordings, in numbers that can be compared.

Reads the Corpus of recordings and that of synthesised speech, joined by id; or one Corpus, for the
measures that need no reference; and two Alignments for those of timing.  Writes Scores, one row an
utterance, and prints their means with 95 % intervals.  Scores alone are printed again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from ttskit.errors import ArtifactError
from ttskit.metrics.scoring import names_in, score
from ttskit.options import (
    Ceiling,
    DryRun,
    Jobs,
    Limit,
    Measures,
    Restart,
    Scheduler,
    ShardOption,
    SkipBad,
    TableCsv,
    TableJson,
    TableMarkdown,
)

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Scores
    from ttskit.artifacts.reader import Reader
    from ttskit.metrics.judge import Compared

Pairing = Literal["dtw", "plain"]
Tracker = Literal["crepe-tiny", "crepe-full", "praat"]


def sort_out(readers: Sequence[Reader[Any]]) -> Compared:
    """Return the inputs by their role: of two of a kind the reference comes first."""
    from ttskit.artifacts import kinds, origins
    from ttskit.metrics.judge import Compared

    corpora = [one for one in readers if one.kind is kinds.Corpus]
    timed = [one for one in readers if one.kind is kinds.Alignment]
    if other := [one for one in readers if one.kind not in (kinds.Corpus, kinds.Alignment)]:
        complaint = origins.needed(other[0].kind.kind(), ["corpus", "alignment"])
        raise ArtifactError(complaint, file=other[0].name)
    if len(corpora) > 2 or len(timed) not in (0, 2):
        raise ArtifactError(
            f"{len(corpora)} corpora and {len(timed)} alignments; evaluate takes a reference and "
            "what was synthesised of either kind, in this order"
        )
    reference = corpora[0] if len(corpora) == 2 else None
    pair = (timed[0], timed[1]) if timed else None
    return Compared(reference, corpora[-1] if corpora else None, pair)


def printed(scores: Reader[Scores], other: Reader[Scores] | None, form: str) -> str:
    """Return the table of Scores, with differences from another system's, as it is printed."""
    from ttskit import tables
    from ttskit.metrics import comparison

    rows = list(comparison.rows(scores, other))
    if form == "json":
        return json.dumps({"utterances": len(scores), **{row.name: row.facts() for row in rows}})
    return tables.text([row.cells() for row in rows], form)


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Corpus of recordings, then Corpus of synthesised speech; or one Corpus, for "
        "measures without a reference; perhaps two Alignments; or Scores, to print them.",
        show_default="standard input",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Scores to write, one row per utterance.",
        show_default="print the table only",
    ),
]
Timing = Annotated[
    Pairing,
    typer.Option(
        metavar="METHOD",
        help="Which frames to compare: dtw (dynamic time warping), or plain (frame by frame, "
        "right for vocoders).",
    ),
]
F0 = Annotated[
    Tracker,
    typer.Option(metavar="METHOD", help="How to track f0: crepe-tiny, crepe-full or praat."),
]
Language = Annotated[
    str | None,
    typer.Option(
        metavar="LANGUAGE",
        help="Language of the texts, as en-us, de or nl, which a recogniser must know.",
        show_default="that of the Alignments, else the one that the texts look like",
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Scores of another system: print the differences from it, and whether they are "
        "significant.",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    measures: Measures = None,
    timing: Timing = "dtw",
    f0: F0 = "crepe-tiny",
    language: Language = None,
    ceiling: Ceiling = None,
    against: Against = None,
    as_json: TableJson = False,
    as_csv: TableCsv = False,
    as_markdown: TableMarkdown = False,
    limit: Limit = None,
    jobs: Jobs = 0,
    scheduler: Scheduler = None,
    shard: ShardOption = None,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
) -> None:
    """Measure how close synthesised speech is to recordings.

    Examples:
        ttskit evaluate corpus.h5 spoken.h5 --measures mcd,f0 -o scores.h5
        ttskit evaluate scores.h5 --against other-scores.h5
    """
    from ttskit import tables
    from ttskit.artifacts import kinds, streams
    from ttskit.artifacts.build import Running
    from ttskit.artifacts.reader import Reader
    from ttskit.metrics.judge import Judge
    from ttskit.text.languages import resolve

    form = tables.form_of(as_json, as_csv, as_markdown)
    other = streams.inputs([against], kinds.Scores)[0] if against else None
    readers = streams.opened(inputs)
    if [one.kind for one in readers] == [kinds.Scores]:
        scores = cast("Reader[Scores]", readers[0])
    else:
        compared = sort_out(readers)
        if ceiling:
            (copies,) = streams.inputs([ceiling], kinds.Corpus)
            compared = replace(compared, ceiling=copies)
        judge = Judge(compared, names_in(measures), timing, f0, language and resolve(language))
        running = Running(jobs, skip_bad, restart, dry_run, scheduler, shard)
        path = score(judge, output, running, limit)
        if dry_run:
            return
        scores = Reader(path, kinds.Scores)
    typer.echo(printed(scores, other, form))
