"""Durations that are not the predicted ones: fitted into a time, or as a TextGrid has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import AlignmentError, TtskitError
from ttskit.speaking.chain import NO_WORD, Chain, Piece, Speak, pieces
from ttskit.speaking.style import SLOWEST

if TYPE_CHECKING:
    from ttskit.speaking.lines import Line
    from ttskit.speaking.style import Style
    from ttskit.speaking.takes import Take


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
) -> Iterator[Piece]:
    """Yield pieces: as predicted, as a TextGrid has them, or fitted into `seconds`."""
    if grid is None and seconds is None:
        yield from pieces(chain, lines, style, take=take, speak=speak)
        return
    lines = list(lines)
    if not any(line.words for line in lines):
        raise TtskitError(NO_WORD)
    if grid is not None:
        durations = edited(chain, lines, style, grid)
    else:
        durations = stretched(chain, lines, style, seconds or 0.0)
    yield from pieces(chain, lines, style, durations, take, speak)
