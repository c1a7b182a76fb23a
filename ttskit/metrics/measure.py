"""What a measure is: the numbers that it computes, what it computes them from, and its settings.

A measure is one file in this folder, which ends in a `Measure`, and one line in `registry.py`.
`evaluate` gets what `needs` names, then the settings, or what `engine` builds of them:

    needs        evaluate(...)
    pair         a `Pair` of recordings
    path         a `Pair`, whose frames the measure compares along the path
    speech       the synthesised speech, (sample,) float at 16 kHz
    transcript   the same, and the text
    voices       reference and synthesised speech, (sample,) float at 16 kHz
    timed        seconds that synthesis took, seconds of audio
    alignments   ms that tokens last in the reference and in the synthesised speech, (token,) float,
                 and whether they are spoken, (token,) bool
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from ttskit.metrics.score import Score

Needs = Literal["pair", "path", "speech", "transcript", "voices", "timed", "alignments"]


@dataclass(frozen=True)
class NoSettings:
    """The settings of a measure that has none."""


@dataclass(frozen=True)
class Measure:
    """One measure; `evaluate` returns its scores by name, and may add the text `heard`."""

    name: str
    needs: Needs
    scores: Mapping[str, Score]
    evaluate: Callable[..., dict[str, Any]]
    settings: Any = field(default_factory=NoSettings)  # a frozen dataclass
    engine: Callable[[Any], Any] | None = None  # builds a network of the settings, once a process
    languages: frozenset[str] | None = None  # codes that it hears; None: any, and its settings none
    follows_pitch: bool = False  # by a method that its settings name: f0, fmin, fmax
    packages: Mapping[str, str] = field(default_factory=dict)  # module -> distribution
    extra: str = ""  # of ttskit, which brings the packages
    in_words: Callable[[Mapping[str, float]], Mapping[str, str]] | None = (
        None  # of its means, by score
    )

    @property
    def bounded(self) -> list[str]:
        """The scores that have a ceiling and a floor: `ttskit.metrics.verdict`."""
        if self.needs not in ("pair", "path", "speech", "transcript"):
            return []
        return [name for name, score in self.scores.items() if score.better]

    @property
    def installed(self) -> bool:
        """Whether the packages are there."""
        return all(find_spec(module) for module in self.packages)
