"""Figures: the plot of an utterance, a column of panels that share the time axis.

Each part of the utterance that is known adds a panel: waveform, words, mel with f0 on it,
phonemes, levels, scores, attention, the controls of a synthesiser, or the codes of a codec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ttskit.formats.timeline import Interval, Timeline

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ttskit.artifacts.kinds import Codes, Controls, Corpus, Features, Mels
    from ttskit.artifacts.record import Record

INK, FAINT, WARM, COOL = "#222222", "#868e96", "#e8590c", "#1c7ed6"
SHADE = ("#f1f3f5", "#d0ebff")  # words in turns
FLOOR = -80.0  # dB: what is fainter is not drawn
MARGINS = 1.7  # inches beside the panels
SMALL = 8  # points: size of a label


class Panel(NamedTuple):
    """One row of the plot: its height in inches, and the function that draws it."""

    height: float
    draw: Callable[[Axes], None]


class UtterancePlot(NamedTuple):
    """The data of a plot; what is unknown is None."""

    record: Record  # of any kind: id, speaker, text
    frames: int
    sample_rate: int
    step: float  # seconds a frame
    features: Features | Mels | None
    timeline: Timeline | None
    corpus: Corpus | None
    attention: np.ndarray | None = None  # (frame, token), probabilities
    controls: Controls | None = None
    codes: Codes | None = None
    stride: int = 1  # frames a code
    size: int = 0  # codes of a book
    levels: Sequence[tuple[int, np.ndarray]] = ()  # mel after each choice: frames a row, rows

    @property
    def seconds(self) -> float:
        return self.frames * self.step


def draw(plot: UtterancePlot) -> Figure:
    """Return the plot of an utterance; values of frames are drawn at their centres."""
    from matplotlib.figure import Figure

    width = min(24.0, max(11.0, MARGINS + 1.7 * plot.seconds)) if plot.timeline else 11.0
    panels = list(_panels(plot, width - MARGINS))
    heights = [panel.height for panel in panels]
    figure = Figure(figsize=(width, 0.9 + sum(heights)), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.03, hspace=0.0)  # type: ignore[union-attr, call-arg]
    rows = figure.subplots(len(panels), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, panel in zip(rows, panels, strict=True):
        panel.draw(axes)
        axes.tick_params(bottom=axes is rows[-1])
    rows[-1].set_xlabel("seconds")
    rows[-1].set_xlim(0, plot.seconds)
    speaker = f" ({plot.record.speaker})" if plot.record.speaker else ""
    title = _plain(f"{plot.record.id}{speaker}: {plot.record.text}")
    figure.suptitle(title, fontsize=10, wrap=True)
    return figure


def _panels(plot: UtterancePlot, width: float) -> Iterator[Panel]:
    """Yield the panels from top to bottom; they are `width` inches wide."""
    import numpy as np

    features, timeline = plot.features, plot.timeline
    if plot.corpus:
        yield Panel(1.9, partial(_wave, corpus=plot.corpus, sample_rate=plot.sample_rate))
    if timeline:
        yield Panel(0.45, partial(_words, timeline=timeline, width=width))
    for number, level in enumerate(plot.levels[:-1], 1):
        yield Panel(1.1, partial(_level, number=number, level=level, plot=plot))
    if features:
        times = (np.arange(len(features.mel)) + 0.5) * plot.step
        yield Panel(4.2, partial(_mel, features=features, times=times, timeline=timeline))
    if plot.codes:
        yield Panel(0.6 + 0.3 * plot.codes.codes.shape[1], partial(_codes, plot=plot))
    if timeline:
        yield Panel(0.75, partial(_phones, timeline=timeline, width=width))
    if features and features.loudness is not None:
        yield Panel(2.0, partial(_levels, features=features, times=times))
    if plot.controls:
        yield from _controls(plot.controls, plot)
    if timeline and np.isfinite(timeline.record.token_score).any():
        yield Panel(1.2, partial(_scores, timeline=timeline))
    if timeline and plot.attention is not None:
        yield Panel(3.6, partial(_attention, attention=plot.attention, timeline=timeline))


def _wave(axes: Axes, corpus: Corpus, sample_rate: int) -> None:
    import numpy as np

    audio = corpus.audio / 32768
    axes.plot(np.arange(len(audio)) / sample_rate, audio, color=INK, linewidth=0.4)
    top = max(0.05, float(np.abs(audio).max(initial=0)) * 1.05)
    axes.set(ylabel="amplitude", ylim=(-top, top))


def _words(axes: Axes, timeline: Timeline, width: float) -> None:
    _shade(axes, timeline)
    _label(axes, timeline.words, width / timeline.seconds, lines=2)


def _phones(axes: Axes, timeline: Timeline, width: float) -> None:
    """Label the phonemes in black, and pauses in grey where there is room."""
    _shade(axes, timeline)
    inner = {edge for phone in timeline.phones for edge in phone[:2]} - {0.0, timeline.seconds}
    axes.vlines(sorted(inner), 0.88, 1.0, color=FAINT, linewidth=0.6)
    owners = timeline.record.token_word
    spoken = [phone for phone in timeline.phones if owners[phone.number] >= 0]
    silent = [phone for phone in timeline.phones if owners[phone.number] < 0]
    _label(axes, spoken, width / timeline.seconds, lines=3, others=silent)


def _shade(axes: Axes, timeline: Timeline) -> None:
    for word in timeline.words:
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
    """Write labels on as few lines as they need; labels that find no room are left out.

    Parameters
    ----------
    scale : inches a second
    others : written last and in grey, where there is room
    """
    for count in range(1, lines + 1):
        rows = placed([*intervals, *others], scale, count)
        if rows.keys() >= set(intervals):
            break
    for interval, line in rows.items():
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
    """Return the line of each label: the first one with room; labels without room are left out."""
    from matplotlib.textpath import TextPath

    taken: list[list[tuple[float, float]]] = [[] for _ in range(lines)]
    rows = {}
    for interval in intervals:
        width = TextPath((0, 0), _plain(interval.label), size=SMALL).get_extents().width / 72 + 0.04
        start = (interval.start + interval.stop - width / scale) / 2
        stop = start + width / scale
        for line, spans in enumerate(taken):
            if all(stop < begun or ended < start for begun, ended in spans):
                spans.append((start, stop))
                rows[interval] = line
                break
    return rows


def _scores(axes: Axes, timeline: Timeline) -> None:
    """Draw the score of each token that has frames, with gaps for unknown ones."""
    import numpy as np

    lasting = timeline.record.durations > 0
    scores = np.where(lasting, timeline.record.token_score, np.nan)
    axes.stairs(scores, timeline.edges, baseline=None, color=WARM, linewidth=1.2)
    axes.axhline(float(timeline.record.score), color=FAINT, linewidth=0.8, linestyle="--")
    axes.set(ylabel="score")


def _attention(axes: Axes, attention: np.ndarray, timeline: Timeline) -> None:
    """Draw the probability of each token at each frame, and the alignment over it."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    count = attention.shape[1]
    edges = (0, timeline.seconds, -0.5, count - 0.5)
    axes.imshow(np.sqrt(attention.T), origin="lower", aspect="auto", extent=edges, cmap="magma")
    walk = np.repeat(np.arange(count), timeline.record.durations)
    times = np.linspace(0, timeline.seconds, len(walk) + 1)
    axes.stairs(walk, times, baseline=None, color=COOL, linewidth=0.9)
    axes.set(ylabel="token")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _mel(axes: Axes, features: Features | Mels, times: Any, timeline: Timeline | None) -> None:
    bands = features.mel.shape[1]
    edges = (0, times[-1] + times[0], -0.5, bands - 0.5)
    axes.imshow(features.mel.T, origin="lower", aspect="auto", extent=edges, cmap="magma")
    axes.set(ylabel="mel band")
    for interval in timeline.phones if timeline else ():
        axes.axvline(interval.stop, color="white", linewidth=0.5, alpha=0.45)
    for interval in timeline.words if timeline else ():
        for edge in interval[:2]:
            axes.axvline(edge, color="white", linewidth=1.0, alpha=0.8)
    if features.f0 is not None and features.voiced is not None:
        _pitch(axes, features.f0, features.voiced, times)


