"""Numbers that models can be steered by, beside what is spoken and how fast.

A model has those that its family declares (`Family.knobs`); a preset is a name for several at once
(`Family.paces`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import TtskitError
from ttskit.voices.voice import MOST_NOISE

if TYPE_CHECKING:
    from ttskit.models.family import Family


@dataclass(frozen=True)
class Knob:
    """The bounds of a number, and how an error calls it."""

    least: float
    most: float
    whole: bool
    called: str  # after "none of its models has"


KNOBS = {
    "noise_scale": Knob(0, MOST_NOISE, False, "a noise_scale: leave it out"),
    "rounds": Knob(0, 1000, True, "rounds of Griffin-Lim: leave them out"),
    "steps": Knob(1, 1000, True, "steps of refinement: leave them out"),
    "iterations": Knob(1, 1000, True, "iterations of a coder: leave them out"),
    "guidance": Knob(0, 100, False, "guidance: leave it out"),
    "temperature": Knob(0, 100, False, "a temperature: leave it out"),
    "top_p": Knob(0, 1, False, "a top_p: leave it out"),
    "repetition_penalty": Knob(0.01, 100, False, "a repetition_penalty: leave it out"),
    "shortest": Knob(0, 10, False, "a shortest length: leave it out"),
    "longest": Knob(0, 10, False, "a longest length: leave it out"),
}
OPTIONS = ("noise_scale", "rounds", "steps", "guidance", "iterations")  # with their own option


def check(name: str, value: float) -> None:
    """Refuse a value out of the bounds of a knob, and what is none."""
    if name not in KNOBS:
        raise TtskitError(f"no model has the knob {name}; there is {', '.join(KNOBS)}")
    knob = KNOBS[name]
    check_range(name, value, knob.least, knob.most)
    if knob.whole and value % 1:
        raise TtskitError(f"{name} {value!r}: needs a whole number")


def check_range(name: str, value: float, least: float, most: float) -> None:
    """Refuse what is no number, or one out of its bounds."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not least <= value <= most:
        raise TtskitError(f"{name} {value!r}: needs a number from {least:g} to {most:g}")


def check_known(
    who: str, families: Sequence[type[Family]], knobs: Collection[str], preset: str
) -> None:
    """Refuse knobs that none of some models has, and a preset that none knows."""
    for name in knobs:
        if not any(name in family.knobs for family in families):
            raise TtskitError(f"{who}: none of its models has {KNOBS[name].called}")
    presets = list(dict.fromkeys(name for family in families for name in family.paces))
    if preset and preset not in presets:
        there = f"there is {', '.join(presets)}" if presets else "they have none"
        raise TtskitError(f"{who}: none of its models has a preset {preset!r}; {there}")


def settings(family: type[Family], knobs: Mapping[str, float], preset: str) -> dict[str, float]:
    """Return the knobs of a family: those of a preset, and instead of them those that are given."""
    own = {name: value for name, value in knobs.items() if name in family.knobs}
    return {**family.paces.get(preset, {}), **own}
