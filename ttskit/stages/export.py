"""Export: what other programs read, made of an artifact.

`wav`: one audio file per utterance of a Corpus, named by its id, and the texts beside them in the
layout of LJSpeech, so that `ttskit corpus` reads them back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit.errors import TtskitError
from ttskit.options import Inputs

if TYPE_CHECKING:
    from ttskit.artifact import Reader
    from ttskit.kinds import Corpus


def wav(reader: Reader[Corpus], folder: Path, suffix: str = ".wav") -> None:
    """Write `wavs/ID.wav` for every utterance, then `metadata.csv`."""
    from ttskit import audio, progress

    rows = zip(reader.ids, reader.table("text"), reader.table("speaker"), strict=True)
    cells = [list(row) if any(reader.table("speaker")) else list(row[:2]) for row in rows]
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
    (folder / "metadata.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")


FORMATS: MappingProxyType[str, Callable[[Reader[Corpus], Path], None]] = MappingProxyType(
    {"wav": wav, "flac": partial(wav, suffix=".flac")}
)


def command(
    format: Annotated[str, typer.Argument(help=f"One of: {', '.join(FORMATS)}.")],
    inputs: Inputs = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder.")] = Path(),
) -> None:
    """Make files for other programs of an artifact."""
    from ttskit import kinds, streams

    if format not in FORMATS:
        raise TtskitError(f"no export format {format!r}; there is {', '.join(FORMATS)}")
    (reader,) = streams.inputs(inputs, kinds.Corpus)
    FORMATS[format](reader, output)