def _level(axes: Axes, number: int, level: tuple[int, np.ndarray], plot: UtterancePlot) -> None:
    """Draw the mel after a choice, in the colours of the mel that the last choice makes."""
    scale, mel = level
    last = plot.levels[-1][1]
    edges = (0, len(mel) * scale * plot.step, -0.5, mel.shape[1] - 0.5)
    colours = {"cmap": "magma", "vmin": last.min(), "vmax": last.max()}
    axes.imshow(
        mel.T, origin="lower", aspect="auto", interpolation="nearest", extent=edges, **colours
    )
    frames = "frame" if scale == 1 else "frames"
    axes.set(ylabel=f"choice {number}\n{scale} {frames}", yticks=[])


def _codes(axes: Axes, plot: UtterancePlot) -> None:
    """Draw the number of each code as a colour, one row for each book."""
    from matplotlib.ticker import MaxNLocator

    assert plot.codes is not None
    codes = plot.codes.codes
    seconds = len(codes) * plot.stride * plot.step  # the last one may go beyond the end
    axes.imshow(
        codes.T,
        aspect="auto",
        interpolation="nearest",
        extent=(0, seconds, codes.shape[1] + 0.5, 0.5),
        cmap="turbo",
        vmin=0,
        vmax=plot.size,
    )
    axes.set(ylabel="book")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _pitch(axes: Axes, f0: np.ndarray, voiced: np.ndarray, times: Any) -> None:
    import numpy as np

    pitch = axes.twinx()
    f0 = np.where(voiced, f0, np.nan)
    pitch.plot(times, f0, color="white", linewidth=2.6)
    pitch.plot(times, f0, color=COOL, linewidth=1.4)
    known = f0[np.isfinite(f0)]
    low, high = (known.min(), known.max()) if len(known) else (50.0, 500.0)
    pitch.set(ylabel="f0, Hz", yscale="log", ylim=(low / 1.5, high * 1.5))
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    ticks = [hz for hz in (50, 75, 100, 150, 200, 300, 400, 600) if low / 1.5 < hz < high * 1.5]
    pitch.set_yticks(ticks)
    pitch.yaxis.set_major_formatter(ScalarFormatter())
    pitch.yaxis.set_minor_formatter(NullFormatter())


