"""Why: everything that artifacts know of one utterance, and where it got lost.

Reads artifacts of any kind in any order; prints text, phonemes, times and scores of the
utterance, how it stands among the others, which artifacts lack it, and the reasons on record.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import TtskitError
from ttskit.formats.timeline import Timeline, check, step
from ttskit.options import TableJson

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from rich.text import Text

    from ttskit.artifacts.hdf5 import Container
    from ttskit.artifacts.kinds import Alignment, Controls, Corpus, Features, Scores, Tokens
    from ttskit.artifacts.reader import Reader

ODD = ("state", "reason", "since", "text", "odd", "not_spoken")
THRESHOLD, TOKENS = 5.0, 10  # deviations, tokens of a symbol: as `doctor` has them by default


def corpus(id: str, reader: Reader[Corpus]) -> Iterator[tuple[str, Any]]:
    """Yield what is known of a recording."""
    import numpy as np

    from ttskit.dsp import faults

    record, rate = reader[id], int(reader.attributes["sample_rate"])
    loud = np.abs(record.audio.astype(np.float64)) / 32768
    start, within, end = faults.pauses(record.audio, rate)
    yield "sample_rate", rate
    yield "samples", len(record.audio)
    yield "seconds", round(len(record.audio) / rate, 3)
    yield "peak_db", _decibel(loud.max(initial=0))
    yield "level_db", _decibel(float(np.sqrt(np.square(loud).mean())) if len(loud) else 0)
    yield "clipped_samples", faults.clipped(record.audio)
    yield "silence_seconds", {"start": start, "longest_within": within, "end": end}
    for name in ("synthesis_seconds", "load_seconds", "peak_megabytes"):
        if (value := getattr(record, name)) is not None:
            yield name, float(value)


def _decibel(magnitude: float) -> float | None:
    import math

    return round(20 * math.log10(magnitude), 1) if magnitude > 0 else None


def tokens(id: str, reader: Reader[Tokens]) -> Iterator[tuple[str, Any]]:
    """Yield how a text is spelt."""
    record, symbols = reader[id], reader.table("symbols")
    yield "language", record.language
    yield "normalised", " ".join(record.words)
    if record.dropped:
        yield "not_spoken", record.dropped
    spelt = spellings(record, symbols)
    guessed = record.guessed.tolist()
    yield (
        "words",
        [
            {"word": word, "phonemes": phonemes, **({"guessed": True} if guess else {})}
            for word, phonemes, guess in zip(record.words, spelt, guessed, strict=True)
        ],
    )


def spellings(record: Tokens | Alignment, symbols: Sequence[str]) -> list[str]:
    """Return the phonemes of each word."""
    found: list[list[str]] = [[] for _ in record.words]
    for token, owner in zip(record.tokens, record.token_word, strict=True):
        if owner >= 0:
            found[owner].append(symbols[token])
    return [" ".join(word) for word in found]


def features(id: str, reader: Reader[Features]) -> Iterator[tuple[str, Any]]:
    """Yield the length, pitch and loudness."""
    from ttskit.dsp.faults import octave_jumps

    record = reader[id]
    yield from framed(reader, len(record.mel))
    yield from spread(record, {"loudness_db": record.loudness})
    yield "octave_jumps", octave_jumps(record.f0, record.voiced)


def controls(id: str, reader: Reader[Controls]) -> Iterator[tuple[str, Any]]:
    """Yield the length, pitch and how much of harmonics and of noise is played."""
    import numpy as np

    record = reader[id]
    yield from framed(reader, len(record.f0))
    played = {"amplitude": record.amplitude[record.voiced], "noise": record.noise.mean(axis=1)}
    levels = {f"{name}_db": 20 * np.log10(gain[gain > 0]) for name, gain in played.items()}
    yield from spread(record, levels)


def spread(
    record: Features | Controls, levels: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, Any]]:
    """Yield how much is voiced; of pitch and levels the median, and where nine tenths lie."""
    import numpy as np

    yield "voiced_share", round(float(record.voiced.mean()), 3) if len(record.voiced) else None
    for name, values in {"f0_hz": record.f0[record.voiced], **levels}.items():
        if len(values):
            shown = zip(("low", "median", "high"), np.percentile(values, [5, 50, 95]), strict=True)
            yield name, {key: round(float(one), 1) for key, one in shown}


def framed(reader: Reader[Any], frames: int) -> Iterator[tuple[str, Any]]:
    """Yield the length in frames."""
    yield "frames", frames
    yield "seconds", round(frames * step(reader), 3)


def alignment(id: str, reader: Reader[Alignment]) -> Iterator[tuple[str, Any]]:
    """Yield when each word is said, how well it fits, and what `doctor` finds odd."""
    from ttskit.metrics import oddities
    from ttskit.metrics.rank import rank

    check(reader)
    yield from framed(reader, int(reader[id].durations.sum()))
    yield "score", rank(reader.column("score"), reader.row(id), "higher")
    yield "words", list(timed(Timeline(reader[id], reader.table("symbols"), step(reader))))
    found = oddities.alignments(reader, THRESHOLD, TOKENS)
    yield "odd", [f"{one.what}: {one.detail}" for one in found if one.id == id]


def timed(line: Timeline) -> Iterator[dict[str, Any]]:
    """Yield each word with its times and its score; one without frames has neither."""
    import numpy as np

    record, when = line.record, {word.number: word for word in line.words}
    for number, word in enumerate(record.words):
        told: dict[str, Any] = {"word": word, "phonemes": spellings(record, line.symbols)[number]}
        if number in when:
            told |= {"start": round(when[number].start, 3), "stop": round(when[number].stop, 3)}
            mine = (record.token_word == number) & (record.durations > 0)
            score = np.average(record.token_score[mine], weights=record.durations[mine])
            told |= {"score": round(float(score), 3)} if np.isfinite(score) else {}
        yield told


def mels(id: str, reader: Reader[Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a decoder was told and made."""
    from ttskit.pages import utterance as shown

    record = reader[id]
    yield from framed(reader, len(record.mel))
    if record.dropped:
        yield "not_spoken", record.dropped
    if reader.has_axis("token"):
        check(reader)
        line = Timeline(shown.unscored(record), reader.table("symbols"), step(reader))
        yield "words", list(timed(line))


