"""Plot: one utterance as a picture: waveform, words, mel with f0 on it, phonemes, levels, scores.

Reads Features or an Alignment or both, or Mels, and their Corpus where it is given; writes a PNG.
The picture is a column of panels that share the time axis: each input adds its own.  With an
aligner there is also what it makes of the utterance; of the folder of a training, its losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ttskit.errors import TtskitError
from ttskit.intervals import Interval, Timeline, check, step
from ttskit.options import Inputs

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ttskit.artifact import Reader
    from ttskit.kinds import Alignment, Corpus, Features, Mels
    from ttskit.record import Record

INK, FAINT, WARM, COOL = "#222222", "#868e96", "#e8590c", "#1c7ed6"
SHADE = ("#f1f3f5", "#d0ebff")  # words in turns
MARGINS = 1.7  # inches beside the panels
SMALL = 8  # points: size of a label


class Panel(NamedTuple):
    """One row of the picture: its height in inches, and what draws it."""

    height: float
    draw: Callable[[Axes], None]


class Utterance(NamedTuple):
    """All that is known of one utterance; what is not given is None."""

    said: Record  # any of them: id, speaker, text
    frames: int
    sample_rate: int
    step: float  # seconds a frame
    features: Features | Mels | None
    spoken: Timeline | None
    corpus: Corpus | None
    attention: np.ndarray | None = None  # (frame, token), probabilities

    @property
    def seconds(self) -> float:
        return self.frames * self.step


def draw(shown: Utterance) -> Figure:
    """Return the picture of an utterance; its times are those of the frame centres."""
    from matplotlib.figure import Figure

    width = min(24.0, max(11.0, MARGINS + 1.7 * shown.seconds)) if shown.spoken else 11.0
    panels = list(_panels(shown, width - MARGINS))
    heights = [panel.height for panel in panels]
    figure = Figure(figsize=(width, 0.9 + sum(heights)), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.03, hspace=0.0)  # type: ignore[union-attr, call-arg]
    rows = figure.subplots(len(panels), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, panel in zip(rows, panels, strict=True):
        panel.draw(axes)
        axes.tick_params(bottom=axes is rows[-1])
    rows[-1].set_xlabel("seconds")
    rows[-1].set_xlim(0, shown.seconds)
    speaker = f" ({shown.said.speaker})" if shown.said.speaker else ""
    title = _plain(f"{shown.said.id}{speaker}: {shown.said.text}")
    figure.suptitle(title, fontsize=10, wrap=True)
    return figure


def _panels(shown: Utterance, width: float) -> Iterator[Panel]:
    """Yield the panels from top to bottom; they are `width` inches wide."""
    import numpy as np

    features, spoken = shown.features, shown.spoken
    if shown.corpus:
        yield Panel(1.9, partial(_wave, corpus=shown.corpus, sample_rate=shown.sample_rate))
    if spoken:
        yield Panel(0.45, partial(_words, spoken=spoken, width=width))
    if features:
        times = (np.arange(len(features.mel)) + 0.5) * shown.step
        yield Panel(4.2, partial(_mel, features=features, times=times, spoken=spoken))
    if spoken:
        yield Panel(0.75, partial(_phones, spoken=spoken, width=width))
    if features and features.loudness is not None:
        yield Panel(2.0, partial(_levels, features=features, times=times))
    if spoken and np.isfinite(spoken.record.token_score).any():
        yield Panel(1.2, partial(_scores, spoken=spoken))
    if spoken and shown.attention is not None:
        yield Panel(3.6, partial(_attention, attention=shown.attention, spoken=spoken))


def _wave(axes: Axes, corpus: Corpus, sample_rate: int) -> None:
    import numpy as np

    audio = corpus.audio / 32768
    axes.plot(np.arange(len(audio)) / sample_rate, audio, color=INK, linewidth=0.4)
    top = max(0.05, float(np.abs(audio).max(initial=0)) * 1.05)
    axes.set(ylabel="amplitude", ylim=(-top, top))


def _words(axes: Axes, spoken: Timeline, width: float) -> None:
    _shade(axes, spoken)
    _label(axes, spoken.words, width / spoken.seconds, lines=2)


def _phones(axes: Axes, spoken: Timeline, width: float) -> None:
    """Label what is said in dark, and in what room is left the pauses in grey."""
    _shade(axes, spoken)
    inner = {edge for phone in spoken.phones for edge in phone[:2]} - {0.0, spoken.seconds}
    axes.vlines(sorted(inner), 0.88, 1.0, color=FAINT, linewidth=0.6)
    owners = spoken.record.token_word
    said = [phone for phone in spoken.phones if owners[phone.number] >= 0]
    silent = [phone for phone in spoken.phones if owners[phone.number] < 0]
    _label(axes, said, width / spoken.seconds, lines=3, others=silent)


def _shade(axes: Axes, spoken: Timeline) -> None:
    for word in spoken.words:
        axes.axvspan(word.start, word.stop, color=SHADE[word.number % 2], linewidth=0)
    axes.set(ylim=(0, 1), yticks=[])
    axes.spines[:].set_visible(False)


def _label(
    axes: Axes,
    intervals: Sequence[Interval],
    scale: float,
    lines: int,
    others: Sequence[Interval] = (),
) -> None:
    """Write labels on as few lines as hold them, and leave out what the last one has no room for.

    Parameters
    ----------
    scale : inches a second
    others : written last and in grey, where there is room
    """
    for count in range(1, lines + 1):
        found = placed([*intervals, *others], scale, count)
        if found.keys() >= set(intervals):
            break
    for interval, line in found.items():
        axes.text(
            (interval.start + interval.stop) / 2,
            0.86 - (line + 0.5) * 0.86 / count,
            _plain(interval.label),
            ha="center",
            va="center",
            size=SMALL,
            color=FAINT if interval in others else INK,
        )


def placed(intervals: Sequence[Interval], scale: float, lines: int) -> dict[Interval, int]:
    """Return the first line that has room for each label, if there is one."""
    from matplotlib.textpath import TextPath

    taken: list[list[tuple[float, float]]] = [[] for _ in range(lines)]
    found = {}
    for interval in intervals:
        width = TextPath((0, 0), _plain(interval.label), size=SMALL).get_extents().width / 72 + 0.04
        start = (interval.start + interval.stop - width / scale) / 2
        stop = start + width / scale
        for line, spans in enumerate(taken):
            if all(stop < begun or ended < start for begun, ended in spans):
                spans.append((start, stop))
                found[interval] = line
                break
    return found


def _scores(axes: Axes, spoken: Timeline) -> None:
    """Draw the score of each token that has frames; what is unknown is a gap."""
    import numpy as np

    lasting = spoken.record.durations > 0
    scores = np.where(lasting, spoken.record.token_score, np.nan)
    axes.stairs(scores, spoken.edges, baseline=None, color=WARM, linewidth=1.2)
    axes.axhline(float(spoken.record.score), color=FAINT, linewidth=0.8, linestyle="--")
    axes.set(ylabel="score")


def _attention(axes: Axes, attention: np.ndarray, spoken: Timeline) -> None:
    """Draw how likely each token is at each frame, and the walk that was chosen."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    count = attention.shape[1]
    edges = (0, spoken.seconds, -0.5, count - 0.5)
    axes.imshow(np.sqrt(attention.T), origin="lower", aspect="auto", extent=edges, cmap="magma")
    walk = np.repeat(np.arange(count), spoken.record.durations)
    times = np.linspace(0, spoken.seconds, len(walk) + 1)
    axes.stairs(walk, times, baseline=None, color=COOL, linewidth=0.9)
    axes.set(ylabel="token")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _mel(axes: Axes, features: Features | Mels, times: Any, spoken: Timeline | None) -> None:
    bands = features.mel.shape[1]
    edges = (0, times[-1] + times[0], -0.5, bands - 0.5)
    axes.imshow(features.mel.T, origin="lower", aspect="auto", extent=edges, cmap="magma")
    axes.set(ylabel="mel band")
    for interval in spoken.phones if spoken else ():
        axes.axvline(interval.stop, color="white", linewidth=0.5, alpha=0.45)
    for interval in spoken.words if spoken else ():
        for edge in interval[:2]:
            axes.axvline(edge, color="white", linewidth=1.0, alpha=0.8)
    if features.f0 is not None and features.voiced is not None:
        _pitch(axes, features.f0, features.voiced, times)


