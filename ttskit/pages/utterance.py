"""The plot of one utterance, gathered from the artifacts that have it, and saved to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.artifacts import atomic
from ttskit.errors import TtskitError, UsageError, at
from ttskit.formats.timeline import Timeline, check, step
from ttskit.pages.figure import UtterancePlot

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from ttskit.artifacts.kinds import (
        Alignment,
        Codes,
        Controls,
        Corpus,
        Features,
        Mels,
        Spoken,
    )
    from ttskit.artifacts.reader import Reader


WRITABLE = (".png", ".pdf", ".svg")


def from_artifacts(
    features: Reader[Features] | None,
    alignment: Reader[Alignment] | None,
    corpus: Reader[Corpus] | None,
    id: str | None,
    mels: Reader[Mels] | None = None,
) -> UtterancePlot:
    """Return the plot of an utterance; the inputs must be of the same recordings."""
    first = _source(features, alignment, mels)
    timed: Reader[Any] | None = mels if mels is not None and mels.has_axis("token") else alignment
    for other in (timed, corpus):
        if other is not None:
            _agree(first, other)
    record = first.record(first.row(id or first.ids[0]))
    acoustic = None if first is alignment else record
    audio = None if corpus is None else corpus.record(corpus.row(record.id))
    frames, timeline = len(acoustic.mel) if acoustic else 0, None
    if timed is not None:
        timeline = _timeline(timed, record.id, frames)
        frames = int(timeline.record.durations.sum())
    rate = int(first.attributes["sample_rate"])
    return UtterancePlot(record, frames, rate, step(first), acoustic, timeline, audio)


def _source(
    features: Reader[Features] | None,
    alignment: Reader[Alignment] | None,
    mels: Reader[Mels] | None,
) -> Reader[Any]:
    """Return the input that determines the frames: the first one; Mels must be alone."""
    sources: list[Reader[Any]] = [one for one in (features, alignment, mels) if one is not None]
    if not sources:
        raise TtskitError(
            "no features, alignment, mels, codes or controls artifact among the inputs"
        )
    first = sources[0]
    if mels is not None and first is not mels:
        raise TtskitError(f"is mels, {first.name} has the same: draw one of them", file=mels.name)
    if not len(first):
        raise TtskitError("has no utterance to draw", file=first.name)
    return first


def _timeline(reader: Reader[Any], id: str, frames: int) -> Timeline:
    """Return the timeline of an utterance of an Alignment, Mels or Codes; 0 frames: any count."""
    from ttskit.artifacts.kinds import Spoken

    check(reader)
    record = reader.record(reader.row(id))
    record = as_alignment(record) if isinstance(record, Spoken) else record
    count = int(record.durations.sum())
    if count != (frames or count) or not count:
        needs = f"has {count} frames, needs {frames or 'some'}"
        raise TtskitError(needs, file=reader.name, utterance=id)
    return Timeline(record, reader.table("symbols"), step(reader))


def from_controls(
    controls: Reader[Controls], corpus: Reader[Corpus] | None, id: str | None
) -> UtterancePlot:
    """Return the plot of an utterance's controls."""
    if not len(controls):
        raise TtskitError("has no utterance to draw", file=controls.name)
    if corpus is not None:
        _agree(controls, corpus)
    record = controls.record(controls.row(id or controls.ids[0]))
    audio = None if corpus is None else corpus.record(corpus.row(record.id))
    rate, frames = int(controls.attributes["sample_rate"]), len(record.f0)
    return UtterancePlot(record, frames, rate, step(controls), None, None, audio, controls=record)


def from_codes(
    codes: Reader[Codes], corpus: Reader[Corpus] | None, id: str | None
) -> UtterancePlot:
    """Return the plot of an utterance's codes."""
    if not len(codes):
        raise TtskitError("has no utterance to draw", file=codes.name)
    if corpus is not None:
        _agree(codes, corpus)
    record = codes.record(codes.row(id or codes.ids[0]))
    frames, rate = int(record.frames), int(codes.attributes["sample_rate"])
    timeline = _timeline(codes, record.id, frames) if codes.has_axis("token") else None
    audio = None if corpus is None else corpus.record(corpus.row(record.id))
    plot = UtterancePlot(record, frames, rate, step(codes), None, timeline, audio, codes=record)
    stride, size = (int(codes.attributes[name]) for name in ("stride", "size"))
    return plot._replace(stride=stride, size=size)


def as_alignment(record: Spoken) -> Alignment:
    """Return the tokens of mels or codes as an Alignment has them; their scores are unknown."""
    from dataclasses import fields

    import numpy as np

    from ttskit.artifacts.kinds import Alignment

    names = [spec.name for spec in fields(Alignment)]
    values: dict[str, Any] = {name: getattr(record, name, None) for name in names}
    unknown = np.full(len(values["durations"]), np.nan)
    return Alignment(**{**values, "token_score": unknown, "score": np.array(np.nan)})


def _agree(first: Reader[Any], other: Reader[Any]) -> None:
    """Refuse an input whose attributes differ from those of the first one."""
    for name, needed in first.attributes.items():
        actual = other.attributes.get(name, needed)
        if actual != needed:
            raise TtskitError(
                f"has {name} {actual}, {first.name} has {needed}: "
                "they are not of the same recordings",
                file=other.name,
            )


def attention(plot: UtterancePlot, path: Path, symbols: Sequence[str]) -> np.ndarray:
    """Return the probability of each token at each frame by a trained aligner, (frame, token)."""
    from ttskit.voices.aligner import Neural, read_aligner

    with at(path):
        if plot.features is None or plot.timeline is None:
            raise TtskitError("to draw what it makes of an utterance, add features and tokens")
        model, mel = read_aligner(path), plot.features.mel
        if tuple(symbols) != model.facts.symbols or mel.shape[1] != model.facts.n_mels:
            raise TtskitError("was trained for other symbols or another mel")
    return Neural(model).scores(mel, plot.timeline.record).softmax(1).numpy()


def save(figure: Figure, path: Path) -> None:
    """Save a plot as PNG, PDF or SVG, by the suffix."""
    import warnings

    from ttskit import progress

    if path.suffix.lower() not in WRITABLE:
        raise UsageError(f"cannot be drawn: its name needs one of {', '.join(WRITABLE)}", file=path)
    format = path.suffix.lower().removeprefix(".")
    with warnings.catch_warnings(record=True) as caught, atomic.replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=110, format=format)
    if any("missing from font" in str(warning.message) for warning in caught):
        progress.note(f"{path}: the font lacks characters of the text: they are boxes")
