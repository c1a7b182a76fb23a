"""Plot: one utterance as a picture: waveform, words, mel with f0 on it, phonemes, levels, scores.

Reads Features or an Alignment or both, or Mels, or Controls, and their Corpus where it is given;
writes a PNG.  Each input adds its panels.  With an aligner there is also what it makes of the
utterance; of the folder of a training, its losses.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit.errors import TtskitError
from ttskit.options import Inputs
from ttskit.pages.figure import draw
from ttskit.pages.utterance import attended, chosen, played, save

if TYPE_CHECKING:
    pass


def command(
    inputs: Inputs = None,
    id: Annotated[str | None, typer.Option(help="Which; the first one otherwise.")] = None,
    aligner: Annotated[Path | None, typer.Option(help="A model: draw what it attends to.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="PNG, PDF or SVG.  [default: ID.png]")
    ] = None,
) -> None:
    """Draw one utterance, or the losses of a training."""
    if inputs and inputs[0].is_dir():
        from ttskit.training import curves

        save(curves.draw(inputs[0]), output or inputs[0] / "loss.png")
        return
    from ttskit.artifacts import kinds, streams

    wanted = (kinds.Features, kinds.Alignment, kinds.Corpus, kinds.Mels, kinds.Controls)
    features, alignment, corpus, mels, controls = streams.inputs(inputs, optional=wanted)
    if controls is None:
        shown = chosen(features, alignment, corpus, id, mels)
    elif features is alignment is mels is None:
        shown = played(controls, corpus, id)
    else:
        raise TtskitError("is controls: draw it alone, or with its corpus", file=controls.name)
    if aligner:
        symbols = shown.spoken.symbols if shown.spoken else ()
        shown = shown._replace(attention=attended(shown, aligner, symbols))
    save(draw(shown), output or Path(f"{shown.said.id}.png"))
