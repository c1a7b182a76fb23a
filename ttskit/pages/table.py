"""The table of a page: the mean of each score of each system, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ttskit.metrics.bootstrap import Summary
from ttskit.metrics.score import Score

WAYS = {"lower": ("↓", "lower is better"), "higher": ("↑", "higher is better"), "": ("", "")}
DIGITS = 3  # significant ones, of the largest number of a column


@dataclass(frozen=True)
class ScoreColumn:
    """One score with one choice of settings, which the hash stands for."""

    name: str
    hash: str
    score: Score
    decimals: int = 2

    @property
    def unit(self) -> str:
        return self.score.unit

    def text(self, value: float) -> str:
        """Format a number with the decimals of its column."""
        return f"{value:.{self.decimals}f}".replace("-", "−")


def decimals(largest: float) -> int:
    """Return the number of decimals for a column whose largest number is `largest`."""
    if not largest > 0:
        return DIGITS - 1
    return min(4, max(0, DIGITS - 1 - math.floor(math.log10(largest))))


def table(
    systems: Sequence[str],
    columns: Sequence[ScoreColumn],
    cells: Mapping[tuple[str, ScoreColumn], Summary],
    total: int,
) -> str:
    """Return the table as HTML.

    Parameters
    ----------
    cells : (system, column) -> the summary of its score; absent if it was not measured
    total : utterances of the page; cells with fewer say so
    """
    rows = []
    for system in systems:
        row_cells = [_cell(cells.get((system, column)), column, cells, total) for column in columns]
        rows.append(f'<tr><th scope="row">{escape(system)}</th>{"".join(row_cells)}</tr>\n')
    heads = "".join(_head(column) for column in columns)
    name = '<th scope="col"><button type="button">system</button></th>'
    return (
        '<section class="scroll" tabindex="0" aria-label="Systems by measure">'
        f"<table><thead><tr>{name}{heads}</tr></thead>\n<tbody>{''.join(rows)}</tbody>"
        "</table></section>\n"
    )


def _head(column: ScoreColumn) -> str:
    arrow, way = WAYS[column.score.better]
    label = f"{column.unit}{', ' if way else ''}{way}"
    return (
        f'<th scope="col" data-better="{column.score.better or "lower"}">'
        f'<button type="button" title="{escape(label)}">{escape(column.name)}</button>'
        f"<small>{escape(column.unit)} {arrow}</small>"
        f'<small class="hash" title="stands for its settings">{column.hash}</small></th>'
    )


def _cell(
    summary: Summary | None,
    column: ScoreColumn,
    cells: Mapping[tuple[str, ScoreColumn], Summary],
    total: int,
) -> str:
    if summary is None or not summary.utterances:
        return '<td class="none">–</td>'
    known = [one for (_, of), one in cells.items() if of == column and one.utterances]
    low, high = min(one.low for one in known), max(one.high for one in known)
    span = (high - low) or 1.0
    a, b, c = (100 * (one - low) / span for one in (summary.low, summary.high, summary.mean))
    few = f"<small>of {summary.utterances} utterances</small>" if summary.utterances < total else ""
    return (
        f'<td data-value="{summary.mean!r}"><b>{column.text(summary.mean)}</b>'
        f"<small>{column.text(summary.low)} to {column.text(summary.high)}</small>"
        '<svg viewBox="-2 0 104 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="M{a:.1f} 3H{b:.1f}"/><path class="mean" d="M{c:.1f} 0V6"/></svg>'
        f"<small>median {column.text(summary.median)}</small>{few}</td>"
    )
