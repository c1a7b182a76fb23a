"""Plot: one utterance as a picture: waveform, words, mel with f0 on it, phonemes, levels, scores.

Reads Features or an Alignment or both, or Mels, or Controls, and their Corpus where it is given;
writes a PNG.  Each input adds its panels.  With an aligner there is also what it makes of the
utterance; of the folder of a training, its losses.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import whole
from ttskit.errors import TtskitError
from ttskit.intervals import Timeline, check, step
from ttskit.options import Inputs
from ttskit.panels import Utterance, draw

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from ttskit.artifact import Reader
    from ttskit.kinds import Alignment, Controls, Corpus, Features, Mels

WRITABLE = (".png", ".pdf", ".svg")


def chosen(
    features: Reader[Features] | None,
    alignment: Reader[Alignment] | None,
    corpus: Reader[Corpus] | None,
    id: str | None,
    mels: Reader[Mels] | None = None,
) -> Utterance:
    """Return an utterance as the inputs have it; they must be of the same recordings."""
    given = [reader for reader in (features, alignment, mels) if reader is not None]
    if not given:
        raise TtskitError("no features, alignment, mels or controls artifact among the inputs")
    if mels is not None and len(given) > 1:
        raise TtskitError(f"{mels.name}: is mels, {given[0].name} has the same: draw one of them")
    timed: Reader[Any] | None = mels if mels is not None and mels.has_axis("token") else alignment
    first: Reader[Any] = given[0]
    if not len(first):
        raise TtskitError(f"{first.name}: has no utterance to draw")
    for other in (timed, corpus):
        if other is not None:
            _agree(first, other)
    id = id or first.ids[0]
    heard = None if first is alignment else first.record(first.row(id))
    audio = None if corpus is None else corpus.record(corpus.row(id))
    spoken, frames = None, len(heard.mel) if heard else 0
    if timed is not None:
        check(timed)
        said = timed.record(timed.row(id))
        said = said if timed is alignment else unscored(said)
        spoken = Timeline(said, timed.table("symbols"), step(timed))
        count = int(said.durations.sum())
        if count != (frames := frames or count) or not count:
            raise TtskitError(f"{timed.name}: {id}: has {count} frames, needs {frames or 'some'}")
    rate = int(first.attributes["sample_rate"])
    return Utterance(first.record(first.row(id)), frames, rate, step(first), heard, spoken, audio)


def played(controls: Reader[Controls], corpus: Reader[Corpus] | None, id: str | None) -> Utterance:
    """Return an utterance as a synthesiser plays it."""
    if not len(controls):
        raise TtskitError(f"{controls.name}: has no utterance to draw")
    if corpus is not None:
        _agree(controls, corpus)
    id = id or controls.ids[0]
    told = controls.record(controls.row(id))
    audio = None if corpus is None else corpus.record(corpus.row(id))
    rate, frames = int(controls.attributes["sample_rate"]), len(told.f0)
    return Utterance(told, frames, rate, step(controls), None, None, audio, controls=told)


def unscored(record: Mels) -> Alignment:
    """Return the tokens of a mel as an alignment has them; what they would score is unknown."""
    from dataclasses import fields

    import numpy as np

    from ttskit.kinds import Alignment

    names = [spec.name for spec in fields(Alignment)]
    told: dict[str, Any] = {name: getattr(record, name, None) for name in names}
    unknown = np.full(len(told["durations"]), np.nan)
    return Alignment(**{**told, "token_score": unknown, "score": np.array(np.nan)})


def _agree(first: Reader[Any], other: Reader[Any]) -> None:
    """Refuse an input whose attributes are not those of the first one."""
    for name, needed in first.attributes.items():
        found = other.attributes.get(name, needed)
        if found != needed:
            raise TtskitError(
                f"{other.name}: has {name} {found}, {first.name} has {needed}: "
                "they are not of the same recordings"
            )


def attended(shown: Utterance, path: Path, symbols: Sequence[str]) -> np.ndarray:
    """Return how likely a trained aligner finds each token at each frame, (frame, token)."""
    from ttskit.stages.align import Neural, able

    if shown.features is None or shown.spoken is None:
        raise TtskitError(f"{path}: to draw what it makes of an utterance, add features and tokens")
    model = able(path)
    if tuple(symbols) != model.facts.symbols or shown.features.mel.shape[1] != model.facts.n_mels:
        raise TtskitError(f"{path}: was trained for other symbols or another mel")
    return Neural(model).scores(shown.features.mel, shown.spoken.record).softmax(1).numpy()


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
    from ttskit import kinds, streams

    wanted = (kinds.Features, kinds.Alignment, kinds.Corpus, kinds.Mels, kinds.Controls)
    features, alignment, corpus, mels, controls = streams.inputs(inputs, optional=wanted)
    if controls is None:
        shown = chosen(features, alignment, corpus, id, mels)
    elif features is alignment is mels is None:
        shown = played(controls, corpus, id)
    else:
        raise TtskitError(f"{controls.name}: is controls: draw it alone, or with its corpus")
    if aligner:
        symbols = shown.spoken.symbols if shown.spoken else ()
        shown = shown._replace(attention=attended(shown, aligner, symbols))
    save(draw(shown), output or Path(f"{shown.said.id}.png"))


def save(figure: Figure, path: Path) -> None:
    """Write a picture."""
    import warnings

    from ttskit import progress

    if path.suffix.lower() not in WRITABLE:
        raise TtskitError(f"{path}: cannot be drawn: its name needs one of {', '.join(WRITABLE)}")
    format = path.suffix.lower().removeprefix(".")
    with warnings.catch_warnings(record=True) as caught, whole.replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=110, format=format)
    if any("missing from font" in str(warning.message) for warning in caught):
        progress.note(f"{path}: the font lacks characters of the text: they are boxes")
