"""Evaluate: how near synthesised speech comes to recordings, in numbers that can be compared.

Reads the Corpus of recordings and that of synthesised speech, joined by id; or one Corpus, for the
measures that need no reference; and two Alignments for those of timing.  Writes Scores, one row an
utterance, and prints what they come to with 95 % intervals.  Scores alone are printed again.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ttskit.errors import ArtifactError, TtskitError
from ttskit.options import (
    DryRun,
    Inputs,
    Jobs,
    Limit,
    Measures,
    Restart,
    SkipBad,
    TableCsv,
    TableJson,
    TableMarkdown,
)

if TYPE_CHECKING:
    from ttskit.artifact import Reader
    from ttskit.kinds import Scores
    from ttskit.metrics.bootstrap import Summary
    from ttskit.metrics.score import Score
    from ttskit.metrics.sound import Timing
    from ttskit.scoring import Given
    from ttskit.work import Running

COLUMNS = ("measure", "hash", "unit", "mean", "low", "high", "median", "utterances")


@dataclass(frozen=True)
class Row:
    """One number of a table: what it is, what it comes to, how it differs from another's."""

    name: str
    hash: str
    score: Score
    summary: Summary
    against: Summary | None = None

    @property
    def verdict(self) -> str:
        """Say in a word or two whether the difference is real, and for the better."""
        assert self.against is not None
        found = self.against.verdict
        if found not in ("higher", "lower"):
            return found
        if abs(self.against.mean) < self.score.swing * abs(self.summary.mean):
            return "no real difference"
        if not self.score.better:
            return found
        return "better" if found == self.score.better else "worse"

    def cells(self) -> dict[str, str]:
        """Return the row as text, by column."""
        one, cells = self.summary, {"measure": self.name, "hash": self.hash}
        cells["unit"] = self.score.unit
        for name in ("mean", "low", "high", "median"):
            cells[name] = f"{getattr(one, name):.4g}"
        cells["utterances"] = str(one.utterances)
        if self.against is not None:
            for name in ("mean", "low", "high"):
                title = "difference" if name == "mean" else f"difference {name}"
                cells[title] = f"{getattr(self.against, name):+.4g}"
            cells["verdict"] = self.verdict
        return cells

    def told(self) -> dict[str, Any]:
        """Return the row as JSON can say it; what is unknown is null."""
        one = self.summary
        numbers = {name: getattr(one, name) for name in ("mean", "median", "low", "high")}
        told: dict[str, Any] = {
            **{name: _number(value) for name, value in numbers.items()},
            "unit": self.score.unit,
            "hash": self.hash,
            "utterances": one.utterances,
        }
        if self.against is not None:
            told["difference"] = {
                **{name: _number(getattr(self.against, name)) for name in ("mean", "low", "high")},
                "utterances": self.against.utterances,
                "verdict": self.verdict,
            }
        return told


def rows(scores: Reader[Scores], other: Reader[Scores] | None = None) -> Iterator[Row]:
    """Yield what each number comes to, and how it differs from `other`'s on the same utterances."""
    from ttskit.metrics.bootstrap import summary
    from ttskit.scoring import MEASURES

    theirs = _hashes(other) if other is not None else {}
    for measure, hash in _hashes(scores).items():
        for name, score in MEASURES[measure].scores.items():
            weights = scores.column(score.weight) if score.weight else None
            row = Row(name, hash, score, summary(scores.column(name), weights))
            if other is not None and measure in theirs:
                if theirs[measure] != hash:
                    raise ArtifactError(
                        f"{other.name}: its {measure} was measured otherwise ({theirs[measure]}, "
                        f"not {hash}): the numbers can't be compared; measure both alike"
                    )
                row = replace(row, against=difference(row, scores, other))
            yield row


def difference(row: Row, scores: Reader[Scores], other: Reader[Scores]) -> Summary:
    """Return by how much a number is above `other`'s, utterance by utterance."""
    from ttskit.metrics.bootstrap import summary

    both = [id for id in scores.ids if id in other]
    if not both:
        raise ArtifactError(f"{other.name}: has no utterance that {scores.name} has")
    own, theirs = [scores.row(id) for id in both], [other.row(id) for id in both]
    weights = scores.column(row.score.weight)[own] if row.score.weight else None
    return summary(scores.column(row.name)[own] - other.column(row.name)[theirs], weights)


def _hashes(scores: Reader[Scores]) -> dict[str, str]:
    """Return the hash of each measure that was taken."""
    from ttskit.scoring import MEASURES

    found = dict(zip(scores.table("measures"), scores.table("hashes"), strict=False))
    for name, measure in ((name, MEASURES.get(name)) for name in found):
        if measure is None or not measure.scores.keys() <= scores.container.columns.keys():
            raise ArtifactError(f"{scores.name}: has no columns of the measure {name}")
    return found


def listed(measures: str | None) -> list[str]:
    """Return the names between commas."""
    return [name.strip() for name in (measures or "").split(",") if name.strip()]


