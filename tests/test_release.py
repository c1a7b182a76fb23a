"""What a release is: one version, a changelog of it, and all of the package in what is built."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import ttskit

ROOT = Path(__file__).parents[1]
NAMED = ["CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "constraints.txt", "pyproject.toml"]
GENERATED = {"PKG-INFO", "setup.cfg"}
CHANGES = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_version_is_stated_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", ttskit.__version__)


def test_the_changelog_keeps_a_section_for_each_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, *released = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert unreleased.startswith("[Unreleased]\n")
    assert re.match(rf"\[{ttskit.__version__}\] - \d{{4}}-\d\d-\d\d\n", released[0])
    for section in [unreleased, *released]:
        heads = re.findall(r"^### (.+)$", section, flags=re.MULTILINE)
        assert set(heads) <= CHANGES
        assert len(heads) == len(set(heads))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with an sdist and a wheel, built from a copy of the repository."""
    source = tmp_path_factory.mktemp("source")
    for name in NAMED:
        shutil.copy(ROOT / name, source)
    for folder in ("ttskit", "docs", "tests"):
        shutil.copytree(ROOT / folder, source / folder)
    for kind in ("sdist", "wheel"):
        program = f"from setuptools import build_meta; build_meta.build_{kind}('dist')"
        words = [sys.executable, "-c", program]
        subprocess.run(words, cwd=source, check=True, capture_output=True)
    return source / "dist"


def package() -> set[str]:
    """Every file of the package, as a path below the repository."""
    files = (path for path in (ROOT / "ttskit").rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in files if path.parent.name != "__pycache__"}


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(built):
    (path,) = built.glob(f"ttskit-{ttskit.__version__}-py3-none-any.whl")
    names = {name for name in zipfile.ZipFile(path).namelist() if ".dist-info/" not in name}
    assert names == package()


@pytest.mark.slow
def test_the_sdist_holds_what_a_build_needs_and_nothing_else(built):
    (path,) = built.glob(f"ttskit-{ttskit.__version__}.tar.gz")
    with tarfile.open(path) as archive:
        files = {member.name.split("/", 1)[1] for member in archive if member.isfile()}
    names = {name for name in files if ".egg-info/" not in name}
    assert names - GENERATED == package() | set(NAMED)
