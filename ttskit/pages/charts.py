"""A page of facts and charts, in one file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

from ttskit.pages import page as frame


def page(title: str, facts: Sequence[tuple[str, str]], charts: Mapping[str, bytes]) -> str:
    """Return HTML of facts (what, and its value) and of PNG images by their names."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>\n'
        for name, value in facts
    )
    images = "".join(
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<img alt="{escape(name)}" style="max-width:100%" src="data:image/png;base64,'
        f'{b64encode(png).decode()}"></figure>\n'
        for name, png in charts.items()
    )
    lead = f"{len(facts)} facts, {len(charts)} charts"
    table = f'<table class="texts"><tbody>\n{rows}</tbody></table>\n'
    return frame.top(title, lead) + table + images + "</main>\n</body>\n</html>\n"
