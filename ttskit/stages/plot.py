"""Plot: one utterance as a figure: waveform, words, mel with f0 on it, phonemes, levels, scores.

Reads Features or an Alignment or both, or Mels, Codes or Controls, and optionally their Corpus;
writes PNG, PDF or SVG.  Each input adds its panels; an aligner adds its attention.  The folder of a
training is plotted as its losses.  With the models that made Mels, the mel after each of their
choices is drawn, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit.errors import TtskitError, UsageError, at
from ttskit.pages.figure import draw
from ttskit.pages.utterance import attention, from_artifacts, from_codes, from_controls, save

if TYPE_CHECKING:
    from ttskit.artifacts.kinds import Alignment, Corpus, Features, Mels
    from ttskit.artifacts.reader import Reader

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
Decoder = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The ddn decoder that made the Mels, to draw the mel after each of its choices.",
    ),
]
Duration = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The duration model that was used with it; of recordings, add Features and Alignment.",
    ),
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


def save_levels(
    paths: Sequence[Path],
    mels: Reader[Mels] | None,
    recorded: tuple[Reader[Features] | None, Reader[Alignment] | None],
    corpus: Reader[Corpus] | None,
    id: str | None,
    output: Path | None,
) -> None:
    """Draw an utterance of Mels with the mel after each of its choices, made again by models.

    Pitch and loudness of the tokens are those of a recording, where there is one.
    """
    from ttskit.speaking.levels import levels
    from ttskit.training.examples import measured
    from ttskit.voices.model import read_model

    if mels is None:
        raise UsageError("--decoder draws the choices of Mels: add those that it made")
    plot = from_artifacts(None, None, corpus, id, mels)
    record, readers = mels[plot.record.id], [reader for reader in recorded if reader is not None]
    with at(mels.name, record.id):
        known = measured(readers, record.id) if readers else {}
        plot = plot._replace(levels=levels([*map(read_model, paths)], record, known))
    save(draw(plot), output or Path(f"{record.id}.png"))


def command(
    inputs: Inputs = None,
    id: Id = None,
    aligner: Aligner = None,
    decoder: Decoder = None,
    duration: Duration = None,
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
    if decoder is not None:
        models = [path for path in (duration, decoder) if path is not None]
        save_levels(models, mels, (features, alignment), corpus, id, output)
        return
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
