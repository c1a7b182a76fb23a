"""Plot: one utterance as a picture: waveform, mel with f0 on it, loudness and voicing.

Reads Features, and the Corpus they were made of where it is given; writes a PNG.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.errors import TtskitError
from ttskit.options import Inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ttskit.kinds import Corpus, Features

INK, WARM, COOL = "#222222", "#e8590c", "#1c7ed6"


def draw(features: Features, sample_rate: int, hop_length: int, corpus: Corpus | None) -> Figure:
    """Return the picture of an utterance; its times are those of the frame centres."""
    import numpy as np
    from matplotlib.figure import Figure

    times = (np.arange(len(features.mel)) + 0.5) * hop_length / sample_rate
    heights = ([1.0] if corpus else []) + [2.4, 1.2]
    figure = Figure(figsize=(11, 1.9 * sum(heights)), layout="constrained")
    axes = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False))
    rows: list[Axes] = [row[0] for row in axes]
    if corpus:
        _wave(rows[0], corpus, sample_rate)
    _mel(rows[-2], features, times, hop_length / sample_rate)
    _levels(rows[-1], features, times)
    rows[-1].set_xlabel("seconds")
    rows[-1].set_xlim(0, len(times) * hop_length / sample_rate)
    speaker = f" ({features.speaker})" if features.speaker else ""
    figure.suptitle(_plain(f"{features.id}{speaker}: {features.text}"), fontsize=10, wrap=True)
    return figure


def _wave(axes: Axes, corpus: Corpus, sample_rate: int) -> None:
    import numpy as np

    audio = corpus.audio / 32768
    axes.plot(np.arange(len(audio)) / sample_rate, audio, color=INK, linewidth=0.4)
    top = max(0.05, float(np.abs(audio).max(initial=0)) * 1.05)
    axes.set(ylabel="amplitude", ylim=(-top, top))


def _mel(axes: Axes, features: Features, times: Any, step: float) -> None:
    import numpy as np

    bands = features.mel.shape[1]
    edges = (0, len(times) * step, -0.5, bands - 0.5)
    axes.imshow(features.mel.T, origin="lower", aspect="auto", extent=edges, cmap="magma")
    axes.set(ylabel="mel band")
    pitch = axes.twinx()
    f0 = np.where(features.voiced, features.f0, np.nan)
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


def _levels(axes: Axes, features: Features, times: Any) -> None:
    axes.plot(times, features.loudness, color=INK, linewidth=1)
    axes.set(ylabel="loudness, dB")
    low, high = axes.get_ylim()
    axes.fill_between(
        times, low, high, where=features.voiced, color=COOL, alpha=0.12, step="mid", linewidth=0
    )
    axes.set_ylim(low, high)
    sure = axes.twinx()
    sure.plot(times, features.periodicity, color=WARM, linewidth=0.9)
    sure.set_ylim(0, 1.02)
    sure.set_ylabel("periodicity (shaded: voiced)", color=WARM)


def _plain(text: str) -> str:
    """Keep matplotlib from taking a dollar sign for mathematics."""
    return text.replace("$", r"\$")


def command(
    inputs: Inputs = None,
    id: Annotated[str | None, typer.Option(help="Which; the first one otherwise.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="PNG, PDF or SVG.  [default: ID.png]")
    ] = None,
) -> None:
    """Draw one utterance."""
    from ttskit import kinds, streams

    reader, corpus = streams.inputs(inputs, kinds.Features, optional=(kinds.Corpus,))
    if not len(reader):
        raise TtskitError(f"{reader.name}: has no utterance to draw")
    row = reader.row(id) if id else 0
    features = reader.record(row)
    rate, hop = int(reader.attributes["sample_rate"]), int(reader.attributes["hop_length"])
    if corpus and corpus.attributes["sample_rate"] != rate:
        raise TtskitError(
            f"{corpus.name}: has sample_rate {corpus.attributes['sample_rate']}, "
            f"{reader.name} has {rate}: it is not the corpus these features were made of"
        )
    spoken = corpus.record(corpus.row(features.id)) if corpus else None
    path = output or Path(f"{features.id}.png")
    try:
        draw(features, rate, hop, spoken).savefig(path, dpi=110)
    except ValueError as error:
        raise TtskitError(f"{path}: cannot be drawn: {error}") from error
