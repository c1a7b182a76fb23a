"""A page: the frame around its articles, with style and script, in one file.

The policy at its top lets a browser run this script alone and load nothing from anywhere, so
that a text with markup in it is harmless even if it were not escaped.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

KEYS = (
    ("1 … 9", "hear a take at the same place"),
    ("space", "play, pause"),
    ("← →", "back, on"),
    ("j k", "next, previous utterance"),
    ("/", "filter"),
)


def top(title: str, lead: str, script_name: str = "page") -> str:
    """Return the beginning of a page, up to its content; `lead` is HTML."""
    script = b64encode(sha256(_file(f"{script_name}.js").encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_file('page.css')}</style>\n</head>\n<body>\n"
        f'<header class="top"><h1>{escape(title)}</h1>\n<p class="lead">{lead}</p></header>\n'
        "<main>\n"
    )


def controls(count: int, columns: Sequence[str], takes: Sequence[str], sorted_by: int) -> str:
    """Return the controls of a page of `count` articles: filter and sorting."""
    choices = [(-1, "order of the corpus"), *enumerate(columns)]
    sort = _select("by", "worst first by", choices, sorted_by) if columns else ""
    if columns and len(takes) > 1:
        sort += _select("of", "of", [(-1, "whichever is worst"), *enumerate(takes)], -1)
    keys = KEYS if len(takes) > 1 else KEYS[1:]  # the first is to change takes
    lines = "".join(f"<span><kbd>{escape(key)}</kbd> {does}</span>" for key, does in keys)
    return (
        '<div class="tools" role="search"><label>filter <input id="filter" type="search" '
        f'autocomplete="off" aria-keyshortcuts="/"></label>{sort}'
        f'<output id="count" data-of="{count}">{count} utterances</output></div>\n'
        f'<p class="keys">{lines}</p>\n'
        '<div id="said" class="unseen" role="status"></div>\n'
    )


def _select(id: str, label: str, choices: Sequence[tuple[int, str]], chosen: int) -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{escape(name)}</option>'
        for value, name in choices
    )
    return f'<label>{label} <select id="{id}">{options}</select></label>'


def facts(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a collapsed table of texts."""
    names = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    lines = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows
    )
    return (
        f"<details><summary>{escape(title)}</summary>"
        f'<section class="scroll" tabindex="0" aria-label="{escape(title)}">'
        f"<table><thead><tr>{names}</tr></thead>\n<tbody>{lines}</tbody></table></section></details>\n"
    )


def bottom(script_name: str = "page") -> str:
    """Return the end of a page."""
    return f"</main>\n<script>{_file(f'{script_name}.js')}</script>\n</body>\n</html>\n"


def _file(name: str) -> str:
    return files("ttskit.pages").joinpath(name).read_text(encoding="utf-8")
