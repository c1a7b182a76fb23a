"""Listening: from artifacts to the takes and the articles of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ttskit import progress
from ttskit.artifacts import atomic, pool, streams
from ttskit.artifacts.kinds import Alignment, Corpus, Features, Mels, Scores
from ttskit.artifacts.reader import Reader
from ttskit.dsp import praat
from ttskit.errors import ArtifactError, AudioError, TtskitError, UsageError
from ttskit.formats.timeline import Timeline, check, step
from ttskit.pages import article
from ttskit.pages.article import Take

FORMATS = ("flac", "ogg")
PITCH_STEP = 0.01  # seconds
SLACK = 1.5  # frames by which two lengths of a recording may differ: by rounding, twice


@dataclass(frozen=True)
class Recordings:
    """A Corpus to listen to, with the times of its words and its pitch, where they are known."""

    name: str
    corpus: Reader[Corpus]
    timed: Reader[Any] | None = None  # Alignment, or Mels with tokens
    heard: Reader[Features] | None = None

    def take(self, id: str) -> Take:
        """Return the take of an utterance; without audio, a note says why."""
        if id not in self.corpus:
            return Take(self.name, notes=[f"is not there{self._why(id)}"])
        audio = self.corpus.value(self.corpus.row(id), "audio")
        if not len(audio):
            return Take(self.name, notes=["has no samples"])
        rate = int(self.corpus.attributes["sample_rate"])
        f0, pitch_step = self._pitch(id, audio, rate)
        return Take(self.name, audio, rate, f0, pitch_step, self._words(id))

    def _why(self, id: str) -> str:
        reason = self.corpus.skipped.get(id)
        return f": {reason}" if reason else ""

    def _words(self, id: str) -> list[Any]:
        if self.timed is None or id not in self.timed:
            return []
        record = self.timed[id]
        return Timeline(record, self.timed.table("symbols"), step(self.timed)).words

    def _pitch(self, id: str, audio: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
        """Return f0, 0 where unvoiced, and the seconds of a frame: from Features, else by Praat."""
        if self.heard is not None and id in self.heard:
            record = self.heard[id]
            return np.where(record.voiced, record.f0, 0), step(self.heard)
        hop = round(PITCH_STEP * rate)
        with suppress(AudioError):  # too short to have a pitch
            return praat.pitch(audio.astype(np.float32) / 32768, rate, hop)[0], hop / rate
        return np.zeros(0, np.float32), PITCH_STEP


def sources(named: Mapping[str, Reader[Corpus]], others: Sequence[Reader[Any]]) -> list[Recordings]:
    """Return the corpora, each with the artifacts that belong to it.

    An artifact tells of the corpora whose utterances are as long as it says: an Alignment or Mels
    of all that are, Features, which are heard in one recording, of the first one.
    """
    found = [Recordings(name, corpus) for name, corpus in named.items()]
    for reader in others:
        if reader.kind not in (Alignment, Mels, Features):
            raise ArtifactError(
                f"is {reader.kind.kind()}, which is not for a page", file=reader.name
            )
        if reader.kind is Mels and not reader.has_axis("token"):
            raise ArtifactError("knows no words: nothing of it could be shown", file=reader.name)
        slot = "heard" if reader.kind is Features else "timed"
        if slot == "timed":
            check(reader)
        misfits = [misfit(reader, source.corpus) for source in found]
        fitting = [at for at, why in enumerate(misfits) if not why]
        if not fitting:
            raise ArtifactError(f"{misfits[0]}", file=reader.name)
        free = [at for at in fitting if getattr(found[at], slot) is None]
        if not free:
            rival = getattr(found[fitting[0]], slot).name
            raise ArtifactError(
                f"{rival} tells the same already: give one of them", file=reader.name
            )
        if slot == "heard":
            found[free[0]] = replace(found[free[0]], heard=reader)
            continue
        for at in free:
            found[at] = replace(found[at], timed=reader)
    return found


def misfit(reader: Reader[Any], corpus: Reader[Corpus]) -> str:
    """Return why an artifact can't belong to a Corpus, or "" if it can."""
    both = [id for id in reader.ids if id in corpus]
    if not both:
        return f"has no utterance that {corpus.name} has"
    seconds = _frames(reader)[[reader.row(id) for id in both]] * step(reader)
    samples = corpus.lengths("sample")[[corpus.row(id) for id in both]]
    needed = samples / float(corpus.attributes["sample_rate"])
    off = np.flatnonzero(np.abs(seconds - needed) > SLACK * step(reader))
    if not len(off):
        return ""
    at = int(off[0])
    return (
        f"{both[at]}: lasts {seconds[at]:.3f} s, in {corpus.name} {needed[at]:.3f} s: it is not of "
        "these recordings"
    )


def _frames(reader: Reader[Any]) -> np.ndarray:
    """Return how many frames each utterance has."""
    if reader.kind is not Alignment:
        return reader.lengths("frame")
    rows = np.repeat(np.arange(len(reader)), reader.lengths("token"))
    return np.bincount(rows, reader.column("durations"), len(reader))


def named(
    corpora: Sequence[Reader[Corpus]], reference: Reader[Corpus], names: Sequence[str]
) -> dict[str, Reader[Corpus]]:
    """Return the corpora by their names on the page, the reference first."""
    stems = [Path(one.name).stem for one in corpora]
    calls = [
        one.name if stems.count(stem) > 1 else stem
        for one, stem in zip(corpora, stems, strict=True)
    ]
    renamed = dict(name.partition("=")[::2] for name in names)
    if unknown := [old for old in renamed if old not in calls]:
        raise TtskitError(f"--name {unknown[0]}=...: there is {', '.join(calls)}")
    pairs = sorted(zip(calls, corpora, strict=True), key=lambda pair: pair[1] is not reference)
    by_name: dict[str, Reader[Corpus]] = {}
    for call, corpus in pairs:
        usual = f"{call} (reference)" if corpus is reference and len(corpora) > 1 else call
        name = renamed.get(call, usual)
        if name in by_name or not name.strip():
            raise TtskitError(f"--name {call}={name}: needs a name that no other has")
        by_name[name] = corpus
    return by_name


