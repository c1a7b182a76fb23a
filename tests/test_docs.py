"""What the documentation claims, compared with the code."""

import re
from pathlib import Path

import pytest

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
    roots = (ROOT, ROOT / "ttskit", ROOT / "ttskit" / "text")
    assert len(named) > 30
    lost = {(page, path) for page, path in named if not any((r / path).exists() for r in roots)}
    assert lost == set()


def test_contributing_shows_every_folder_and_root_file_of_the_package():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = page.split("```\nttskit/\n")[1].split("tests/")[0]
    shown = set(re.findall(r"(?:^|  )([a-z_]+(?:/|\.py))(?= )", tree, flags=re.M))
    package = ROOT / "ttskit"
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    files = {path.name for path in package.glob("*.py")} - {"__main__.py"}
    assert shown == folders | files
