"""Articles: an utterance as HTML, its recordings below each other, to switch between them.

S samples, T frames, K columns of scores.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from ttskit.dsp.mel import MelSettings, mel
from ttskit.formats import audio
from ttskit.formats.timeline import Interval
from ttskit.pages import picture
from ttskit.pages.table import ScoreColumn

TICKS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 600)  # seconds
MOST_TICKS = 8


@dataclass(frozen=True)
class Take:
    """One recording of an utterance with pitch, words, scores and notes; audio may be missing."""

    name: str
    audio: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int16))  # (S,)
    sample_rate: int = 1  # Hz
    f0: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (T,) Hz, 0 where unvoiced
    step: float = 1.0  # seconds a frame of f0
    words: Sequence[Interval] = ()
    notes: Sequence[str] = ()
    scores: Sequence[float] = ()  # (K,)
    bad: Sequence[float] = ()  # (K,): how bad each score is, for sorting

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.sample_rate

    @property
    def mel(self) -> np.ndarray:
        """(T, mel): log-mel spectrogram, a frame about every 11.6 ms."""
        hop = max(1, round(self.sample_rate * 256 / 22050))
        settings = MelSettings(self.sample_rate, 4 * hop, hop)
        return mel(self.audio.astype(np.float32) / np.float32(32768), settings)


@dataclass(frozen=True)
class _Shared:
    """The axes and scales that the recordings of an utterance share, to be compared by eye."""

    seconds: float  # of the longest
    top: float  # of the spectrograms
    axis: picture.Axis
    columns: Sequence[ScoreColumn]
    format: str  # of the audio


def article(
    number: int,
    id: str,
    text: str,
    takes: Sequence[Take],
    columns: Sequence[ScoreColumn] = (),
    notes: Sequence[str] = (),
    format: str = "flac",
) -> str:
    """Return an utterance as HTML.

    Parameters
    ----------
    number : its place in the corpus, from 0
    notes : notes that concern all takes
    format : of the audio: flac or ogg
    """
    mels = [take.mel for take in takes]
    shared = _Shared(
        seconds=max((take.seconds for take in takes), default=0.0),
        top=max((float(one.max()) for one in mels if len(one)), default=0.0),
        axis=picture.Axis(np.concatenate([np.zeros(0), *(take.f0 for take in takes)])),
        columns=columns,
        format=format,
    )
    pairs = zip(takes, mels, strict=True)
    lines = [_take(place, take, own, shared) for place, (take, own) in enumerate(pairs)]
    bad = [[None if one != one else float(f"{one:.6g}") for one in take.bad] for take in takes]
    note_lines = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return (
        f'<article id="u{number}" tabindex="-1" aria-labelledby="u{number}-id" '
        f'data-row="{number}" data-bad="{escape(json.dumps(bad, separators=(",", ":")))}">\n'
        f'<header><h3 id="u{number}-id">{escape(id)}</h3><p class="text">{escape(text)}</p>'
        f"{note_lines}</header>\n"
        f'<ol class="takes">\n{"".join(lines)}</ol>\n{_seconds(shared.seconds)}</article>\n'
    )


def broken(number: int, id: str, text: str, why: str) -> str:
    """Return the article of an utterance that can't be shown, with the reason."""
    return article(number, id, text, [], notes=[f"can't be shown: {why}"])


