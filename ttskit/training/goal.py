"""How long to train."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """The length of a training in updates or minutes, whichever ends first."""

    steps: int | None = None
    minutes: float | None = None

    def reached(self, step: int, seconds: float) -> float:
        """Return the share of the training that is done, 1 at the end."""
        shares = [0.0 if self.steps or self.minutes else 1.0]
        shares += [step / self.steps] if self.steps else []
        shares += [seconds / 60 / self.minutes] if self.minutes else []
        return min(1.0, max(shares))