def scores(id: str, reader: Reader[Scores]) -> Iterator[tuple[str, Any]]:
    """Yield each number, and how it stands among the utterances."""
    from ttskit.metrics import registry
    from ttskit.metrics.rank import rank

    known = registry.scores()
    yield (
        "scores",
        [
            {
                "number": spec.name,
                "unit": spec.metadata["unit"],
                "better": known[spec.name].better,
                **rank(reader.column(spec.name), reader.row(id), known[spec.name].better),
            }
            for spec in reader.columns
            if spec.name in known
        ],
    )
    if (words := reader.value(reader.row(id), "heard")) is not None:
        yield "heard", words


FACTS: Mapping[str, Callable[[str, Any], Iterator[tuple[str, Any]]]] = {
    "corpus": corpus,
    "tokens": tokens,
    "features": features,
    "alignment": alignment,
    "mels": mels,
    "controls": controls,
    "scores": scores,
}


def describe(id: str, containers: Sequence[Container]) -> dict[str, Any]:
    """Return all that artifacts know of an utterance, those first that are made first."""
    given = sorted((Artifact.of(one) for one in containers), key=lambda one: one.place)
    there = [one.reader for one in given if one.reader is not None and id in one.reader]
    if not there and not any(id in one.skipped or id in one.held_out for one in given):
        every = {known: None for one in given for known in (*one.ids, *one.skipped, *one.held_out)}
        near = difflib.get_close_matches(id, every, 3, 0.5)
        told = f"; nearest: {', '.join(near)}" if near else ""
        raise TtskitError(f"no artifact has an utterance {id}{told}")
    texts = [reader.value(reader.row(id), "text") for reader in there]
    speakers = {reader.value(reader.row(id), "speaker"): None for reader in there}
    return {
        "id": id,
        "text": texts[0] if texts else None,
        "speaker": next((speaker for speaker in speakers if speaker), None),
        "artifacts": [
            {**one.origin(given), **one.state(id, given), **one.facts(id, texts)} for one in given
        ],
    }


@dataclass(frozen=True)
class Artifact:
    """One of the inputs; a model has no reader, but knows what it was not trained on."""

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
        """In the pipeline; models come last."""
        kinds = [*FACTS]
        return kinds.index(self.container.kind) if self.container.kind in kinds else len(kinds)

    def origin(self, given: Sequence[Artifact]) -> dict[str, Any]:
        """Return what it is and what it was made of, by name where that is given."""
        names = {one.container.digest: one.container.name for one in given}
        made = self.container.provenance
        return {
            "path": self.container.name,
            "kind": self.container.kind,
            "stage": made.get("stage"),
            "inputs": [names.get(digest, digest) for digest in made.get("inputs", [])],
        }

    def state(self, id: str, given: Sequence[Artifact]) -> dict[str, Any]:
        """Return whether it has the utterance, and why not."""
        if self.reader is None:
            return {"state": f"{'' if id in self.held_out else 'not '}held out of training"}
        if id in self.reader:
            return {"state": "there"}
        if id not in self.skipped:
            return {"state": "lacks it"}
        inputs = self.container.provenance.get("inputs", [])
        parents = [one for one in given if one.container.digest in inputs and id in one.skipped]
        since = {"since": parents[0].container.name} if parents else {}
        return {"state": "skipped", "reason": self.skipped[id], **since}

    def facts(self, id: str, texts: Sequence[str]) -> dict[str, Any]:
        """Return what it knows of the utterance; its text if that is another one."""
        if self.reader is None or id not in self.reader:
            return {}
        text = self.reader.value(self.reader.row(id), "text")
        other = {"text": text} if text != texts[0] else {}
        return other | dict(FACTS[self.container.kind](id, self.reader))