def _take(place: int, take: Take, bands: np.ndarray, shared: _Shared) -> str:
    key = f"<kbd>{place + 1}</kbd>" if place < 9 else ""
    name = f"{key}<span>{escape(take.name)}</span>"
    note_lines = "".join(f'<p class="note">{escape(note)}</p>' for note in take.notes)
    if not len(take.audio):
        button = f'<button type="button" disabled>{name}</button>'
        return f'<li class="take missing">{button}<div class="beside">{note_lines}</div></li>\n'
    shortcut = f' aria-keyshortcuts="{place + 1}"' if key else ""
    anchors = [0.0, *(word.start for word in take.words), *(w.stop for w in take.words[-1:])]
    anchors = [round(at, 3) for at in (*anchors, take.seconds)]
    coded, _ = audio.encode(take.audio, take.sample_rate, f".{shared.format}")
    return (
        f'<li class="take" data-anchors="{json.dumps(anchors, separators=(",", ":"))}">'
        f'<button type="button" aria-pressed="false"{shortcut}>{name}'
        '<span class="clock" aria-hidden="true"></span></button>'
        f'<div class="beside"><div class="strip" style="width:{_percent(take, shared)}%">'
        f"{_words(take)}{_picture(take, bands, shared)}</div>"
        f"{_scores(take, shared.columns)}{note_lines}</div>"
        f'<audio controls preload="none" src="{_data(f"audio/{shared.format}", coded)}"></audio>'
        "</li>\n"
    )


def _percent(take: Take, shared: _Shared) -> str:
    return f"{100 * take.seconds / shared.seconds:.2f}"


def _words(take: Take) -> str:
    if not take.words:
        return ""
    spans = [
        f'<span style="left:{100 * start / take.seconds:.2f}%;'
        f'width:{100 * (stop - start) / take.seconds:.2f}%">{escape(label)}</span>'
        for start, stop, label, _ in take.words
    ]
    return f'<div class="words" aria-hidden="true">{"".join(spans)}</div>'


def _picture(take: Take, bands: np.ndarray, shared: _Shared) -> str:
    """Return the spectrogram with pitch, word boundaries, and the line that marks the position."""
    voiced = take.f0[take.f0 > 0]
    label = f"Spectrogram of {take.name}, {take.seconds:.1f} s"
    label += f", pitch from {voiced.min():.0f} to {voiced.max():.0f} Hz" if len(voiced) else ""
    width, height = max(1.0, take.seconds / take.step), picture.HEIGHT
    guides = shared.axis.guides if len(voiced) else {}
    lines = "".join(f'<path class="guide" d="M0 {y}H{width:.0f}"/>' for y in guides.values())
    labels = "".join(
        f'<i class="hz" style="top:{100 * y / height:.1f}%">{hz}</i>' for hz, y in guides.items()
    )
    edges = sorted({edge for word in take.words for edge in word[:2]})
    scale = width / take.seconds
    walls = "".join(f"M{edge * scale:.1f} 0V{height}" for edge in edges)
    image = ""
    if len(bands):
        source = _data("image/png", picture.spectrogram(bands, shared.top))
        image = f'<img alt="" loading="lazy" src="{source}">'
    return (
        f'<div class="picture" role="img" aria-label="{escape(label)}">'
        f'{image}<svg viewBox="0 0 {width:.1f} {height}" preserveAspectRatio="none" '
        f'aria-hidden="true">{lines}<path class="edge" d="{walls}"/>'
        f'<path class="f0" d="{picture.curve(take.f0, shared.axis)}"/></svg>'
        f'{labels}<i class="at"></i></div>'
    )


def _scores(take: Take, columns: Sequence[ScoreColumn]) -> str:
    """Return the known scores; `data-column` is the column of each."""
    pairs = [
        f'<div data-column="{number}"><dt>{escape(column.name)}</dt> '
        f'<dd data-value="{float(value)!r}">{column.text(value)} '
        f"<small>{escape(column.unit)}</small></dd></div>"
        for number, (column, value) in enumerate(zip(columns, take.scores, strict=False))
        if value == value
    ]
    return f'<dl class="scores">{"".join(pairs)}</dl>' if pairs else ""


def _seconds(seconds: float) -> str:
    """Return the axis of time."""
    if not seconds:
        return ""
    step = next((step for step in TICKS if seconds / step <= MOST_TICKS), seconds)
    marks = np.arange(0, seconds, step)
    spans = (f'<i style="left:{100 * at / seconds:.2f}%">{at:g}</i>' for at in marks)
    axis = f"<div>{''.join(spans)}<b>s</b></div>"
    return f'<div class="seconds" aria-hidden="true">{axis}</div>\n'


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