def _pitch(axes: Axes, f0: np.ndarray, voiced: np.ndarray, times: Any) -> None:
    import numpy as np

    pitch = axes.twinx()
    f0 = np.where(voiced, f0, np.nan)
    pitch.plot(times, f0, color="white", linewidth=2.6)
    pitch.plot(times, f0, color=COOL, linewidth=1.4)
    heard = f0[np.isfinite(f0)]
    low, high = (heard.min(), heard.max()) if len(heard) else (50.0, 500.0)
    pitch.set(ylabel="f0, Hz", yscale="log", ylim=(low / 1.5, high * 1.5))
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    ticks = [hz for hz in (50, 75, 100, 150, 200, 300, 400, 600) if low / 1.5 < hz < high * 1.5]
    pitch.set_yticks(ticks)
    pitch.yaxis.set_major_formatter(ScalarFormatter())
    pitch.yaxis.set_minor_formatter(NullFormatter())


def _levels(axes: Axes, features: Features | Mels, times: Any) -> None:
    from ttskit.kinds import Features

    assert features.loudness is not None
    axes.plot(times, features.loudness, color=INK, linewidth=1)
    axes.set(ylabel="loudness, dB")
    low, high = axes.get_ylim()
    axes.fill_between(
        times, low, high, where=features.voiced, color=COOL, alpha=0.12, step="mid", linewidth=0
    )
    axes.set_ylim(low, high)
    if not isinstance(features, Features):
        return
    sure = axes.twinx()
    sure.plot(times, features.periodicity, color=WARM, linewidth=0.9)
    sure.set_ylim(0, 1.02)
    sure.set_ylabel("periodicity (shaded: voiced)", color=WARM)


def _plain(text: str) -> str:
    """Keep matplotlib from taking a dollar sign for mathematics."""
    return text.replace("$", r"\$")


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
        raise TtskitError("no features, alignment or mels artifact among the inputs")
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

        _save(curves.draw(inputs[0]), output or inputs[0] / "loss.png")
        return
    from ttskit import kinds, streams

    wanted = (kinds.Features, kinds.Alignment, kinds.Corpus, kinds.Mels)
    features, alignment, corpus, mels = streams.inputs(inputs, optional=wanted)
    shown = chosen(features, alignment, corpus, id, mels)
    if aligner:
        symbols = shown.spoken.symbols if shown.spoken else ()
        shown = shown._replace(attention=attended(shown, aligner, symbols))
    _save(draw(shown), output or Path(f"{shown.said.id}.png"))


def _save(figure: Figure, path: Path) -> None:
    import warnings

    from ttskit import progress

    with warnings.catch_warnings(record=True) as caught:
        try:
            figure.savefig(path, dpi=110)
        except ValueError as error:
            raise TtskitError(f"{path}: cannot be drawn: {error}") from error
    if any("missing from font" in str(warning.message) for warning in caught):
        progress.note(f"{path}: the font lacks characters of the text: they are boxes")