def page(found: Mapping[str, Any]) -> Text:
    """Return the same for a person; what is odd stands out on a terminal."""
    from rich.text import Text

    shown = Text(f"{_plain(found['id'])}\n", end="")
    shown.stylize("bold")
    for name in ("speaker", "text"):
        if found[name]:
            shown.append(f"  {name:18} {_plain(found[name])}\n")
    paths = {one["path"] for one in found["artifacts"]}
    for artifact in found["artifacts"]:
        told = dict(artifact)
        path, kind, stage, inputs = (told.pop(key) for key in ("path", "kind", "stage", "inputs"))
        short = ", ".join(one if one in paths else one[:12] for one in inputs)
        shown.append(f"\n{path}", "bold")
        shown.append(f": {kind}, made by {stage}{' of ' if short else ''}{short}\n")
        if told["state"] == "there":
            del told["state"]
        for name, value in told.items():
            for line in _lines(name.replace("_", " "), value):
                shown.append(f"  {line}\n", "yellow" if name in ODD else "")
    return shown


def _lines(name: str, value: Any) -> list[str]:
    """Return a fact as lines: a number, a text, some of them by name, a list, a table."""
    from ttskit import tables

    if isinstance(value, list) and value and isinstance(value[0], dict):
        cells = [{key: _plain(one) for key, one in row.items()} for row in value]
        return tables.text(cells).split("\n")
    if isinstance(value, dict):
        value = ", ".join(f"{key.replace('_', ' ')} {_plain(one)}" for key, one in value.items())
    listed = value if isinstance(value, list) else [value]
    return [f"{name:18} {_plain(one)}" for one in listed]


def _plain(value: Any) -> str:
    """Return a value as text in one line."""
    from ttskit.progress import VISIBLE

    if value is None:
        return "unknown"
    return f"{value:.4g}" if isinstance(value, float) else str(value).translate(VISIBLE)


def picture(id: str, readers: Sequence[Reader[Any]]) -> Figure:
    """Return the utterance as `plot` draws it: of each kind the first artifact that has it."""
    from ttskit.artifacts import kinds
    from ttskit.pages import figure
    from ttskit.pages import utterance as shown

    first: dict[type[Any], Reader[Any]] = {}
    for reader in readers:
        if id in reader:
            first.setdefault(reader.kind, reader)
    features, mels, played = (first.get(k) for k in (kinds.Features, kinds.Mels, kinds.Controls))
    alignment, corpus = first.get(kinds.Alignment), first.get(kinds.Corpus)
    if features is None and mels is not None:
        return figure.draw(shown.chosen(None, None, corpus, id, mels))
    if features is alignment is None and played is not None:
        return figure.draw(shown.played(played, corpus, id))
    return figure.draw(shown.chosen(features, alignment, corpus, id))


def command(
    utterance: Annotated[
        str,
        typer.Argument(metavar="UTTERANCE", help="Id of the utterance, as in `ttskit ls`."),
    ],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Artifacts of any kind, in any order; - reads standard input.",
            show_default="standard input",
        ),
    ] = None,
    as_json: TableJson = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Picture of the utterance to write, too: .png, .pdf or .svg."
        ),
    ] = None,
) -> None:
    """Show all that is known of one utterance, and why it is missing.

    Examples:
        ttskit why LJ001-0001 corpus.h5 tokens.h5 features.h5 alignment.h5
        ttskit why LJ001-0001 corpus.h5 alignment.h5 --plot LJ001-0001.png
    """
    from rich.console import Console

    from ttskit.artifacts import kinds, streams
    from ttskit.pages.utterance import save

    containers = streams.containers(inputs)
    found = describe(utterance, containers)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        Console(highlight=False).print(page(found), soft_wrap=True, end="")
    if plot is not None:
        readers = [reader for one in containers if (reader := kinds.reader_of(one))]
        save(picture(utterance, readers), plot)
