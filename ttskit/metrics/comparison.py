"""Results: what Scores come to, and whether one system really differs from another."""

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


@dataclass(frozen=True)
class Row:
    """One number of a table: what it is, what it comes to, how it differs from another's."""

    name: str
    hash: str
    score: Score
    summary: Summary
    against: Summary | None = None

    @property
    def verdict(self) -> str:
        """Say in a word or two whether the difference is real, and for the better."""
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
        return facts


def rows(scores: Reader[Scores], other: Reader[Scores] | None = None) -> Iterator[Row]:
    """Yield what each number comes to, and how it differs from `other`'s on the same utterances."""
    theirs = _hashes(other) if other is not None else {}
    for measure, hash in _hashes(scores).items():
        for name, score in MEASURES[measure].scores.items():
            weights = scores.column(score.weight) if score.weight else None
            row = Row(name, hash, score, summary(scores.column(name), weights))
            if other is not None and measure in theirs:
                if theirs[measure] != hash:
                    raise ArtifactError(
                        f"its {measure} was measured otherwise ({theirs[measure]}, "
                        f"not {hash}): the numbers can't be compared; measure both alike",
                        file=other.name,
                    )
                row = replace(row, against=difference(row, scores, other))
            yield row


def telling(scores: Reader[Scores]) -> list[Row]:
    """Return the numbers, without those that only weigh another one, as `words` do."""
    every = list(rows(scores))
    weights = {row.score.weight for row in every}
    return [row for row in every if row.name not in weights]


def difference(row: Row, scores: Reader[Scores], other: Reader[Scores]) -> Summary:
    """Return by how much a number is above `other`'s, utterance by utterance."""
    both = [id for id in scores.ids if id in other]
    if not both:
        raise ArtifactError(f"has no utterance that {scores.name} has", file=other.name)
    own, theirs = [scores.row(id) for id in both], [other.row(id) for id in both]
    weights = scores.column(row.score.weight)[own] if row.score.weight else None
    return summary(scores.column(row.name)[own] - other.column(row.name)[theirs], weights)


class Entry(NamedTuple):
    """One line of the table: a number of a system, and whether no other has a better one."""

    system: str
    row: Row
    best: bool

    def cells(self) -> dict[str, str]:
        """Return the line as text, by column."""
        cells = self.row.cells()
        verdict = cells.pop("verdict", "best" if self.best else "")
        return {"measure": self.row.name, "system": self.system, "verdict": verdict, **cells}


def entries(scores: Mapping[str, Reader[Scores]]) -> Iterator[Entry]:
    """Yield every number of every system, best first; the others stand against the best one."""
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
    """Return the hash of each measure that was taken."""
    hashes = dict(zip(scores.table("measures"), scores.table("hashes"), strict=False))
    for name in hashes:
        if name not in MEASURES or not MEASURES[name].scores.keys() <= scores.numbers.keys():
            raise ArtifactError(f"has no columns of the measure {name}", file=scores.name)
    return hashes


def _cell(value: float, form: str) -> str:
    """Return a number as text; what is unknown is blank."""
    return "" if _number(value) is None else format(value, form)


def _number(value: float) -> float | None:
    return value if value == value else None