def form_of(as_json: bool, as_csv: bool, as_markdown: bool) -> str:
    """Return how a table is to be printed."""
    if as_json + as_csv + as_markdown > 1:
        raise TtskitError("--json, --csv and --markdown: one of them")
    return "json" if as_json else "csv" if as_csv else "markdown" if as_markdown else "text"


def page(table: Sequence[Mapping[str, str]], form: str) -> str:
    """Return a table of cells by their titles as plain text, csv or markdown."""
    titles = list(dict.fromkeys(title for cells in table for title in cells)) or [*COLUMNS]
    lines = [titles, *([cells.get(title, "") for title in titles] for cells in table)]
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(lines)
        return out.getvalue().rstrip("\n")
    if form == "markdown":
        lines.insert(1, ["---"] * len(titles))
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _number(value: float) -> float | None:
    return value if value == value else None


def sort_out(readers: Sequence[Reader[Any]]) -> Given:
    """Return which of the inputs is what: of two of a kind the reference comes first."""
    from ttskit import kinds
    from ttskit.scoring import Given

    corpora = [one for one in readers if one.kind is kinds.Corpus]
    timed = [one for one in readers if one.kind is kinds.Alignment]
    if other := [one for one in readers if one.kind not in (kinds.Corpus, kinds.Alignment)]:
        raise ArtifactError(f"{other[0].name}: is {other[0].kind.kind()}, needs corpus, alignment")
    if len(corpora) > 2 or len(timed) not in (0, 2):
        raise ArtifactError(
            f"{len(corpora)} corpora and {len(timed)} alignments; evaluate takes a reference and "
            "what was synthesised of either kind, in this order"
        )
    reference = corpora[0] if len(corpora) == 2 else None
    pair = (timed[0], timed[1]) if timed else None
    return Given(reference, corpora[-1] if corpora else None, pair)


def command(
    inputs: Inputs = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Scores to write.  [default: none]")
    ] = None,
    measures: Measures = None,
    timing: Annotated[
        str, typer.Option(help="Which frames are compared: dtw, or plain: frame by frame.")
    ] = "dtw",
    f0: Annotated[str, typer.Option(help="By crepe-tiny, crepe-full or praat.")] = "crepe-tiny",
    against: Annotated[
        Path | None, typer.Option(help="Scores of another system: are the differences real?")
    ] = None,
    as_json: TableJson = False,
    as_csv: TableCsv = False,
    as_markdown: TableMarkdown = False,
    limit: Limit = None,
    jobs: Jobs = 0,
    skip_bad: SkipBad = False,
    restart: Restart = False,
    dry_run: DryRun = False,
) -> None:
    """Measure how near synthesised speech comes to recordings."""
    from ttskit import kinds, streams
    from ttskit.artifact import Reader
    from ttskit.work import Running

    form = form_of(as_json, as_csv, as_markdown)
    other = streams.inputs([against], kinds.Scores)[0] if against else None
    readers = streams.opened(inputs)
    if [one.kind for one in readers] == [kinds.Scores]:
        scores = cast("Reader[Scores]", readers[0])
    else:
        names = listed(measures)
        running = Running(jobs, skip_bad, restart, dry_run)
        given, how = sort_out(readers), (timing, f0, limit)
        path = score(given, names, output, running, *how)
        if dry_run:
            return
        scores = Reader(path, kinds.Scores)
    table = list(rows(scores, other))
    told = {"utterances": len(scores), **{row.name: row.told() for row in table}}
    typer.echo(json.dumps(told) if as_json else page([row.cells() for row in table], form))


def score(
    given: Given,
    names: Sequence[str],
    output: Path | None,
    running: Running,
    timing: str = "dtw",
    f0: str = "crepe-tiny",
    limit: int | None = None,
    among: Collection[str] | None = None,
) -> Path:
    """Write the Scores of what is given, and return where they lie.

    `among` are the ids to be scored; without it all must be in every artifact.
    """
    from ttskit import kinds, progress, scoring, streams
    from ttskit.work import Recipe, build

    measures = scoring.chosen(names, given.allows, f0)
    judge = scoring.Judge(given, measures, cast("Timing", timing))
    settings = scoring.settings(measures, given, judge.timing)
    ids, bad = given.joined(among)
    for reader in given.readers:
        rate = reader.attributes["sample_rate"]
        if reader.kind is kinds.Corpus and rate != given.frames.sample_rate:
            progress.note(f"{reader.name}: resampled from {rate} to {given.frames.sample_rate} Hz")
    recipe = Recipe(
        stage="evaluate",
        revision=scoring.REVISION,
        kind=kinds.Scores,
        options={"measures": settings, "limit": limit},
        inputs=[reader.digest for reader in given.readers],
        tables={
            "measures": list(measures),
            "hashes": [scoring.hash_of(name, own) for name, own in settings.items()],
            "settings": [json.dumps(own, sort_keys=True) for own in settings.values()],
            "libraries": scoring.libraries(measures.values()),
        },
        skipped={id: why for reader in given.readers for id, why in reader.skipped.items()},
    )
    items = {id: id for id in ids[:limit]}
    path = output or streams.scratch() / "scores.h5"
    source = " and ".join(reader.name for reader in given.readers)
    return build(path, recipe, items, judge, running, source=source, bad=bad)
