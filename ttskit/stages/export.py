"""Export: what other programs read, made of an artifact.

Of a Corpus: one audio file per utterance, named by its id, and the texts beside them in the layout
of LJSpeech, so that `ttskit corpus` reads them back.  Of an Alignment: the times of what is
spoken, one file per utterance, or in CTM one for all.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import whole
from ttskit.errors import TtskitError
from ttskit.intervals import Interval, Timeline, check, timelines
from ttskit.options import Inputs

if TYPE_CHECKING:
    from ttskit.artifact import Reader
    from ttskit.kinds import Alignment, Corpus

AUDIO = ("wav", "flac")
TIERS = ("phrases", "words", "phones")


def recordings(reader: Reader[Corpus], folder: Path, suffix: str) -> None:
    """Write `wavs/ID.wav` for every utterance, then `metadata.csv`."""
    from ttskit import audio, progress

    columns = [reader.ids, reader.table("text")]
    if any(speakers := reader.table("speaker")):
        columns.append(speakers)
    cells = list(zip(*columns, strict=True))
    for id, *told in cells:
        if any(mark in cell for cell in told for mark in "|\n\r"):
            raise TtskitError(
                f"{reader.name}: {id}: its text or speaker has a | or a line break, which "
                "metadata.csv cannot hold"
            )
    (folder / "wavs").mkdir(parents=True, exist_ok=True)
    rate = int(reader.attributes["sample_rate"])
    with progress.track("export", len(reader)) as advance:
        for id, record in reader.items():
            audio.write(folder / "wavs" / f"{id}{suffix}", record.audio, rate)
            advance()
    lines = ["|".join(row) for row in cells]
    whole.write_text(folder / "metadata.csv", "\n".join([*lines, ""]))


def textgrid(spoken: Timeline, _: Sequence[Interval]) -> str:
    """Return a Praat TextGrid with the tiers `words` and `phones`."""
    from ttskit import textgrid

    return textgrid.text({"words": spoken.words, "phones": spoken.phones}, spoken.seconds)


def ctm(spoken: Timeline, intervals: Sequence[Interval]) -> str:
    """Return a line for each interval: id, channel, start, duration, label."""
    for field in (spoken.id, *(interval.label for interval in intervals)):
        if len(field.split()) != 1:
            raise TtskitError(f"{field!r} has a space, which CTM cannot hold")
    return "".join(
        f"{spoken.id} 1 {start:.3f} {stop - start:.3f} {label}\n"
        for start, stop, label, _ in intervals
    )


def as_json(spoken: Timeline, _: Sequence[Interval]) -> str:
    """Return all that is known of an utterance, as an object."""
    record, places = spoken.record, {word.number: n for n, word in enumerate(spoken.words)}
    words = [
        {**_times(word), "word": word.label, "span": record.spans[word.number].tolist()}
        for word in spoken.words
    ]
    phones = [
        {
            **_times(phone),
            "phone": phone.label,
            "word": places.get(int(record.token_word[phone.number])),
            "score": _known(record.token_score[phone.number]),
        }
        for phone in spoken.phones
    ]
    told: dict[str, Any] = {"id": record.id, "speaker": record.speaker, "text": record.text}
    told |= {"seconds": round(spoken.seconds, 6), "score": _known(record.score)}
    return json.dumps(told | {"words": words, "phones": phones}, ensure_ascii=False) + "\n"


def srt(_: Timeline, intervals: Sequence[Interval]) -> str:
    """Return subtitles as SubRip has them."""
    cues = enumerate(intervals, 1)
    return "\n".join(f"{number}\n{_cue(cue, ',')}\n{cue.label}\n" for number, cue in cues)


def vtt(_: Timeline, intervals: Sequence[Interval]) -> str:
    """Return subtitles as WebVTT has them, where < and & are markup."""
    cues = [f"{_cue(cue, '.')}\n{html.escape(cue.label, quote=False)}\n" for cue in intervals]
    return "\n".join(["WEBVTT\n", *cues])


def audacity(_: Timeline, intervals: Sequence[Interval]) -> str:
    """Return Audacity's labels: start, stop, label, by tabs."""
    return "".join(f"{start:.6f}\t{stop:.6f}\t{label}\n" for start, stop, label, _ in intervals)


def _times(interval: Interval) -> dict[str, float]:
    return {"start": round(interval.start, 6), "stop": round(interval.stop, 6)}


