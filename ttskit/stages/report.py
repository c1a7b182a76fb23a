"""Report: a page to listen to recordings and to what systems synthesised, with scores.

Reads Corpora, one of which is the reference, and any Scores, Alignments, Mels and Features of
them; writes one self-contained HTML file.  Which artifacts belong together follows from their
digests and from the durations of the utterances.  A blind page hides who speaks and takes votes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ttskit import wording
from ttskit.errors import ArtifactError, TtskitError, UsageError
from ttskit.options import Jobs, Seed

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Corpus, Scores
    from ttskit.artifacts.reader import Reader
    from ttskit.metrics.bootstrap import Summary
    from ttskit.pages.article import Take
    from ttskit.pages.listening import Recordings
    from ttskit.pages.table import ScoreColumn

NAN = float("nan")
TABLE = (
    "Means over utterances with 95 % intervals; ↓ lower is better, ↑ higher. A hash stands for a "
    "measure and all its settings: columns that differ in it can't be compared. Whether two "
    "systems really differ is for ttskit evaluate --against to say."
)
PICTURES = (
    "Spectrograms, with pitch on one axis for all takes of an utterance (dotted: Hz): that of the "
    "Features where there are any, else Praat's."
)
Codec = Literal["flac", "ogg"]


@dataclass(frozen=True)
class Measured:
    """The scores of the systems: the columns of the page, and for each cell its summary and source.

    Cells and readers map from (system, column); `middles` are the medians of the columns.
    """

    columns: Sequence[ScoreColumn]
    cells: Mapping[tuple[str, ScoreColumn], Summary]
    readers: Mapping[tuple[str, ScoreColumn], Reader[Scores]]
    middles: Mapping[ScoreColumn, float]

    def of(self, system: str) -> list[Reader[Scores]]:
        """Return the Scores of a system."""
        by_digest = {one.digest: one for (name, _), one in self.readers.items() if name == system}
        return list(by_digest.values())

    def value(self, system: str, column: ScoreColumn, id: str) -> float:
        """Return the score of an utterance, NaN where unknown."""
        reader = self.readers.get((system, column))
        return float(reader.value(reader.row(id), column.name)) if reader and id in reader else NAN

    def bad(self, system: str, column: ScoreColumn, id: str) -> float:
        """Return how bad a score is; if neither end is better, its distance from the median."""
        value = self.value(system, column, id)
        if column.score.better:
            return value if column.score.better == "lower" else -value
        return abs(value - self.middles[column])


@dataclass(frozen=True)
class ArticleOfTakes:
    """From the id of an utterance to its article; it can be pickled."""

    sources: Sequence[Recordings]  # the reference first
    measured: Measured
    rows: Mapping[str, int]  # of all utterances
    texts: Mapping[str, str]
    format: str

    def __call__(self, id: str) -> str:
        from ttskit.pages import article

        takes = [self._take(source, id) for source in self.sources]
        told = (id, self.texts[id], takes, self.measured.columns)
        return article.article(self.rows[id], *told, format=self.format)

    def _take(self, source: Recordings, id: str) -> Take:
        measured, name = self.measured, source.name
        scores = [measured.value(name, column, id) for column in measured.columns]
        bad = [measured.bad(name, column, id) for column in measured.columns]
        take = source.take(id)
        notes = [*take.notes, *self._notes(source, id)]
        return replace(take, scores=scores, bad=bad, notes=notes)

    def _notes(self, source: Recordings, id: str) -> Iterator[str]:
        """Yield notes: another text, why there are no scores, what a recogniser heard."""
        if id in source.corpus:
            text = source.corpus.value(source.corpus.row(id), "text")
            if text != self.texts[id]:
                yield f"has another text: {text}"
        for reader in self.measured.of(source.name):
            if id in reader.skipped and id in source.corpus:
                yield f"not measured: {reader.skipped[id]}"
            heard = reader.value(reader.row(id), "heard") if id in reader else None
            if heard is not None:
                yield f"a recogniser heard: {heard or 'nothing'}"


def measured(scores: Sequence[tuple[Reader[Scores], str]]) -> Measured:
    """Return the columns and cells of Scores, each with the name of its system."""
    import numpy as np

    from ttskit.metrics import registry
    from ttskit.metrics.comparison import telling
    from ttskit.pages.table import ScoreColumn, decimals

    found: dict[ScoreColumn, dict[str, tuple[Reader[Scores], Summary]]] = {}
    for reader, system in scores:
        for row in telling(reader):
            known = found.setdefault(ScoreColumn(row.name, row.hash, row.score), {})
            if system in known:
                raise ArtifactError(
                    f"{known[system][0].name} has {row.name} of {system} too: give one of them",
                    file=reader.name,
                )
            known[system] = reader, row.summary
    order = list(registry.scores())
    columns, cells, readers, middles = [], {}, {}, {}
    for plain in sorted(found, key=lambda one: (order.index(one.name), one.hash)):
        ends = [abs(end) for _, one in found[plain].values() for end in (one.low, one.high)]
        largest = max((end for end in ends if end == end), default=0.0)
        column = replace(plain, decimals=decimals(largest))
        columns.append(column)
        values = [reader.column(column.name) for reader, _ in found[plain].values()]
        every = np.concatenate(values)
        middles[column] = float(np.median(every[np.isfinite(every)])) if largest else 0.0
        for system, (reader, summary) in found[plain].items():
            readers[system, column], cells[system, column] = reader, summary
    return Measured(columns, cells, readers, middles)


def worst_first(
    ids: Sequence[str], measured: Measured, systems: Sequence[str], column: ScoreColumn | None
) -> list[str]:
    """Return the ids by their worst score among the systems, worst first, unknown ones last."""
    if column is None:
        return list(ids)

    def badness(id: str) -> float:
        values = (measured.bad(system, column, id) for system in systems)
        return max((one for one in values if one == one), default=float("-inf"))

    return sorted(ids, key=badness, reverse=True)


def chosen(measured: Measured, sort: str | None) -> ScoreColumn | None:
    """Return the column to sort by: of that name, else a column that most systems have."""
    fit = [one for one in measured.columns if (one.name == sort if sort else one.score.better)]
    if sort and not fit:
        known = ", ".join(dict.fromkeys(one.name for one in measured.columns))
        raise TtskitError(f"--sort {sort}: {f'there is {known}' if known else 'needs Scores'}")
    owned = [column for _, column in measured.cells]
    return max(fit, key=owned.count, default=None)


def page_of(
    show: ArticleOfTakes,
    ids: Sequence[str],
    column: ScoreColumn | None,
    readers: Sequence[Reader[Any]],
    jobs: int,
) -> Iterator[str]:
    """Yield the page part by part."""
    from html import escape

    from ttskit.pages import listening, page, table

    measured, systems = show.measured, [source.name for source in show.sources]
    yield page.top("Listening report", escape(lead(systems, show, ids, column)))
    if measured.columns:
        rows = [one for one in systems if any(system == one for system, _ in measured.cells)]
        yield f'<h2>Systems</h2>\n<p class="hint">{TABLE}</p>\n'
        yield table.table(rows, measured.columns, measured.cells, len(show.rows))
        if meanings := in_words(measured):
            yield page.facts("In words", ("system", "measure", "mean", "what it means"), meanings)
        yield page.facts("Settings", ("measure", "hash", "settings"), settings(measured))
    artifacts = [(one.name, one.kind.kind(), str(len(one)), one.digest[:12]) for one in readers]
    yield page.facts("Artifacts", ("name", "kind", "utterances", "digest"), artifacts)
    yield f'<h2>Utterances</h2>\n<p class="hint">{PICTURES}</p>\n'
    names = [one.name for one in measured.columns]
    titles = [one.name + f" {one.hash}" * (names.count(one.name) > 1) for one in measured.columns]
    at = measured.columns.index(column) if column else -1
    yield page.controls(len(ids), titles, systems, at)
    yield '<div id="utterances">\n'
    rows_of = {id: show.rows[id] for id in ids}
    yield from listening.articles(show, rows_of, show.texts, jobs)
    yield "</div>\n" + page.bottom()


def lead(
    systems: Sequence[str], show: ArticleOfTakes, ids: Sequence[str], column: ScoreColumn | None
) -> str:
    """Return the introduction of the page: systems, number of utterances, order."""
    total = len(show.rows)
    text = f"{', '.join(systems)}. {wording.count(len(ids), 'utterance')}"
    text += f", the worst first by {column.name}" if column else ""
    left_out = f": {total - len(ids)} of {total} are left out" if len(ids) < total else ""
    return f"{text}{left_out}."


def in_words(measured: Measured) -> list[tuple[str, str, str, str]]:
    """Return system, measure, mean and its meaning of all scores whose meaning is known."""
    from ttskit.metrics.comparison import telling

    meanings = []
    for system in dict.fromkeys(system for system, _ in measured.readers):
        for reader in measured.of(system):
            for row in telling(reader):
                if row.words:
                    meanings.append((system, row.name, f"{row.summary.mean:.4g}", row.words))
    return meanings


def settings(measured: Measured) -> list[tuple[str, str, str]]:
    """Return measure, hash and settings of all Scores, without duplicates."""
    settings: dict[tuple[str, str, str], None] = {}
    for reader in measured.readers.values():
        names, hashes, values = (reader.table(one) for one in ("measures", "hashes", "settings"))
        settings |= dict.fromkeys(zip(names, hashes, values, strict=False))
    return list(settings)


def blind_test(
    output: Path | None,
    systems: Mapping[str, Reader[Corpus]],
    limit: int,
    seed: int,
    audio: str,
    jobs: int,
) -> None:
    """Write a page on which systems are rated without their names."""
    from ttskit import progress
    from ttskit.pages import blind, listening

    drawn = blind.trials(list(systems.values()), limit, seed)
    listening.write(output, blind.page_of(systems, drawn, audio, jobs))
    clips = len(drawn) * len(systems)
    progress.note(f"{wording.count(len(drawn), 'text')}, {wording.count(clips, 'clip')}")


def scored_page(
    output: Path | None,
    readers: Sequence[Reader[Any]],
    by_name: Mapping[str, Reader[Corpus]],
    sort: str | None,
    limit: int,
    audio: str,
    jobs: int,
) -> None:
    """Write a page with names, scores and pictures; the first system is the reference."""
    from ttskit import progress
    from ttskit.artifacts import kinds
    from ttskit.pages import listening

    corpora = list(by_name.values())
    scores = [one for one in readers if one.kind is kinds.Scores]
    names = {id(corpus): name for name, corpus in by_name.items()}
    scored = measured(
        [(one, names[id(listening.owner(one, corpora, corpora[0]))]) for one in scores]
    )
    others = [one for one in readers if one.kind not in (kinds.Corpus, kinds.Scores)]
    sources = listening.sources(by_name, others)
    texts = listening.texts_of(list(by_name.values()))
    rows = {id: row for row, id in enumerate(texts)}
    column = chosen(scored, sort)
    ids = worst_first(list(texts), scored, list(by_name), column)[:limit]
    show = ArticleOfTakes(sources, scored, rows, texts, audio)
    listening.write(output, page_of(show, ids, column, readers, jobs))
    progress.note(f"{len(ids)} of {len(texts)} utterances, takes of each: {len(sources)}")


def print_votes(paths: Sequence[Path], writes: bool) -> None:
    """Print the mean of each system that listeners rated on a blind page."""
    from ttskit import tables
    from ttskit.pages import votes

    if writes:
        raise UsageError("--votes: prints a table, and takes neither --output nor --blind")
    if not paths:
        raise UsageError("--votes: needs files that listeners exported from a blind page")
    typer.echo(tables.text(votes.table(paths)))


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="One Corpus per system, and their Scores, Alignments, Mels and Features, in any "
        "order; with --votes, files of votes.",
        show_default="standard input",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="HTML file to write; - writes to standard output.",
        show_default="standard output",
    ),
]
Name = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE=NAME",
        help="What to call the system in FILE, as a.h5=Griffin-Lim. May be repeated.",
        show_default="the name of the file",
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER",
        help="Number by which to put the worst utterances first, such as mcd or wer.",
        show_default="the one that most systems have",
    ),
]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="Utterances on the page, at most.")]
Audio = Annotated[
    Codec,
    typer.Option(
        metavar="FORMAT",
        help="Format of the audio within the page: flac, or ogg (lossy, a third of the size).",
    ),
]
Blind = Annotated[
    bool,
    typer.Option(
        "--blind",
        help="Write a listening test instead: each text by all systems, without their names, to "
        "be rated from 1 to 5.",
    ),
]
GatherVotes = Annotated[
    bool,
    typer.Option(
        "--votes",
        help="Print the mean of each system from votes, the files that listeners exported from a "
        "blind page.",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    name: Name = None,
    sort: Sort = None,
    limit: Limit = 50,
    audio: Audio = "flac",
    blind: Blind = False,
    votes: GatherVotes = False,
    seed: Seed = 0,
    jobs: Jobs = 0,
) -> None:
    """Write an HTML page to listen to systems side by side.

    Examples:
        ttskit report corpus.h5 spoken.h5 scores.h5 -o report.html
        ttskit report corpus.h5 a.h5 b.h5 --blind --limit 20 --audio ogg -o test.html
    """
    from ttskit.artifacts import kinds, streams
    from ttskit.pages import listening

    if votes:
        return print_votes(inputs or (), output is not None or blind)
    if blind and sort:
        raise UsageError("--sort: a page that is --blind shows no numbers, and draws its texts")
    listening.check_page(output, audio)
    readers = streams.opened(inputs)
    corpora = [one for one in readers if one.kind is kinds.Corpus]
    scores = [one for one in readers if one.kind is kinds.Scores]
    if not corpora:
        raise ArtifactError(
            f"no corpus artifact among the inputs: {readers[0].name}; add the output of "
            "`ttskit corpus`"
        )
    reference = listening.reference_of(corpora, scores)
    by_name = listening.named(corpora, reference, name or ())
    if blind:
        return blind_test(output, by_name, limit, seed, audio, jobs)
    return scored_page(output, readers, by_name, sort, limit, audio, jobs)
