"""Doctor: list the utterances of a corpus that look wrong, and why.

Reads any of a Corpus, its Features and its Alignment; writes one line per finding (id, kind,
detail), says what to do about each kind, and writes on request a page to listen to the worst, the
words that seem to be pronounced otherwise as a lexicon, and the ids of what is fit to train on.
Nothing is changed or removed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import TtskitError
from ttskit.metrics.cures import CURES, SPOILING
from ttskit.metrics.oddities import (
    Finding,
    alignments,
    mispronounced,
    pauses,
    pitches,
    recordings,
    voices,
)
from ttskit.options import Jobs

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Corpus, Features
    from ttskit.artifacts.reader import Reader
    from ttskit.metrics.pronunciation import Suspect
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
        yield from voices(features, threshold)
    if alignment and features:
        yield from pauses(alignment, features)
    if alignment:
        yield from alignments(alignment, threshold, min_tokens)


def mispronunciations(
    alignment: Reader[Alignment], features: Reader[Features], threshold: float
) -> list[Suspect]:
    """Return the words whose phonemes the recordings contradict."""
    from ttskit.metrics.pronunciation import suspects
    from ttskit.text.languages import CHARACTERS
    from ttskit.text.lexicon import Lexicon
    from ttskit.text.phonemes import Pronouncer

    language = str(alignment.value(0, "language"))
    if language == CHARACTERS:
        return suspects(alignment, features, lambda _: (), threshold)
    pronouncer = Pronouncer(language, Lexicon())
    return suspects(alignment, features, pronouncer.candidates, threshold)


def lexicon_lines(words: Sequence[Suspect], seconds: float) -> Iterator[str]:
    """Yield a lexicon of words whose phonemes don't fit, to be looked through and corrected."""
    yield "# word TAB phonemes; listen, correct what is wrong, and give the file to"
    yield "# `ttskit tokens --lexicon` and `ttskit voice pack --lexicon`"
    for one in words:
        place = one.places[0]
        where = f"{place.id} at {place.start * seconds:.2f} s"
        doubt = "" if one.better else "; nothing that fits better was found"
        yield f"# {one.word} was {' '.join(one.symbols)} (as in {where}){doubt}"
        yield f"{one.word}\t{' '.join(one.better or one.symbols)}"


def lexicon_of(
    output: Path, alignment: Reader[Alignment], features: Reader[Features], threshold: float
) -> Iterator[Finding]:
    """Write a lexicon of the words whose phonemes don't fit, and yield these as findings."""
    from ttskit.artifacts import atomic
    from ttskit.formats.timeline import step

    words, frame = mispronunciations(alignment, features, threshold), step(alignment)
    atomic.write_text(output, "\n".join(lexicon_lines(words, frame)) + "\n")
    yield from mispronounced(words, frame)


def advise(findings: Sequence[Finding], ids: Sequence[str], names: str) -> None:
    """Say how many utterances look odd, and what to do about each kind of finding."""
    from ttskit import progress

    ill = {finding.id for finding in findings}.intersection(ids)
    progress.note(f"{names}: {len(ill)} of {len(ids)} utterances look odd")
    for what, count in Counter(one.what for one in findings).most_common():
        progress.note(f"{what} ({count}): {CURES[what]}")


def spoilt(findings: Sequence[Finding]) -> frozenset[str]:
    """Return the ids of the utterances that something spoils for a training."""
    return frozenset(finding.id for finding in findings if finding.what in SPOILING)


def write_ids(output: Path, findings: Sequence[Finding], ids: Sequence[str]) -> None:
    """Write the ids of the utterances that nothing speaks against."""
    from ttskit import progress
    from ttskit.artifacts import atomic

    unfit = spoilt(findings)
    fit = [id for id in ids if id not in unfit]
    atomic.write_text(output, "".join(f"{id}\n" for id in fit))
    progress.note(
        f"{output}: {len(fit)} of {len(ids)} utterances are fit to train on: "
        f"`ttskit select CORPUS --ids {output} -o GOOD`"
    )


def check_share(findings: Sequence[Finding], ids: Sequence[str], names: str, most: float) -> None:
    """Refuse a corpus of which a larger share than `most` is unfit to train on."""
    found = spoilt(findings)
    if len(found) > most * len(ids):
        counts = Counter(one.what for one in findings if one.what in SPOILING)
        ((what, count),) = counts.most_common(1)
        raise TtskitError(
            f"{names}: {len(found)} of {len(ids)} utterances are unfit to train on, more than "
            f"{most:.0%}; most often {what} ({count} times): {CURES[what]}; or allow more with "
            "--most"
        )


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
    if counts:
        cures = [(what, CURES[what]) for what in counts]
        yield page.facts("What to do", ("finding", "what to do"), cures)
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
        help="Fail if a larger share of the utterances is unfit to train on; 1 never does.",
    ),
]
Page = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="HTML page to write, too, for listening to what was listed.",
    ),
]
Lexicon = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Lexicon to write of words whose phonemes don't fit the sound, with others that fit "
        "better; needs Features and an Alignment.",
    ),
]
Write = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File to write of the ids that are fit to train on, for `select --ids`.",
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
    lexicon: Lexicon = None,
    write: Write = None,
    limit: Limit = 50,
    jobs: Jobs = 0,
) -> None:
    """List what looks wrong: silence, texts, phonemes, speakers.

    Examples:
        ttskit doctor corpus.h5
        ttskit doctor corpus.h5 features.h5 alignment.h5 --page odd.html
    """
    from ttskit.artifacts import kinds, streams
    from ttskit.pages import listening

    wanted = (kinds.Corpus, kinds.Features, kinds.Alignment)
    corpus, features, alignment = streams.inputs(inputs, optional=wanted)
    readers = [reader for reader in (corpus, features, alignment) if reader is not None]
    if page:
        check_page(page, corpus)
    if lexicon and not (features and alignment):
        raise TtskitError("--lexicon: needs Features and an Alignment")
    every = findings_of(corpus, features, alignment, silence, threshold, min_tokens)
    if lexicon and features and alignment:
        every = chain(every, lexicon_of(lexicon, alignment, features, threshold))
    findings = [*every]
    ids = list(dict.fromkeys(id for reader in readers for id in reader.ids))
    names = ", ".join(reader.name for reader in readers)
    if write:
        write_ids(write, findings, ids)
    if page:
        listening.write(page, page_of(findings, readers, limit, jobs))
    advise(findings, ids, names)
    for finding in findings:  # last: who reads them may have seen enough
        typer.echo("\t".join(finding))
    check_share(findings, ids, names, most)
