"""How a text is spoken: the numbers and names that `say`, in a shell or from Python, is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ttskit.errors import TtskitError
from ttskit.speaking import knobs

RANGES = {
    "rate": (0.1, 10),
    "pitch": (-24, 24),
    "pitch_range": (0, 4),
    "energy": (-40, 40),
    "pause": (0, 60),
}
SLOWEST = 1 / RANGES["rate"][0]  # times as long as at the usual rate


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a whole text is spoken."""

    rate: float = 1.0  # times as fast
    pitch: float = 0.0  # semitones higher
    pitch_range: float = 1.0  # times as far as the pitch usually moves from its middle
    energy: float = 0.0  # dB louder
    pause: float = 0.25  # seconds between sentences, at the usual rate
    noise_scale: float | None = None  # of the decoder; the voice's own without one
    speaker: str = ""
    seed: int = 0
    rounds: int | None = None  # of Griffin-Lim; the vocoder's own without them
    steps: int | None = None  # of a decoder that refines; its own without them
    guidance: float | None = None  # of such a decoder
    iterations: int | None = None  # of a coder that refines its codes
    preset: str = ""  # of the models that have presets
    others: Mapping[str, float] = field(default_factory=dict)  # further knobs, by name
    reference: tuple[str, ...] = ()  # clips to sound like, perhaps with weights
    regenerate: tuple[int, ...] = ()  # sentences, from 1, as often as they are spoken anew
    style: Path | None = None  # recording in the wanted style

    def __post_init__(self) -> None:
        for name, (least, most) in RANGES.items():
            knobs.check_range(name, getattr(self, name), least, most)
        for name, value in self.knobs.items():
            knobs.check(name, value)
        if not isinstance(self.seed, (int, np.integer)) or self.seed < 0:
            raise TtskitError(f"seed {self.seed!r}: needs a whole number from 0 up")
        for number in self.regenerate:
            if not isinstance(number, int) or number < 1:
                raise TtskitError(f"regenerate {number!r}: needs the number of a sentence, from 1")

    @property
    def knobs(self) -> dict[str, float]:
        """The numbers that models are steered by, where they are not their own."""
        given = {name: getattr(self, name) for name in knobs.OPTIONS}
        known = {name: value for name, value in given.items() if value is not None}
        return {**known, **self.others}

    @property
    def between(self) -> float:
        """Seconds between sentences."""
        return self.pause / self.rate
