"""TextGrids: Praat's files of labelled intervals, written and read by Praat itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ttskit.artifacts import atomic
from ttskit.errors import AlignmentError, TtskitError
from ttskit.formats.timeline import Interval, Timeline

if TYPE_CHECKING:
    import numpy as np


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
    with atomic.unnamed() as file:
        grid.save(f"/dev/fd/{file.fileno()}")
        return file.read().decode()


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


def phones(path: Path) -> list[Interval]:
    """Return the tier `phones` of a TextGrid, from which durations are read."""
    tiers = read(path)
    if "phones" not in tiers:
        names = ", ".join(tiers) or "none"
        raise AlignmentError(f"its TextGrid has no interval tier `phones`; there is {names}")
    return tiers["phones"]


def fitted(spoken: Timeline, phones: Sequence[Interval], free: bool = False) -> np.ndarray:
    """Return durations (token,) by the intervals of an edited tier, to the nearest frame.

    The tier must last as long as the utterance, unless its length is `free`.
    """
    import numpy as np

    from ttskit.text.symbols import SPECIAL

    record, stop = spoken.record, phones[-1].stop
    frames = round(stop / spoken.step) if free else int(record.durations.sum())
    if abs(stop / spoken.step - frames) >= 1:
        raise AlignmentError(f"its TextGrid lasts {stop:.3f} s, needs {spoken.seconds:.3f} s")
    symbols = [spoken.symbols[token] for token in record.tokens]
    silent = [symbol in SPECIAL for symbol in symbols]
    places = _places(symbols, silent, record.durations.tolist(), phones)
    edges = np.round([0.0, *(phone.stop / spoken.step for phone in phones[:-1]), frames])
    lengths = np.diff(np.minimum(edges, frames)).astype(int)
    for phone, place, length in zip(phones, places, lengths, strict=True):
        if not length and not silent[place]:
            raise AlignmentError(
                f"its TextGrid has {phone.label!r} at {phone.start:.3f} s for "
                f"{phone.stop - phone.start:.4f} s, needs a frame: {spoken.step:.4f} s"
            )
    durations = np.zeros_like(record.durations)
    durations[places] = lengths
    return durations


def _places(
    symbols: Sequence[str],
    silent: Sequence[bool],
    durations: Sequence[int],
    phones: Sequence[Interval],
) -> list[int]:
    """Return the token of each interval: the tokens that had frames, else the next that fits.

    An interval may be missing if its token is a pause or punctuation, or had no frames.
    """

    def fits(place: int, phone: Interval) -> bool:
        label = phone.label.strip()
        return label == symbols[place] or (silent[place] and not label)

    lasting = [place for place, length in enumerate(durations) if length]
    if len(lasting) == len(phones) and all(map(fits, lasting, phones)):
        return lasting
    places, place = list[int](), 0
    free = [quiet or not length for quiet, length in zip(silent, durations, strict=True)]
    for phone in phones:
        while place < len(symbols) and free[place] and not fits(place, phone):
            place += 1
        if place == len(symbols) or not fits(place, phone):
            needs = repr(symbols[place]) if place < len(symbols) else "nothing more"
            raise AlignmentError(
                f"its TextGrid has {phone.label!r} at {phone.start:.3f} s, needs {needs}"
            )
        places.append(place)
        place += 1
    if not all(free[place:]):
        missing = symbols[free.index(False, place)]
        raise AlignmentError(f"its TextGrid ends where {missing!r} is still to come")
    return places
