"""Languages: those that ttskit pronounces, and what there is of each.

Reads nothing.  A language that is not listed works on its letters: `--language characters`.
"""

from __future__ import annotations

import json
from typing import Any

import typer

from ttskit.options import TableCsv, TableJson, TableMarkdown

TESTED = frozenset({"en-us", "nl", "de-de"})  # by models of recordings, and by texts read aloud


def rows() -> list[dict[str, Any]]:
    """Return what there is of every language with phonemes, and of all others."""
    from ttskit.text.languages import CHARACTERS, LANGUAGES, installed
    from ttskit.text.others import SPEAKS_NUMBERS

    listed: list[dict[str, Any]] = [
        {
            "language": name,
            "name": language.title,
            "phonemes": len(language.phonemes()),
            "lexicon": "installed"
            if installed(name)
            else f"pip install 'ttskit[{language.package}]'",
            "figures": "read" if name == "en-us" or name in SPEAKS_NUMBERS else "dropped",
            "tested": name in TESTED,
        }
        for name, language in LANGUAGES.items()
    ]
    letters = {"phonemes": 0, "lexicon": "none: letters", "figures": "as written", "tested": True}
    return [*listed, {"language": CHARACTERS, "name": "any other", **letters}]


def command(
    as_json: TableJson = False,
    as_csv: TableCsv = False,
    as_markdown: TableMarkdown = False,
) -> None:
    """List languages, and what there is of each.

    Examples:
        ttskit languages
        ttskit languages --markdown
    """
    from ttskit import tables

    form = tables.form_of(as_json, as_csv, as_markdown)
    if form == "json":
        typer.echo(json.dumps(rows(), ensure_ascii=False))
        return
    cells = [
        {key: str(cell) for key, cell in row.items()} | {"tested": "yes" if row["tested"] else "no"}
        for row in rows()
    ]
    typer.echo(tables.text(cells, form))
