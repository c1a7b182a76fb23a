"""Votes that listeners exported from a blind page, gathered into one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ttskit.errors import TtskitError
from ttskit.metrics.bootstrap import summary

GRADES = range(1, 6)


@dataclass(frozen=True)
class Votes:
    """What one listener said of the clips of a page: id -> system -> grade."""

    file: Path
    page: str
    listener: str
    systems: Sequence[str]
    grades: Mapping[str, Mapping[str, int]]


def read(path: Path) -> Votes:
    """Read and check the votes of a listener."""
    try:
        content = json.loads(path.read_bytes())
        page, listener = str(content["page"]), str(content["listener"])
        systems = [str(one) for one in content["systems"]]
        grades = {id: dict(row) for id, row in content["votes"].items()}
    except OSError as error:
        raise TtskitError(f"can't be read: {error.strerror}", file=path) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TtskitError(
            "is no file of votes, as a page of ttskit report --blind exports", file=path
        ) from error
    for id, row in grades.items():
        for system, grade in row.items():
            _check(path, id, system, systems, grade)
    return Votes(path, page, listener, systems, grades)


def _check(path: Path, id: str, system: str, systems: Sequence[str], grade: Any) -> None:
    if system not in systems:
        raise TtskitError(f"{system} is none of its systems", file=path, utterance=id)
    if type(grade) is not int or grade not in GRADES:
        raise TtskitError(
            f"{system} has the vote {grade!r}: needs a whole number from 1 to 5",
            file=path,
            utterance=id,
        )


def table(paths: Sequence[Path]) -> list[dict[str, str]]:
    """Return a row for each system: its mean over texts of the means over listeners.

    The interval is that of the mean over texts, for these listeners.
    """
    every: list[Votes] = []
    for path in paths:
        votes = read(path)
        for other in every:
            if other.page != votes.page or other.systems != votes.systems:
                raise TtskitError(f"are votes on another page than {other.file}", file=path)
            if other.listener == votes.listener:
                raise TtskitError(f"are votes of {votes.listener}, as {other.file}", file=path)
        every.append(votes)
    return [_row(system, every) for system in every[0].systems]


def _row(system: str, every: Sequence[Votes]) -> dict[str, str]:
    by_text: dict[str, list[int]] = {}
    for votes in every:
        for id, row in votes.grades.items():
            if system in row:
                by_text.setdefault(id, []).append(row[system])
    found = summary(np.array([np.mean(grades) for grades in by_text.values()]))
    known = found.utterances > 1
    return {
        "system": system,
        "mean": f"{found.mean:.2f}" if by_text else "-",
        "95 % interval": f"{found.low:.2f} to {found.high:.2f}" if known else "-",
        "texts": str(len(by_text)),
        "votes": str(sum(map(len, by_text.values()))),
    }
