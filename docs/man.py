"""Write manual pages of the program and its verbs: `python -m docs.man FOLDER`.

They are the help pages, section by section, so they say what `--help` says.  `make wheel` writes
them into `man/`, from where they go into the wheel.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import typer

from ttskit import __version__
from ttskit.cli import app

HEAD = re.compile(r"^(\S.*):\n", re.MULTILINE)  # of a section of a help page


def pages() -> dict[str, str]:
    """Return the manual pages by name, `ttskit` and `ttskit-VERB`."""
    group: Any = typer.main.get_command(app)
    root = typer.Context(group, info_name="ttskit", help_option_names=["--help", "-h"])
    found = {"ttskit": roff("ttskit", root.get_help())}
    for verb, command in group.commands.items():
        context = typer.Context(command, info_name=verb, parent=root)
        found[f"ttskit-{verb}"] = roff(f"ttskit-{verb}", command.get_help(context))
    return found


def roff(name: str, text: str) -> str:
    """Return a help page as a manual page: usage, summary, then sections as they are."""
    usage, _, rest = text.partition("\n\n")
    about, *sections = HEAD.split(rest)
    summary, _, more = about.strip().partition("\n\n")
    lines = [
        f'.TH {name.upper()} 1 "" "ttskit {__version__}" "ttskit"',
        ".SH NAME",
        f"{_escaped(name)} \\- {_escaped(' '.join(summary.split()).rstrip('.'))}",
        ".SH SYNOPSIS",
        _escaped(" ".join(usage.removeprefix("Usage:").split())),
    ]
    if more.strip():
        lines += [".SH DESCRIPTION", ".nf", _escaped(more.strip()), ".fi"]
    for head, body in zip(sections[::2], sections[1::2], strict=True):
        lines += [f'.SH "{head.upper()}"', ".nf", _escaped(body.strip("\n")), ".fi"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Return text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (folder / f"{name}.1").write_text(page, encoding="utf-8")
