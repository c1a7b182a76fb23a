"""Plot: one utterance as a figure: waveform, words, mel with f0 on it, phonemes, levels, scores.

Reads Features or an Alignment or both, or Mels, Codes or Controls, and optionally their Corpus;
writes PNG, PDF or SVG.  Each input adds its panels; an aligner adds its attention.  The folder of a
training is plotted as its losses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ttskit.errors import TtskitError
from ttskit.pages.figure import draw
from ttskit.pages.utterance import attention, from_artifacts, from_codes, from_controls, save

Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Features, Alignment, Mels, Codes or Controls, perhaps with their Corpus, in any "
        "order; or the run folder of a training.",
        show_default="standard input",
    ),
]
Id = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Utterance to draw.", show_default="the first one"),
]
Aligner = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Trained aligner whose attention to draw, too."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Picture to write: .png, .pdf or .svg.",
        show_default="ID.png, or loss.png in the run folder",
    ),
]


def command(
    inputs: Inputs = None,
    id: Id = None,
    aligner: Aligner = None,
    output: Output = None,
) -> None:
    """Draw one utterance, or the losses of a training.

    Examples:
        ttskit plot features.h5 alignment.h5 corpus.h5 --id LJ001-0001 -o picture.pdf
        ttskit plot decoder.h5.run
    """
    if inputs and inputs[0].is_dir():
        from ttskit.training import curves

        save(curves.draw(inputs[0]), output or inputs[0] / "loss.png")
        return
    from ttskit.artifacts import kinds, streams

    wanted = (kinds.Features, kinds.Alignment, kinds.Corpus, kinds.Mels)
    single = (kinds.Codes, kinds.Controls)  # drawn alone, or with a corpus
    features, alignment, corpus, mels, *alone = streams.inputs(inputs, optional=(*wanted, *single))
    given = [reader for reader in alone if reader is not None]
    if not given:
        plot = from_artifacts(features, alignment, corpus, id, mels)
    elif len(given) == 1 and features is alignment is mels is None:
        plot = (from_codes if given[0].kind is kinds.Codes else from_controls)(given[0], corpus, id)
    else:
        kind = given[0].kind.kind()
        raise TtskitError(f"is {kind}: draw it alone, or with its corpus", file=given[0].name)
    if aligner:
        symbols = plot.timeline.symbols if plot.timeline else ()
        plot = plot._replace(attention=attention(plot, aligner, symbols))
    save(draw(plot), output or Path(f"{plot.record.id}.png"))