def texts_of(corpora: Sequence[Reader[Corpus]]) -> dict[str, str]:
    """Return id -> text of all utterances; note what each Corpus lacks."""
    texts: dict[str, str] = {}
    for corpus in corpora:
        if texts and not any(id in texts for id in corpus.ids):
            raise ArtifactError(f"has no utterance that {corpora[0].name} has", file=corpus.name)
        texts = dict(zip(corpus.ids, corpus.table("text"), strict=True)) | texts
    # the order of the first one, then of the others
    ordered = {id: texts[id] for corpus in corpora for id in corpus.ids}
    for corpus in corpora:
        lacks = [id for id in ordered if id not in corpus]
        if lacks:
            some = ", ".join(lacks[:3]) + (" ..." if lacks[3:] else "")
            progress.note(f"{corpus.name}: lacks {len(lacks)} of {len(ordered)}: {some}")
    return ordered


def pair(scores: Reader[Scores]) -> tuple[str | None, str | None]:
    """Return the digests of the reference of Scores and of the Corpus that they are of.

    `evaluate` had one or two corpora, and two alignments or none.
    """
    digests = scores.provenance.get("inputs", [])
    if scores.provenance.get("stage") != "evaluate" or not digests:
        return None, None
    return (digests[0], digests[1]) if len(digests) % 2 == 0 else (None, digests[0])


def reference_of(
    corpora: Sequence[Reader[Corpus]], scores: Sequence[Reader[Scores]]
) -> Reader[Corpus]:
    """Return the Corpus that is the reference of the Scores; without Scores, the first one."""
    digests: dict[str | None, Reader[Corpus]] = {}
    for corpus in corpora:
        if corpus.digest in digests:
            raise ArtifactError(f"says the same as {digests[corpus.digest].name}", file=corpus.name)
        digests[corpus.digest] = corpus
    claims = {against: one.name for one in scores for against in pair(one)[:1]}
    references = [(digests[digest], name) for digest, name in claims.items() if digest in digests]
    if len(references) > 1:
        (corpus, name), (other, its) = references[:2]
        raise ArtifactError(
            f"was measured against {other.name}, {name} against {corpus.name}: a page has "
            "one reference",
            file=its,
        )
    return references[0][0] if references else corpora[0]


def owner(
    scores: Reader[Scores], corpora: Sequence[Reader[Corpus]], reference: Reader[Corpus]
) -> Reader[Corpus]:
    """Return the Corpus that Scores are of: by its digest, or by its name if they were merged."""
    against, own = pair(scores)
    owners = [one for one in corpora if one.digest == own]
    if own is None:
        name = Path(scores.name).name
        owners = [one for one in corpora if name.startswith(f"{Path(one.name).stem}.")]
        owners.sort(key=lambda one: -len(one.name))
    if not owners:
        known = ", ".join(one.name for one in corpora)
        raise ArtifactError(
            f"what it measured is none of {known}: add that Corpus", file=scores.name
        )
    if against not in (None, reference.digest):
        raise ArtifactError(
            f"was measured against another reference than {reference.name}: add it",
            file=scores.name,
        )
    texts = dict(zip(owners[0].ids, owners[0].table("text"), strict=True))
    for id, text in zip(scores.ids, scores.table("text"), strict=True):
        if texts.get(id, text) != text:
            raise ArtifactError(
                f"has another text than {owners[0].name}", file=scores.name, utterance=id
            )
    if not texts.keys() & set(scores.ids):
        raise ArtifactError(f"has no utterance that {owners[0].name} has", file=scores.name)
    return owners[0]


def articles(
    show: Callable[[str], str], corpus_rows: Mapping[str, int], texts: Mapping[str, str], jobs: int
) -> Iterator[str]:
    """Yield the article of each utterance in order, by worker processes; report failures.

    Parameters
    ----------
    corpus_rows : the utterances to show, and the place of each in the corpus
    """
    count = len(corpus_rows)
    results = pool.in_order(show, corpus_rows, min(jobs or pool.cores(), max(1, count)))
    with progress.track("page", count) as advance:
        for (id, row), one in zip(corpus_rows.items(), results, strict=True):
            if isinstance(one, pool.Bad):
                progress.complain(f"ttskit: {id}: can't be shown: {one.error}")
                one = article.broken(row, id, texts[id], str(one.error))
            yield one
            advance()


def check_page(output: Path | None, format: str = "flac") -> None:
    """Refuse an output that is no HTML file, and unknown audio formats."""
    if output is not None and str(output) != "-" and output.suffix.lower() not in (".html", ".htm"):
        raise UsageError("is for a page: needs a name that ends in .html", file=output)
    if format not in FORMATS:
        raise UsageError(f"--audio {format}: there is {', '.join(FORMATS)}")


def write(output: Path | None, parts: Iterable[str]) -> None:
    """Write a page part by part; the file appears once it is complete."""
    with streams.delivered(output) as (path, name):
        with (
            atomic.replacing(path) as unfinished,
            # names of files, which are any bytes, stay what they are
            unfinished.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as file,
        ):
            file.writelines(parts)
        size = path.stat().st_size / 1e6
        progress.note(f"{name}: {size:.1f} MB")
