"""One utterance, gathered from the artifacts that have it, and its picture as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.artifacts import atomic
from ttskit.errors import TtskitError
from ttskit.formats.timeline import Timeline, check, step
from ttskit.pages.figure import Utterance

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from ttskit.artifacts.kinds import Alignment, Controls, Corpus, Features, Mels
    from ttskit.artifacts.reader import Reader


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
        raise TtskitError(
            f"is mels, {given[0].name} has the same: draw one of them", file=mels.name
        )
    timed: Reader[Any] | None = mels if mels is not None and mels.has_axis("token") else alignment
    first: Reader[Any] = given[0]
    if not len(first):
        raise TtskitError("has no utterance to draw", file=first.name)
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
            raise TtskitError(
                f"has {count} frames, needs {frames or 'some'}", file=timed.name, utterance=id
            )
    rate = int(first.attributes["sample_rate"])
    return Utterance(first.record(first.row(id)), frames, rate, step(first), heard, spoken, audio)


def played(controls: Reader[Controls], corpus: Reader[Corpus] | None, id: str | None) -> Utterance:
    """Return an utterance as a synthesiser plays it."""
    if not len(controls):
        raise TtskitError("has no utterance to draw", file=controls.name)
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

    from ttskit.artifacts.kinds import Alignment

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
                f"has {name} {found}, {first.name} has {needed}: "
                "they are not of the same recordings",
                file=other.name,
            )


def attended(shown: Utterance, path: Path, symbols: Sequence[str]) -> np.ndarray:
    """Return how likely a trained aligner finds each token at each frame, (frame, token)."""
    from ttskit.voices.aligner import Neural, read_aligner

    if shown.features is None or shown.spoken is None:
        raise TtskitError(
            "to draw what it makes of an utterance, add features and tokens", file=path
        )
    model = read_aligner(path)
    if tuple(symbols) != model.facts.symbols or shown.features.mel.shape[1] != model.facts.n_mels:
        raise TtskitError("was trained for other symbols or another mel", file=path)
    return Neural(model).scores(shown.features.mel, shown.spoken.record).softmax(1).numpy()


def save(figure: Figure, path: Path) -> None:
    """Write a picture."""
    import warnings

    from ttskit import progress

    if path.suffix.lower() not in WRITABLE:
        raise TtskitError(
            f"cannot be drawn: its name needs one of {', '.join(WRITABLE)}", file=path
        )
    format = path.suffix.lower().removeprefix(".")
    with warnings.catch_warnings(record=True) as caught, atomic.replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=110, format=format)
    if any("missing from font" in str(warning.message) for warning in caught):
        progress.note(f"{path}: the font lacks characters of the text: they are boxes")
