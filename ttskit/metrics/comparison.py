"""Comparison: means of Scores with their intervals, and whether systems differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ttskit.artifacts.kinds import Scores
from ttskit.artifacts.reader import Reader
from ttskit.errors import ArtifactError
from ttskit.metrics.bootstrap import Summary, summary
from ttskit.metrics.registry import MEASURES
from ttskit.metrics.score import Score
from ttskit.metrics.verdict import CEILING, FLOOR, Bounds, in_words


@dataclass(frozen=True)
class Row:
    """One score in a table: its summary, and that of its difference from another system's."""

    name: str
    hash: str
    score: Score
    summary: Summary
    against: Summary | None = None
    bounds: Bounds | None = None
    words: str = ""  # what its mean means

    @property
    def verdict(self) -> str:
        """Whether the difference is real and for the better, in a word or two."""
        assert self.against is not None
        verdict = self.against.verdict
        if verdict not in ("higher", "lower"):
            return verdict
        if abs(self.against.mean) < self.score.swing * abs(self.summary.mean):
            return "no real difference"
        if not self.score.better:
            return verdict
        return "better" if verdict == self.score.better else "worse"

    def cells(self) -> dict[str, str]:
        """Return the row as text, by column."""
        one, cells = self.summary, {"measure": self.name, "hash": self.hash}
        cells["unit"] = self.score.unit
        for name in ("mean", "low", "high", "median"):
            cells[name] = _cell(getattr(one, name), ".4g")
        cells["utterances"] = str(one.utterances)
        if self.against is not None:
            for name in ("mean", "low", "high"):
                title = "difference" if name == "mean" else f"difference {name}"
                cells[title] = _cell(getattr(self.against, name), "+.4g")
            cells["verdict"] = self.verdict
        if self.words:
            cells["in words"] = self.words
        return cells

    def facts(self) -> dict[str, Any]:
        """Return the row as JSON can hold it; unknown numbers are null."""
        one = self.summary
        numbers = {name: getattr(one, name) for name in ("mean", "median", "low", "high")}
        facts: dict[str, Any] = {
            **{name: _number(value) for name, value in numbers.items()},
            "unit": self.score.unit,
            "hash": self.hash,
            "utterances": one.utterances,
        }
        if self.against is not None:
            facts["difference"] = {
                **{name: _number(getattr(self.against, name)) for name in ("mean", "low", "high")},
                "utterances": self.against.utterances,
                "verdict": self.verdict,
            }
        if self.bounds is not None:
            ends = zip(Bounds._fields, self.bounds, strict=True)
            facts |= {end: _number(value) for end, value in ends}
        return facts | ({"words": self.words} if self.words else {})


def rows(scores: Reader[Scores], other: Reader[Scores] | None = None) -> Iterator[Row]:
    """Yield a row for each score, with the difference from `other` on the utterances of both."""
    theirs = _hashes(other) if other is not None else {}
    for measure, hash in _hashes(scores).items():
        for row in _rows_of(measure, hash, scores):
            if other is not None and measure in theirs:
                if theirs[measure] != hash:
                    raise ArtifactError(
                        f"its {measure} was measured otherwise ({theirs[measure]}, "
                        f"not {hash}): the numbers can't be compared; measure both alike",
                        file=other.name,
                    )
                row = replace(row, against=difference(row, scores, other))
            yield row


def _rows_of(measure: str, hash: str, scores: Reader[Scores]) -> list[Row]:
    """Return a row for each score of a measure, with what it means where that is known."""
    rows = []
    for name, score in MEASURES[measure].scores.items():
        weights = scores.column(score.weight) if score.weight else None
        row = Row(name, hash, score, summary(scores.column(name), weights))
        if {name + CEILING, name + FLOOR} <= scores.numbers.keys():
            ends = (summary(scores.column(name + end), weights).mean for end in (CEILING, FLOOR))
            bounds = Bounds(*ends)
            row = replace(row, bounds=bounds, words=in_words(row.summary.mean, bounds, score))
        rows.append(row)
    if say := MEASURES[measure].in_words:
        words = say({row.name: row.summary.mean for row in rows})
        rows = [replace(row, words=words.get(row.name, row.words)) for row in rows]
    return rows


def telling(scores: Reader[Scores]) -> list[Row]:
    """Return the rows of all scores but those that are only weights of others, like `words`."""
    every = list(rows(scores))
    weights = {row.score.weight for row in every}
    return [row for row in every if row.name not in weights]


def difference(row: Row, scores: Reader[Scores], other: Reader[Scores]) -> Summary:
    """Return the summary of the paired differences from `other`, positive where this is higher."""
    both = [id for id in scores.ids if id in other]
    if not both:
        raise ArtifactError(f"has no utterance that {scores.name} has", file=other.name)
    own, theirs = [scores.row(id) for id in both], [other.row(id) for id in both]
    weights = scores.column(row.score.weight)[own] if row.score.weight else None
    return summary(scores.column(row.name)[own] - other.column(row.name)[theirs], weights)


class Entry(NamedTuple):
    """One line of the table: a score of a system, and whether it is the best of all systems."""

    system: str
    row: Row
    best: bool

    def cells(self) -> dict[str, str]:
        """Return the line as text, by column."""
        cells = self.row.cells()
        verdict = cells.pop("verdict", "best" if self.best else "")
        return {"measure": self.row.name, "system": self.system, "verdict": verdict, **cells}


def entries(scores: Mapping[str, Reader[Scores]]) -> Iterator[Entry]:
    """Yield every score of every system, best first; others with their difference from it."""
    for alike in zip(*map(telling, scores.values()), strict=True):
        by_system, better = dict(zip(scores, alike, strict=True)), alike[0].score.better
        known = [name for name, row in by_system.items() if better and row.summary.utterances]
        known.sort(key=lambda name: by_system[name].summary.mean, reverse=better == "higher")
        for name in dict.fromkeys([*known, *by_system]):
            if known and name != known[0]:
                gap = difference(by_system[name], scores[name], scores[known[0]])
                yield Entry(name, replace(by_system[name], against=gap), False)
            else:
                yield Entry(name, by_system[name], bool(known[1:]))


def _hashes(scores: Reader[Scores]) -> dict[str, str]:
    """Return the hash of each measure in Scores; refuse measures without their columns."""
    hashes = dict(zip(scores.table("measures"), scores.table("hashes"), strict=False))
    for name in hashes:
        if name not in MEASURES or not MEASURES[name].scores.keys() <= scores.numbers.keys():
            raise ArtifactError(f"has no columns of the measure {name}", file=scores.name)
    return hashes


def _cell(value: float, form: str) -> str:
    """Return a number as text, NaN as ""."""
    return "" if _number(value) is None else format(value, form)


def _number(value: float) -> float | None:
    return value if value == value else None
