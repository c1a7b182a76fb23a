"""What the documentation claims, compared with the code."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer

from docs import options
from ttskit.artifacts.kinds import KINDS
from ttskit.artifacts.record import declared
from ttskit.cli import app

ROOT = Path(__file__).parents[1]
VERBS = [command.name for command in app.registered_commands]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind())
def test_the_schema_page_says_what_the_code_says(kind):
    page = (ROOT / "docs" / "artifacts.md").read_text(encoding="utf-8")
    section = page.split(f"\n### {kind.kind()}\n")[1].split("\n#")[0]
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in section.splitlines()
        if line.startswith("| ") and not line.startswith("| column")
    ]
    expected = []
    for spec in declared(kind):
        dtype = "string" if spec.metadata["dtype"].kind == "S" else str(spec.metadata["dtype"])
        optional = " (optional)" if spec.metadata["optional"] else ""
        axes = ", ".join(spec.metadata["axes"])
        expected.append((spec.name + optional, axes, dtype, spec.metadata["unit"]))
    assert rows == expected
    for name, meaning in [*kind.attributes.items(), *kind.tables.items()]:
        assert f"`{name}` ({meaning})" in section


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page_that_names_its_options(verb, ttskit):
    page = (ROOT / "docs" / f"{verb}.md").read_text(encoding="utf-8")
    help = ttskit(verb, "--help").stdout.decode()
    options = set(re.findall(r"--[a-z0-9-]+", help)) - {"--help"}
    assert {option for option in options if option not in page} == set()


@pytest.mark.parametrize("verb", VERBS)
def test_tables_of_options_are_those_of_the_commands(verb):
    page = options.page(verb).read_text(encoding="utf-8")
    assert options.START in page
    assert page == options.renewed(page, options.COMMANDS[verb]), "run `make format`"


def command(
    texts: Annotated[list[Path], typer.Argument(metavar="TEXT...", help="What to read.")],
    level: Annotated[float, typer.Option("--level", "-l", max=0, help="Peak | dBFS.")] = -1.5,
    method: Annotated[Literal["dtw", "plain"], typer.Option(help="How.")] = "dtw",
    names: Annotated[list[str] | None, typer.Option(help="Whose.  [default: all]")] = None,
    rate: Annotated[int, typer.Option(min=8000, metavar="HZ|kHz", help="Rate.")] = 22050,
    steps: Annotated[int, typer.Option(min=1, max=9, help="Updates.")] = 3,
    dry: Annotated[bool, typer.Option("--dry", help="Only say it.")] = False,
    secret: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Do it."""


TABLE = """\
| option | value | default | meaning |
|---|---|---|---|
| `TEXT...` | path | required | What to read. |
| `--level`, `-l` | number, at most 0 | `-1.5` | Peak \\| dBFS. |
| `--method` | `dtw`, `plain` | `dtw` | How. |
| `--names` | text; repeatable | all | Whose. |
| `--rate` | `HZ\\|kHz`, at least 8000 | `22050` | Rate. |
| `--steps` | integer, 1 to 9 | `3` | Updates. |
| `--dry` |  |  | Only say it. |
"""
SECTION = f"{options.START}\n{TABLE}{options.END}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# x\n\nIt.\n", f"# x\n\nIt.\n\n## Options\n\n{SECTION}"),
        ("# x\n\n| option | |\n|---|---|\n| `-l` | level |\n\nEnd.\n", f"# x\n\n{SECTION}\nEnd.\n"),
        (f"# x\n\n{options.START}\nold\n{options.END}\n\nEnd.\n", f"# x\n\n{SECTION}\nEnd.\n"),
    ],
    ids=["at the end", "by hand", "renewed"],
)
def test_a_page_gets_the_options_of_a_command(before, after):
    assert options.renewed(before, command) == after
    assert options.renewed(after, command) == after


def test_the_index_links_to_every_page():
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(([^)]+)\)", index)) == pages


def test_errors_that_are_explained_can_occur():
    files = (ROOT / "ttskit").rglob("*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # texts that go on in the next line
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    heads = re.findall(r"^\*\*`.+?(?=\*\* )", page, flags=re.MULTILINE)
    quoted = {text for head in heads for text in re.findall(r"`(.+?)`", head)}
    assert len(quoted) > 20
    assert {text for text in quoted if text not in source} == {"ttskit: command not found"}


def test_the_readme_names_every_verb():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {verb for verb in VERBS if f"`{verb}`" not in readme} == set()


def test_every_link_leads_somewhere():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_files_that_pages_name_are_there():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")]
    named = {
        (page.name, path)
        for page in pages
        if page.name != "CHANGELOG.md" and not page.name.startswith("adding-")  # a test follows
        for path in re.findall(r"[ `]([a-z][a-z_/-]*\.py)\b", page.read_text(encoding="utf-8"))
    }
    roots = (ROOT, ROOT / "ttskit", ROOT / "ttskit" / "text", ROOT / "ttskit" / "voices")
    assert len(named) > 30
    lost = {(page, path) for page, path in named if not any((r / path).exists() for r in roots)}
    assert lost == set()


def test_contributing_shows_every_folder_and_root_file_of_the_package():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = page.split("```\nttskit/\n")[1].split("tests/")[0]
    shown = set(re.findall(r"(?:^|  )([a-z_]+(?:/|\.py))(?= )", tree, flags=re.M))
    package = ROOT / "ttskit"
    data = {f"{path.parent.name}/" for path in package.glob("*/*.mk")}
    folders = data | {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    files = {path.name for path in package.glob("*.py")} - {"__main__.py"}
    assert shown == folders | files
