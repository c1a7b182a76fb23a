"""Speech: a text that is ready to be spoken by a voice, with all that it takes from its caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ttskit.speaking import fitting
from ttskit.speaking.chain import Chain, Piece, Speak
from ttskit.speaking.lines import Line
from ttskit.speaking.style import Style
from ttskit.speaking.takes import Take


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

    def pieces(self, speak: Speak | None = None) -> Iterator[Piece]:
        """Speak each line before the next one is asked for, by `speak` if it is given."""
        return fitting.planned(
            self.chain,
            self.lines,
            self.style,
            self.grid,
            self.seconds,
            self.take,
            speak,
            self.cued,
        )
