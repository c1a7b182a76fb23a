"""Export: files for other programs, made of an artifact.

Of a Corpus: one audio file per utterance, named by its id, and the texts beside them in the layout
of LJSpeech, so that `ttskit corpus` reads them back.  Of an Alignment: the times of what is
spoken, one file per utterance, or in CTM one for all.  Of Scores: a line of JSON per utterance, as
VERSA has.  Of a Voice: its models as ONNX, and a script that speaks with them.  Of a training: its
log and its pictures as events for TensorBoard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ttskit.artifacts import atomic
from ttskit.errors import TtskitError, UsageError, at
from ttskit.formats.labels import TIERS, TIMES, LabelFormat, named
from ttskit.formats.timeline import check, timelines
from ttskit.options import check_outputs

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Corpus, Scores
    from ttskit.artifacts.reader import Reader

AUDIO = ("wav", "flac")
OF = {"corpus": AUDIO, "alignment": tuple(TIMES), "scores": ("versa",)}  # kind -> formats
FORMATS = (*(name for names in OF.values() for name in names), "onnx", "tensorboard")
Tier = Literal["phrases", "words", "phones"]


def check_free(paths: Iterable[Path]) -> None:
    """Refuse to replace a file in a folder: it may be what a corpus was made of, or corrected."""
    if there := next((path for path in paths if path.exists()), None):
        raise TtskitError("is there already: name another folder, or add --overwrite", file=there)


def recordings(reader: Reader[Corpus], folder: Path, suffix: str, overwrite: bool) -> None:
    """Write `wavs/ID.wav` for every utterance, then `metadata.csv`."""
    from ttskit import progress
    from ttskit.formats import audio

    columns = [reader.ids, reader.table("text")]
    if any(speakers := reader.table("speaker")):
        columns.append(speakers)
    cells = list(zip(*columns, strict=True))
    for id, *rest in cells:
        if any(mark in cell for cell in rest for mark in "|\n\r"):
            raise TtskitError(
                "its text or speaker has a | or a line break, which metadata.csv cannot hold",
                file=reader.name,
                utterance=id,
            )
    sounds = {id: folder / "wavs" / f"{id}{suffix}" for id in reader.ids}
    if not overwrite:
        check_free([folder / "metadata.csv", *sounds.values()])
    (folder / "wavs").mkdir(parents=True, exist_ok=True)
    rate = int(reader.attributes["sample_rate"])
    with progress.track("export", len(reader)) as advance:
        for id, record in reader.items():
            audio.write(sounds[id], record.audio, rate)
            advance()
    lines = ["|".join(row) for row in cells]
    atomic.write_text(folder / "metadata.csv", "\n".join([*lines, ""]))


def texts(reader: Reader[Alignment], format: LabelFormat, tier: str) -> Iterator[tuple[str, str]]:
    """Yield the id of each utterance and its times in the format."""
    for spoken in timelines(reader):
        with at(reader.name, spoken.id):
            text = format.text(spoken, tier)
        yield spoken.id, text


def times(reader: Reader[Alignment], output: Path, name: str, tier: str, overwrite: bool) -> None:
    """Write the times of an Alignment: to a folder, to a file, or to standard output (`-`)."""
    from ttskit import progress

    check(reader)
    format = TIMES[name]
    written = texts(reader, format, tier)
    if output.is_dir() or (name != "ctm" and not (str(output) == "-" or named(output))):
        if not overwrite:
            check_free(output / f"{id}{format.suffix}" for id in reader.ids)
        output.mkdir(parents=True, exist_ok=True)
        with progress.track("export", len(reader)) as advance:
            for id, text in written:
                atomic.write_text(output / f"{id}{format.suffix}", text)
                advance()
        return
    if name != "ctm" and len(reader) != 1:
        raise TtskitError(
            f"has {len(reader)} utterances, one {name} file holds one: name a "
            "folder with -o, or choose one with `ttskit select --id`",
            file=reader.name,
        )
    content = "".join(text for _, text in written)
    if str(output) == "-":
        typer.echo(content, nl=False)
    else:
        atomic.write_text(output, content)


def scores(reader: Reader[Scores], output: Path) -> None:
    """Write the lines of VERSA, to a file or to standard output (`-`)."""
    from ttskit.formats import versa

    content = "".join(f"{line}\n" for line in versa.lines(reader))
    if str(output) == "-":
        typer.echo(content, nl=False)
    else:
        atomic.write_text(output, content)


def chosen(format: str | None, kind: str, output: Path | None, name: str) -> str:
    """Return the format that is asked for or implied by the output; it must fit the kind."""
    fitting = OF[kind]
    wanted = format or (named(output) if output and not output.is_dir() else "")
    if wanted in fitting:
        return wanted
    choices = f"for {kind} there is {', '.join(fitting)}"
    if not wanted:
        raise TtskitError(f"say how with --format; {choices}", file=name)
    raise TtskitError(f"no export format {wanted!r}; {choices}", file=name)


def models(inputs: Sequence[Path], output: Path | None) -> None:
    """Write a voice, by its name or file, into a folder of ONNX models."""
    from ttskit.voices import embedded, folder, voice

    if len(inputs) != 1 or output is None or str(output) == "-":
        raise UsageError("--format onnx needs one voice and a folder: export VOICE -o FOLDER")
    folder.write(voice.read(embedded.find(str(inputs[0]))), output)


def training(inputs: Sequence[Path], output: Path | None, follow: bool) -> None:
    """Write the log of a training, by its model or run folder, as events for TensorBoard."""
    from ttskit import progress, wording
    from ttskit.training import events, monitor

    if len(inputs) != 1 or output is None or str(output) == "-":
        raise UsageError("--format tensorboard needs one run and a folder: export RUN -o FOLDER")
    last = events.write(monitor.folder_of(inputs[0]), output, follow)
    progress.note(f"{output}: {wording.count(last, 'update')}; tensorboard --logdir {output}")


def formats(incomplete: str) -> list[str]:
    """Return the formats that begin with some letters, for completion in a shell."""
    return [name for name in FORMATS if name.startswith(incomplete)]


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT",
        help="Corpus, Alignment, Scores, Voice by its file or name, or the run folder of a "
        "training; - reads standard input.",
        show_default="standard input",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Folder, for one file per utterance or model; or one file, for times and scores.",
        show_default="this folder for audio, else standard output",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help="Of a Corpus: wav or flac; of an Alignment: textgrid, ctm, json, srt, vtt or "
        "audacity; of Scores: versa (JSONL); of a Voice: onnx; of a training: tensorboard.",
        show_default="by the suffix of --output",
        autocompletion=formats,
    ),
]
TierOption = Annotated[
    Tier | None,
    typer.Option(
        metavar="TIER",
        help="What to list with its times in ctm, srt, vtt and audacity: phrases, words or phones.",
        show_default="words; phrases in srt and vtt",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace recordings or times that are in the folder already."),
]
Follow = Annotated[
    bool,
    typer.Option(
        "--follow",
        help="With tensorboard: go on while the training does, and write what it adds.",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    format: Format = None,
    tier: TierOption = None,
    overwrite: Overwrite = False,
    follow: Follow = False,
) -> None:
    """Write audio, texts, times, models or logs for other programs.

    Examples:
        ttskit select alignment.h5 --id LJ001-0001 | ttskit export -o subtitles.srt
        ttskit export kathleen --format onnx -o folder
    """
    if follow and format != "tensorboard":
        raise UsageError("--follow goes with --format tensorboard")
    if format == "onnx":
        models(inputs or (), output)
        return
    if format == "tensorboard":
        training(inputs or (), output, follow)
        return
    artifact(inputs or (), output, format, tier, overwrite)


def artifact(
    inputs: Sequence[Path],
    output: Path | None,
    format: str | None,
    tier: Tier | None,
    overwrite: bool,
) -> None:
    """Write a Corpus, an Alignment or Scores, from a file or standard input."""
    from ttskit.artifacts import kinds, streams

    readers = streams.inputs(inputs or None, optional=(kinds.Corpus, kinds.Alignment, kinds.Scores))
    present = [reader for reader in readers if reader is not None]
    if len(present) > 1:
        raise UsageError("export takes one artifact, not two")
    reader = present[0]
    format = chosen(format, reader.kind.kind(), output, reader.name)
    usual = TIMES[format].tier if format in TIMES else ""
    if tier is not None and (tier not in TIERS or not usual):
        which = f"there is {', '.join(TIERS)}" if usual else f"{format} takes none"
        raise TtskitError(f"--tier {tier!r}: {which}")
    if format in AUDIO and str(output) == "-":
        raise UsageError(f"{format} needs a folder, not standard output")
    if format in AUDIO:
        recordings(reader, output or Path(), f".{format}", overwrite)
        return
    check_outputs({"--output": output or Path("-")}, inputs)
    if format in TIMES:
        times(reader, output or Path("-"), format, tier or "", overwrite)
    else:
        scores(reader, output or Path("-"))
