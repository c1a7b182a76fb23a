"""TextGrids: Praat's files of labelled intervals, written and read by Praat itself."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ttskit.errors import TtskitError
from ttskit.intervals import Interval


def text(tiers: Mapping[str, Sequence[Interval]], seconds: float) -> str:
    """Return a TextGrid as text; where a tier has no interval, it has an empty one."""
    import parselmouth
    from parselmouth.praat import call

    if not seconds:
        raise TtskitError("has no frames")
    grid = parselmouth.TextGrid(0.0, seconds, list(tiers))
    for tier, intervals in enumerate(tiers.values(), 1):
        times = {time for interval in intervals for time in (interval.start, interval.stop)}
        inner = sorted(times - {0.0, seconds})
        places = {time: place for place, time in enumerate([0.0, *inner], 1)}
        for time in inner:
            call(grid, "Insert boundary", tier, time)
        for interval in intervals:
            call(grid, "Set interval text", tier, places[interval.start], interval.label)
    call("Text writing preferences...", "UTF-8")
    with tempfile.TemporaryDirectory(prefix="ttskit-") as folder:
        path = Path(folder) / "x.TextGrid"
        grid.save(str(path))
        return path.read_text(encoding="utf-8")


def read(path: Path) -> dict[str, list[Interval]]:
    """Return the interval tiers of a TextGrid by their names, in any form that Praat reads."""
    import parselmouth
    from parselmouth.praat import call

    try:
        grid = parselmouth.read(str(path.resolve()))  # Praat takes a leading ~ for a home
    except parselmouth.PraatError as error:
        raise TtskitError(f"Praat cannot read it: {' '.join(str(error).split())}") from error
    if not isinstance(grid, parselmouth.TextGrid):
        raise TtskitError(f"is {type(grid).__name__} to Praat, needs a TextGrid")
    tiers: dict[str, list[Interval]] = {}
    for tier in range(1, int(call(grid, "Get number of tiers")) + 1):
        if call(grid, "Is interval tier", tier):
            tiers[call(grid, "Get tier name", tier)] = [
                Interval(
                    call(grid, "Get start time of interval", tier, place),
                    call(grid, "Get end time of interval", tier, place),
                    call(grid, "Get label of interval", tier, place),
                    place,
                )
                for place in range(1, int(call(grid, "Get number of intervals", tier)) + 1)
            ]
    return tiers
