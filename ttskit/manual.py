"""How help pages are laid out: verbs by what they are for, options in groups, examples last.

Typer's own plain help cuts summaries, shows the types of Python, and has no groups without rich,
which would double the time to the first line.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from typer.core import TyperCommand, TyperGroup

from ttskit.errors import UsageError

RUNNING = "Common options"  # those that mean the same in every verb that has them
EXAMPLES = "Examples:"  # in the docstring of a verb, above its examples
HELP = {"help_option_names": ["--help", "-h"]}  # context settings of every verb
# options that other programs for speech have (Piper, espeak, Kokoro), and what is the same here
MEANT = {
    "--speed": "--rate",
    "-s": "--rate",
    "--model": "--voice",
    "-m": "--voice",
    "-v": "--voice",
    "--output-file": "--output",
    "--output_file": "--output",
    "--out": "--output",
    "-w": "--output",
    "--input-file": "--file",
    "--input_file": "--file",
    "--length_scale": "--length-scale",
    "--noise_scale": "--noise-scale",
    "--sentence-silence": "--pause",
    "--sentence_silence": "--pause",
    "--output-raw": "--raw",
    "--output_raw": "--raw",
    "--stdout": "--output -",
    "-p": "--pitch",
    "-g": "--pause",
    "-a": "--energy",
    "--volume": "--energy",
}
# options of such programs that `say` needs no option for: what to do instead
INSTEAD = {
    **dict.fromkeys(("--text", "-t"), 'the text stands alone: ttskit say "Hello there."'),
    **dict.fromkeys(("--lang", "--language", "-l"), "the language is that of the voice"),
    **dict.fromkeys(("--voices", "--list-voices", "--help-voices"), "see ttskit voices"),
    **dict.fromkeys(("-x", "--ipa"), "see ttskit text --phonemes"),
    **dict.fromkeys(("-q", "--quiet"), "ttskit -q say is quiet"),
    **dict.fromkeys(
        ("--stdin", "--stream"), "leave it out: standard input is read, and spoken line by line"
    ),
    "--format": "the suffix of --output says it: -o a.mp3",
}


class Page(TyperCommand):
    """The help of one verb, from its docstring: summary, options, examples, page in docs/."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of a call; an option that another program has is answered by ours."""
        known = {name for param in self.get_params(ctx) for name in param.opts}
        for word in args[: args.index("--")] if "--" in args else args:
            name = word.partition("=")[0]
            meant = MEANT.get(name, "")
            if name not in known and meant.partition(" ")[0] in known:
                raise UsageError(f"{self.name} has no option {name}: did you mean {meant}?")
            if name not in known and self.name == "say" and name in INSTEAD:
                raise UsageError(f"say has no option {name}: {INSTEAD[name]}")
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the verb in the line `Usage:`."""
        params = self.get_params(ctx)
        return ["[OPTIONS]", *(_usage(param) for param in params if _is_argument(param))]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page; each example is one line, however long it is."""
        text, _, examples = (self.help or "").partition(EXAMPLES)
        self.format_usage(ctx, formatter)
        _write_text(text, formatter)
        _write_parameters(self.get_params(ctx), formatter)
        with formatter.section(EXAMPLES.removesuffix(":")):
            for line in filter(None, map(str.strip, examples.splitlines())):
                formatter.write(f"  {line}\n")
        formatter.write(f"\nMore in docs/{self.name}.md\n")


class Overview(TyperGroup):
    """The help of the whole program: every verb with its summary, grouped by panel."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb; a text in its place is answered by `say`."""
        if " " in args[0].strip():
            raise UsageError(f'{args[0]!r:.60} is no verb: did you mean ttskit say "..."?')
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs, then the options that come before a verb."""
        self.format_usage(ctx, formatter)
        _write_text(self.help or "", formatter)
        width = max(map(len, self.commands))
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, verb in self.commands.items():
            panel = str(getattr(verb, "rich_help_panel", "Verbs"))
            panels.setdefault(panel, []).append((name.ljust(width), verb.short_help or ""))
        _write_sections(panels, formatter)
        _write_parameters(self.get_params(ctx), formatter)
        _write_text(self.epilog or "", formatter)


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _usage(param: Any) -> str:
    return _name(param) if param.required else f"[{_name(param)}]"


def _name(param: Any) -> str:
    return str(param.metavar or param.name.upper())


def _label(param: Any) -> str:
    """Return how a parameter is written: `-o, --output FILE`."""
    if _is_argument(param):
        return _name(param)
    names = ", ".join(sorted(param.opts, key=len))
    return names if param.is_flag else f"{names} {_name(param)}"


def _facts(param: Any) -> str:
    """Return a parameter's default and limits in brackets, or nothing where it has none."""
    facts = ["required"] if param.required else []
    shown = param.show_default
    default = shown if isinstance(shown, str) else param.default
    if isinstance(default, Enum):
        default = default.value
    if default is not None and default != "" and not getattr(param, "is_flag", False):
        facts.append(f"default: {_number(default)}")
    least, most = getattr(param, "min", None), getattr(param, "max", None)
    if most is not None:
        facts.append(f"{_number(least)} to {_number(most)}")
    elif least is not None and least > 1:  # that a count is not negative goes without saying
        facts.append(f"at least {_number(least)}")
    return f"  [{'; '.join(facts)}]" if facts else ""


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _write_text(text: str, formatter: Any) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(text.strip())


def _write_parameters(params: list[Any], formatter: Any) -> None:
    panels = {param: getattr(param, "rich_help_panel", None) for param in params}
    last = RUNNING if RUNNING in panels.values() else "Options"
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], last: []}
    for param, panel in panels.items():
        if _is_argument(param):
            panel = "Arguments"
        elif "--help" in param.opts:  # Typer's own
            panel = last
        row = _label(param), f"{param.help}{_facts(param)}"
        sections.setdefault(panel or "Options", []).append(row)
    sections[last] = sections.pop(last)
    _write_sections(sections, formatter)


def _write_sections(sections: dict[str, list[tuple[str, str]]], formatter: Any) -> None:
    for heading, rows in sections.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)
