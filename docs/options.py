"""Write the options of verbs into their pages: `python -m docs.options [VERB]...`.

The table stands between two comments, so that the rest of the page is left as it is.  Without a
verb, every page that has such a table is renewed.  The page of a verb that is named gets one if it
has none: in the place of its first table headed "option", or else at its end.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from typer.models import ArgumentInfo, OptionInfo
from typer.utils import get_params_from_function

from ttskit.cli import app

START, END = "<!-- options -->", "<!-- /options -->"
HEAD = "| option | value | default | meaning |\n|---|---|---|---|\n"
TYPES = {int: "integer", float: "number", str: "text", Path: "path"}
SECTION = re.compile(f"{re.escape(START)}.*?{re.escape(END)}\n", re.DOTALL)
WRITTEN = re.compile(r"^\| option \|.*\n(?:\|.*\n)*", re.MULTILINE)
COMMANDS = {
    command.name: command.callback
    for command in app.registered_commands
    if command.name and command.callback and not command.hidden
}


def page(verb: str) -> Path:
    """Return where the page of a verb is."""
    return Path(__file__).with_name(f"{verb}.md")


def renewed(text: str, command: Callable[..., Any]) -> str:
    """Return the text of a page with the options that its command has."""
    section = f"{START}\n{table(command)}{END}\n"
    for pattern in (SECTION, WRITTEN):
        if pattern.search(text):
            return pattern.sub(lambda _: section, text, count=1)
    return f"{text}\n## Options\n\n{section}"


def table(command: Callable[..., Any]) -> str:
    """Return a Markdown table: a row for each argument, then for each option."""
    found = get_params_from_function(command).values()  # and the context, if it is asked for
    shown = [one for one in found if isinstance(one.default, ArgumentInfo | OptionInfo)]
    shown = [one for one in shown if not one.default.hidden]
    shown.sort(key=lambda one: isinstance(one.default, OptionInfo))  # stable: arguments first
    rows = [_cells(one.name, one.annotation, one.default) for one in shown]
    return HEAD + "".join("| " + " | ".join(cells) + " |\n" for cells in rows)


def _cells(
    name: str, annotation: Any, info: ArgumentInfo | OptionInfo
) -> tuple[str, str, str, str]:
    """Return the columns of one row: name, value, default, meaning."""
    meaning, stated = _split(info.help or "")
    flag = isinstance(info, OptionInfo) and annotation is bool
    return (
        _name(name, info, flag),
        "" if flag else _value(annotation, info),
        _escaped(stated) or _default(info),
        _escaped(meaning),
    )


def _name(name: str, info: ArgumentInfo | OptionInfo, flag: bool) -> str:
    if isinstance(info, ArgumentInfo):
        return f"`{info.metavar or name.upper()}`"
    spelled = name.replace("_", "-")
    declared = list(info.param_decls or ()) or [f"--{spelled}/--no-{spelled}" if flag else ""]
    words = [word for one in declared for word in (one or f"--{spelled}").split("/") if word]
    return ", ".join(f"`{word}`" for word in sorted(words, key=lambda word: word[:2] != "--"))


def _value(annotation: Any, info: ArgumentInfo | OptionInfo) -> str:
    inner, several = _inner(annotation)
    if choices := _choices(inner):
        value = ", ".join(f"`{choice}`" for choice in choices)
    elif isinstance(info, OptionInfo) and info.metavar:
        value = f"`{info.metavar}`".replace("|", r"\|") + _bounds(info.min, info.max)
    else:
        value = TYPES[inner] + _bounds(info.min, info.max)
    return f"{value}; repeatable" if several and isinstance(info, OptionInfo) else value


def _inner(annotation: Any) -> tuple[Any, bool]:
    """Return the type of one value, and whether there may be several."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(one for one in get_args(annotation) if one is not NoneType)
    if get_origin(annotation) is list:
        return get_args(annotation)[0], True
    return annotation, False


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return list(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return []


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    if low is not None and low > 1:  # that a count is not negative goes without saying
        return f", at least {low:g}"
    return "" if high is None else f", at most {high:g}"


def _split(help: str) -> tuple[str, str]:
    """Part a help text from a default that it states in words."""
    match = re.fullmatch(r"(.*?)\s*\[default: (.*)\]", help, re.DOTALL)
    return (match[1], match[2]) if match else (help, "")


def _default(info: ArgumentInfo | OptionInfo) -> str:
    if isinstance(info.show_default, str):
        return _escaped(info.show_default)
    if info.default is ...:
        return "required"
    if info.default is None or info.default is False or info.default == "":
        return ""
    return f"`{info.default.value if isinstance(info.default, Enum) else info.default}`"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<").replace("[", "\\[")


def main(verbs: list[str]) -> None:
    """Renew the pages of the verbs that are named, or else all that have a table."""
    for verb in verbs or COMMANDS:
        text = page(verb).read_text(encoding="utf-8")
        if verbs or START in text:
            page(verb).write_text(renewed(text, COMMANDS[verb]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
