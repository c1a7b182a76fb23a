"""Speech: a text that is ready to be spoken by a voice, with all that it takes from its caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ttskit.dsp.samples import resample
from ttskit.errors import TtskitError
from ttskit.speaking import fitting
from ttskit.speaking.chain import Chain, Piece, Speak
from ttskit.speaking.lines import Line
from ttskit.speaking.recordings import whole_frames
from ttskit.speaking.style import Style
from ttskit.speaking.takes import Take, taker

if TYPE_CHECKING:
    from ttskit.formats.timeline import Timeline
    from ttskit.networks.facts import Facts


@dataclass(frozen=True)
class Speech:
    """A text that is ready to be spoken, and how."""

    chain: Chain
    style: Style
    lines: Iterable[Line]  # as the text comes in
    grid: Path | None = None  # TextGrid whose durations they have
    seconds: float | None = None  # that they last
    take: Take | None = None  # that is spoken again
    cued: bool = False  # whether its lines are subtitles, and begin at their times
    others: Mapping[str, Chain] = field(default_factory=dict)  # voices that lines name

    @property
    def rate(self) -> int:
        """Hz."""
        return self.chain.facts.sample_rate

    @property
    def samples(self) -> int:
        """How many samples there are at least: silence follows what is spoken."""
        return round((self.seconds or 0.0) * self.rate)

    def seeded(self, seed: int) -> Self:
        """Return the same speech with other random numbers."""
        return replace(self, style=replace(self.style, seed=seed))

    def check(self) -> None:
        """Refuse what a voice cannot do."""
        self.chain.check(self.style)
        for chain in self.others.values():
            chain.check(shared(self.style))

    def check_takes(self) -> None:
        """Refuse to speak in takes what has none, or only in part."""
        taker(self.chain.cascade.models)
        if self.others:
            raise TtskitError("a text of several voices has no takes: leave --takes out")

    def speak(
        self,
        line: Line,
        style: Style,
        durations: np.ndarray | None = None,
        take: np.ndarray | None = None,
    ) -> Piece:
        """Speak a line by the voice that it names, on the grid of the first one."""
        other = self.others.get(line.voice)
        if other is None:
            return self.chain.speak(line, style, durations, take)
        piece = other.speak(line, shared(style), durations, take)
        return on_grid(piece, other.facts, self.chain.facts)

    def pieces(self, speak: Speak | None = None) -> Iterator[Piece]:
        """Speak each line before the next one is asked for, by `speak` if it is given."""
        return fitting.planned(
            self.chain,
            self.lines,
            self.style,
            self.grid,
            self.seconds,
            self.take,
            speak or self.speak,
            self.cued,
        )

    def timeline(self, spoken: Sequence[tuple[Line, np.ndarray]]) -> Timeline:
        """Return when each word and phoneme of lines with these durations is spoken."""
        symbols, first = list(self.chain.facts.symbols), dict[str, int]()
        for name, chain in self.others.items():  # their numbers follow those of the first voice
            first[name] = len(symbols)
            symbols += chain.facts.symbols
        known = [
            (replace(line, tokens=line.tokens + first.get(line.voice, 0)), durations)
            for line, durations in spoken
        ]
        return self.chain.timeline(known, self.style, symbols)


def shared(style: Style) -> Style:
    """Return what of a style holds for every voice of a text, not for the first one alone."""
    return Style(
        rate=style.rate,
        pitch=style.pitch,
        pitch_range=style.pitch_range,
        energy=style.energy,
        pause=style.pause,
        seed=style.seed,
        regenerate=style.regenerate,
    )


def on_grid(piece: Piece, own: Facts, facts: Facts) -> Piece:
    """Return a piece of a voice with a grid of its own on another: resampled, in whole frames."""
    if (own.sample_rate, own.hop_length) == (facts.sample_rate, facts.hop_length):
        return piece
    hop_length = facts.hop_length
    audio = resample(piece.audio, own.sample_rate, facts.sample_rate).astype(np.float32)
    audio = whole_frames(audio, hop_length)
    pause = round(piece.line.pause * facts.sample_rate / hop_length)
    scale = own.hop_length / own.sample_rate * facts.sample_rate / hop_length
    edges = np.round(np.cumsum(piece.durations[1:]) * scale).astype(int)
    edges[-1:] = len(audio) // hop_length
    durations = np.diff(edges, prepend=0)
    return replace(
        piece,
        durations=np.array([pause, *durations]),
        silence=pause * hop_length,
        audio=audio,
    )
