"""Doctor: list the utterances of a corpus that look wrong, and why.

Reads any of a Corpus, its Features and its Alignment; writes one line per finding (id, kind,
detail) and on request a page to listen to the worst.  Nothing is changed or removed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import TtskitError
from ttskit.metrics.oddities import Finding, alignments, pitches, recordings
from ttskit.options import Jobs

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Corpus, Features
    from ttskit.artifacts.reader import Reader
    from ttskit.pages.listening import Recordings


@dataclass(frozen=True)
class ArticleOfFindings:
    """From the id of an utterance to its article; it can be pickled."""

    source: Recordings
    findings: Mapping[str, Sequence[Finding]]

    def __call__(self, id: str) -> str:
        from ttskit.pages import article

        corpus = self.source.corpus
        row = corpus.row(id)
        notes = [f"{one.what}: {one.detail}" for one in self.findings[id]]
        told = (id, corpus.value(row, "text"), [self.source.take(id)])
        return article.article(row, *told, notes=notes)


def findings_of(
    corpus: Reader[Corpus] | None,
    features: Reader[Features] | None,
    alignment: Reader[Alignment] | None,
    silence: float,
    threshold: float,
    min_tokens: int,
) -> Iterator[Finding]:
    """Yield what looks wrong in a Corpus, in Features and in an Alignment, as far as given."""
    if corpus:
        yield from recordings(corpus, silence, threshold)
    if features:
        yield from pitches(features)
    if alignment:
        yield from alignments(alignment, threshold, min_tokens)


def check_page(page: Path, corpus: Reader[Corpus] | None) -> None:
    """Refuse a page that could not be written, or would have nothing to listen to."""
    from ttskit.pages import listening

    listening.check_page(page)
    if corpus is None or str(page) == "-":
        raise TtskitError("--page: needs a Corpus to listen to, and a file to write")


def page_of(
    findings: Sequence[Finding], readers: Sequence[Reader[Any]], limit: int, jobs: int
) -> Iterator[str]:
    """Yield a page of the clips with most findings; the first reader is the Corpus."""
    from html import escape

    from ttskit.pages import listening, page

    corpus, *others = readers
    by_id = defaultdict(list)
    for finding in findings:
        by_id[finding.id if finding.id in corpus else ""].append(finding)
    rest = by_id.pop("", [])
    worst = sorted(by_id, key=lambda id: -len(by_id[id]))[:limit]
    counts = Counter(finding.what for finding in findings)
    text = f"{len(by_id)} of {len(corpus)} utterances look odd; {len(worst)} are shown, those with "
    text += f"most findings first. {', '.join(f'{what} {n}' for what, n in counts.items())}"
    yield page.top(f"Doctor: {corpus.name}", escape(text))
    if rest:
        yield page.facts("Findings without a recording", Finding._fields, rest)
    yield page.controls(len(worst), (), (), -1)
    yield '<div id="utterances">\n'
    show = ArticleOfFindings(listening.sources({"recording": corpus}, others)[0], dict(by_id))
    texts = dict(zip(corpus.ids, corpus.table("text"), strict=True))
    yield from listening.articles(show, {id: corpus.row(id) for id in worst}, texts, jobs)
    yield "</div>\n" + page.bottom()


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="A Corpus, its Features, its Alignment, or any of them; - reads standard input.",
        show_default="standard input",
    ),
]
Silence = Annotated[
    float,
    typer.Option(min=0, metavar="SECONDS", help="List recordings with a silence longer than this."),
]
Threshold = Annotated[
    float,
    typer.Option(
        min=1,
        metavar="N",
        help="List utterances that differ from the others by more than N standard deviations.",
    ),
]
MinTokens = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="List phonemes that occur fewer than N times in the corpus; 0 lists none.",
    ),
]
Most = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="Fail if a larger share of the utterances looks odd; 1 never does.",
    ),
]
Page = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="HTML page to write, too, for listening to what was listed.",
    ),
]
Limit = Annotated[
    int,
    typer.Option(min=1, metavar="N", help="Utterances on the page, at most; the worst first."),
]


def command(
    inputs: Inputs = None,
    silence: Silence = 1.0,
    threshold: Threshold = 5.0,
    min_tokens: MinTokens = 10,
    most: Most = 1.0,
    page: Page = None,
    limit: Limit = 50,
    jobs: Jobs = 0,
) -> None:
    """List utterances that look wrong: clipped, silent, wrong text.

    Examples:
        ttskit doctor corpus.h5
        ttskit doctor corpus.h5 features.h5 alignment.h5 --page odd.html
    """
    from ttskit import progress
    from ttskit.artifacts import kinds, streams
    from ttskit.pages import listening

    wanted = (kinds.Corpus, kinds.Features, kinds.Alignment)
    corpus, features, alignment = streams.inputs(inputs, optional=wanted)
    readers = [reader for reader in (corpus, features, alignment) if reader is not None]
    if page:
        check_page(page, corpus)
    findings = []
    for finding in findings_of(corpus, features, alignment, silence, threshold, min_tokens):
        findings.append(finding)
        typer.echo("\t".join(finding))
    ids = {id for reader in readers for id in reader.ids}
    ill = {finding.id for finding in findings} & ids
    names = ", ".join(reader.name for reader in readers)
    progress.note(f"{names}: {len(ill)} of {len(ids)} utterances look odd")
    if page:
        listening.write(page, page_of(findings, readers, limit, jobs))
    if len(ill) > most * len(ids):
        ((what, count),) = Counter(one.what for one in findings if one.id in ids).most_common(1)
        raise TtskitError(
            f"{names}: {len(ill)} of {len(ids)} utterances look odd, more than {most:.0%}; most "
            f"often {what} ({count} times): mend that first, or allow more with --most"
        )
