"""Durations that are not the predicted ones: fitted into a time, or as a TextGrid has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ttskit import progress
from ttskit.errors import AlignmentError, TtskitError
from ttskit.speaking.chain import NO_WORD, Chain, Piece, Speak, pieces
from ttskit.speaking.style import SLOWEST

if TYPE_CHECKING:
    from ttskit.speaking.lines import Line
    from ttskit.speaking.style import Style
    from ttskit.speaking.takes import Take

FASTER = 1.5  # times as fast as it would be, at most, where a cue leaves too little time


def stretched(
    chain: Chain, lines: Sequence[Line], style: Style, seconds: float
) -> list[np.ndarray]:
    """Return durations of lines that together last `seconds`, but for less than a frame."""
    from ttskit.dsp.rounding import rounded

    frames = int(seconds * chain.facts.sample_rate) // chain.facts.hop_length
    tokens = np.concatenate([line.tokens for line in lines])
    durations = np.concatenate([chain.durations(line, style) for line in lines])
    if frames > (most := SLOWEST * style.rate * durations.sum()):
        longest = most * chain.facts.hop_length / chain.facts.sample_rate
        raise AlignmentError(
            f"{seconds:g} s is too long for the text: at the slowest rate it lasts {longest:.1f} s"
        )
    try:
        durations = rounded(durations, np.array(chain.facts.silent)[tokens], frames)
    except AlignmentError as error:
        raise AlignmentError(f"{seconds} s is too short for the text: {error}") from error
    return split(durations, lines)


def split(durations: np.ndarray, lines: Sequence[Line]) -> list[np.ndarray]:
    """Cut the durations of all tokens into those of each line."""
    return np.split(durations, np.cumsum([len(line.tokens) for line in lines])[:-1])


def placed(chain: Chain, lines: Sequence[Line], style: Style) -> list[np.ndarray]:
    """Return durations of lines such that every cue begins at its time, to the frame.

    What is too long for the time until the next cue is spoken faster.  Where that is not enough,
    the next one begins later.
    """
    step = chain.facts.hop_length / chain.facts.sample_rate
    cues: list[list[Line]] = []
    for line in lines:
        if line.cue:
            cues.append([line])
        else:
            cues[-1].append(line)
    starts = [round(cue[0].cue.start / step) for cue in cues if cue[0].cue]
    durations: list[np.ndarray] = []
    now = 0
    for cue, start, end in zip(cues, starts, [*starts[1:], None], strict=True):
        begin = max(now, start)
        room = None if end is None else end - begin
        spoken = _within(chain, cue, style, room)
        spoken[0][0] = begin - now
        now = begin + sum(int(one.sum()) for one in spoken) - int(spoken[0][0])
        durations += spoken
        if end is not None and now > end:
            _note_long(cue[0], (now - end) * step)
    return durations


def _within(
    chain: Chain, lines: Sequence[Line], style: Style, room: int | None
) -> list[np.ndarray]:
    """Return durations of lines without a pause before the first, in so many frames if they can."""
    from ttskit.dsp.rounding import rounded

    durations = np.concatenate([chain.durations(line, style) for line in lines])
    durations[0] = 0
    least = -(-int(durations.sum()) // FASTER)
    if room is not None and durations.sum() > room:
        tokens = np.concatenate([line.tokens for line in lines])
        silent = np.array(chain.facts.silent)[tokens]
        needed = int((~silent).sum())
        durations = rounded(durations, silent, max(room, int(least), needed))
    return split(durations, lines)


def _note_long(line: Line, seconds: float) -> None:
    assert line.cue is not None
    progress.note(
        f"{line.cue.place}: cue {line.cue.id} is {seconds:.2f} s too long for its time, spoken "
        f"{FASTER:g} times as fast: the next one begins later"
    )


def edited(chain: Chain, lines: Sequence[Line], style: Style, path: Path) -> Sequence[np.ndarray]:
    """Return the durations of lines as a TextGrid has them."""
    from ttskit.formats import textgrid

    try:
        phones = textgrid.phones(path)
        predicted = [(line, chain.durations(line, style)) for line in lines]
        spoken = chain.timeline(predicted, style)
        return split(textgrid.fitted(spoken, phones, free=True), lines)
    except TtskitError as error:
        raise type(error)(f"{path}: {error}") from error


def planned(
    chain: Chain,
    lines: Iterable[Line],
    style: Style,
    grid: Path | None = None,
    seconds: float | None = None,
    take: Take | None = None,
    speak: Speak | None = None,
    cued: bool = False,
) -> Iterator[Piece]:
    """Yield pieces: as predicted, as a TextGrid has them, or fitted into `seconds` or cues."""
    if grid is None and seconds is None and not cued:
        yield from pieces(chain, lines, style, take=take, speak=speak)
        return
    lines = list(lines)
    if not any(line.words for line in lines):
        raise TtskitError(NO_WORD)
    if cued:
        durations: Sequence[np.ndarray] = placed(chain, lines, style)
    elif grid is not None:
        durations = edited(chain, lines, style, grid)
    else:
        durations = stretched(chain, lines, style, seconds or 0.0)
    yield from pieces(chain, lines, style, durations, take, speak)