def _known(score: Any) -> float | None:
    return round(float(score), 4) if math.isfinite(score) else None


def _cue(cue: Interval, point: str) -> str:
    return f"{_clock(cue.start, point)} --> {_clock(cue.stop, point)}"


def _clock(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"


@dataclass(frozen=True)
class Format:
    """How the times of an utterance are written."""

    suffix: str
    write: Callable[[Timeline, Sequence[Interval]], str]
    tier: str = ""  # which one, where it isn't said; nothing where all are written


TIMES: MappingProxyType[str, Format] = MappingProxyType(
    {
        "textgrid": Format(".TextGrid", textgrid),
        "ctm": Format(".ctm", ctm, "words"),
        "json": Format(".json", as_json),
        "srt": Format(".srt", srt, "phrases"),
        "vtt": Format(".vtt", vtt, "phrases"),
        "audacity": Format(".txt", audacity, "words"),
    }
)
FORMATS = (*AUDIO, *TIMES)


def texts(reader: Reader[Alignment], format: Format, tier: str) -> Iterator[tuple[str, str]]:
    """Yield the id of each utterance and its times as they are written."""
    for spoken in timelines(reader):
        tiers = {"phrases": spoken.phrases, "words": spoken.words, "phones": spoken.phones}
        try:
            yield spoken.id, format.write(spoken, tiers[tier] if tier else ())
        except TtskitError as error:
            raise TtskitError(f"{reader.name}: {spoken.id}: {error}") from error


def times(reader: Reader[Alignment], output: Path, name: str, tier: str) -> None:
    """Write the times of an Alignment: to a folder, to a file, or to standard output (`-`)."""
    from ttskit import progress

    check(reader)
    format = TIMES[name]
    written = texts(reader, format, tier)
    if output.is_dir() or (name != "ctm" and not (str(output) == "-" or named(output))):
        output.mkdir(parents=True, exist_ok=True)
        with progress.track("export", len(reader)) as advance:
            for id, text in written:
                whole.write_text(output / f"{id}{format.suffix}", text)
                advance()
        return
    if name != "ctm" and len(reader) != 1:
        raise TtskitError(
            f"{reader.name}: has {len(reader)} utterances, one {name} file holds one: name a "
            "folder with -o, or choose one with `ttskit select --id`"
        )
    told = "".join(text for _, text in written)
    if str(output) == "-":
        typer.echo(told, nl=False)
    else:
        whole.write_text(output, told)


def named(path: Path) -> str:
    """Return the format that the suffix of a file says, or nothing."""
    suffix = path.suffix.lower()
    return next((name for name, one in TIMES.items() if one.suffix.lower() == suffix), "")


def chosen(format: str | None, kind: str, output: Path | None, name: str) -> str:
    """Return the format that is asked for, or that the output says; it must fit the kind."""
    fitting = AUDIO if kind == "corpus" else tuple(TIMES)
    found = format or (named(output) if output and not output.is_dir() else "")
    if found in fitting:
        return found
    wanted = f"for {kind} there is {', '.join(fitting)}"
    if not found:
        raise TtskitError(f"{name}: say how with --format; {wanted}")
    raise TtskitError(f"{name}: no export format {found!r}; {wanted}")


def command(
    inputs: Inputs = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder or file.  [default: here; times: stdout]"),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}; or the suffix.")
    ] = None,
    tier: Annotated[
        str | None, typer.Option(help=f"What ctm, srt, vtt, audacity list: {', '.join(TIERS)}.")
    ] = None,
) -> None:
    """Make files for other programs of an artifact."""
    from ttskit import kinds, streams

    readers = streams.inputs(inputs, optional=(kinds.Corpus, kinds.Alignment))
    given = [reader for reader in readers if reader is not None]
    if len(given) > 1:
        raise TtskitError("export takes one artifact, not two")
    reader = given[0]
    format = chosen(format, reader.kind.kind(), output, reader.name)
    usual = TIMES[format].tier if format in TIMES else ""
    if tier is not None and (tier not in TIERS or not usual):
        which = f"there is {', '.join(TIERS)}" if usual else f"{format} takes none"
        raise TtskitError(f"--tier {tier!r}: {which}")
    if format in AUDIO and str(output) == "-":
        raise TtskitError(f"{format} needs a folder, not standard output")
    if format in AUDIO:
        recordings(reader, output or Path(), f".{format}")
    else:
        times(reader, output or Path("-"), format, tier or usual)
