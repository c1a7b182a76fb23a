"""Tables on standard output, as text, JSON, CSV or markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from ttskit.errors import UsageError


def form_of(as_json: bool, as_csv: bool, as_markdown: bool) -> str:
    """Return the form of a table that the options ask for; at most one may be set."""
    if as_json + as_csv + as_markdown > 1:
        raise UsageError("--json, --csv and --markdown: one of them")
    return "json" if as_json else "csv" if as_csv else "markdown" if as_markdown else "text"


def text(table: Sequence[Mapping[str, str]], form: str = "text") -> str:
    """Return rows, title -> cell, as plain text, csv or markdown."""
    titles = list(dict.fromkeys(title for cells in table for title in cells))
    lines = [titles, *([cells.get(title, "") for title in titles] for cells in table)]
    if form == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(lines)
        return out.getvalue().rstrip("\n")
    if form == "markdown":
        lines.insert(1, ["---"] * len(titles))
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