def _levels(axes: Axes, features: Features | Mels, times: Any) -> None:
    from ttskit.artifacts.kinds import Features

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


def _controls(played: Controls, plot: UtterancePlot) -> Iterator[Panel]:
    """Yield panels of a synthesiser's controls: pitch, gains, harmonics, noise."""
    import numpy as np

    level = played.amplitude * played.voiced
    harmonics = _decibels(level[:, None] * played.distribution)
    noise, nyquist = _decibels(played.noise), plot.sample_rate / 2000  # kHz
    times = (np.arange(len(level)) + 0.5) * plot.step

    def gains(axes: Axes) -> None:
        axes.plot(times, _decibels(level), color=COOL, linewidth=1, label="harmonics")
        loud = np.sqrt(np.square(played.noise).mean(axis=1))
        axes.plot(times, _decibels(loud), color=WARM, linewidth=1, label="noise")
        axes.legend(frameon=False, fontsize=SMALL, loc="upper right", ncols=2)
        axes.set(ylabel="gain, dB", ylim=(FLOOR, 6))

    def pitch(axes: Axes) -> None:
        axes.plot(times, np.where(played.voiced, played.f0, np.nan), color=COOL, linewidth=1.4)
        axes.set(ylabel="f0, Hz")

    yield Panel(1.4, pitch)
    yield Panel(1.6, gains)
    top = harmonics.shape[1] + 0.5
    for height, values, edges, label in (
        (2.8, harmonics, (0.5, top), "harmonic"),
        (2.4, noise, (0.0, nyquist), "noise, kHz"),
    ):
        extent = 0.0, plot.seconds, edges[0], edges[1]
        yield Panel(height, partial(_image, values=values, extent=extent, label=label))


def _image(
    axes: Axes, values: np.ndarray, extent: tuple[float, float, float, float], label: str
) -> None:
    """Draw dB (frame, row)."""
    axes.imshow(
        values.T, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=FLOOR, vmax=0
    )
    axes.set(ylabel=label)


def _decibels(gain: np.ndarray) -> np.ndarray:
    import numpy as np

    levels: np.ndarray = 20 * np.log10(np.maximum(gain, 10 ** (FLOOR / 20)))
    return levels


def _plain(text: str) -> str:
    """Escape dollar signs, which matplotlib would take for mathematics."""
    return text.replace("$", r"\$")
