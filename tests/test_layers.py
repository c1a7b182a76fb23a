"""The shape of the package itself: who may import whom, and what help costs."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import ttskit
from ttskit.cli import app

PACKAGE = Path(ttskit.__file__).parent
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
# a verb that Python keeps for itself has an underscore after the name of its file
STAGES = {path.stem.rstrip("_") for path in (PACKAGE / "stages").glob("[!_]*.py")}
ENGINES = {"torch", "torchaudio", "numba", "scipy", "numpy", "h5py", "soundfile", "soxr", "gruut"}
HEAVY = ENGINES | {"rich"}
# What each folder, and each file of the root, may import at run time beside itself.
LEAVES = {"errors", "wording", "settings", "tables", "progress"}
ARROWS = {
    "errors": {"wording"},
    "wording": set(),
    "settings": {"errors"},
    "tables": {"errors"},
    "progress": {"wording"},
    "manual": {"errors"},
    "options": {"errors", "manual", "artifacts", "models"},
    "text": {"errors", "wording"},
    "dsp": {"errors"},
    "artifacts": LEAVES | {"dsp"},
    "formats": LEAVES | {"artifacts", "dsp", "text"},
    "datasets": LEAVES | {"artifacts", "formats", "text"},
    "networks": {"errors", "settings", "dsp"},
    "models": {"errors", "settings", "dsp", "networks"},
    "voices": LEAVES | {"artifacts", "dsp", "text", "networks", "models"},
    "metrics": LEAVES | {"artifacts", "formats", "dsp", "text", "voices"},
    "pages": LEAVES | {"artifacts", "formats", "dsp", "metrics", "voices"},
    "speaking": LEAVES | {"artifacts", "formats", "dsp", "text", "networks", "models", "voices"},
    "serving": LEAVES | {"artifacts", "formats", "dsp", "text", "voices", "speaking"},
    "training": LEAVES | {"artifacts", "dsp", "text", "networks", "models", "voices"},
    "stages": LEAVES
    | {"options", "artifacts", "formats", "datasets", "dsp", "text", "networks", "models"}
    | {"voices", "metrics", "pages", "speaking", "serving", "training"},
    "cli": {"errors", "progress", "wording", "manual", "artifacts", "dsp", "stages"},
    "__main__": {"cli"},
    "__init__": {"errors", "artifacts", "dsp", "text", "voices", "speaking", "cli"},
}
# measures that stand for many: they know which artifacts there are
ACCOUNTS = {"judge.py", "scoring.py", "comparison.py", "oddities.py"}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def statements(path):
    """The imports of a module that run, here or within a function: module and name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = {
        node
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.dump(test.test)
        for node in ast.walk(test)
    }
    for node in ast.walk(tree):
        if node in typing:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ttskit":
            yield from ((node.module, alias.name) for alias in node.names)
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("ttskit."):
                    yield tuple(alias.name.rsplit(".", 1))


def imports(path):
    """The parts of ttskit that a module imports at run time."""
    for module, name in statements(path):
        yield [*module.split("."), name][1]


def files_of(folder):
    """The files of a folder, each with those of the same folder that it imports."""
    names = {path.stem for path in folder.glob("*.py")}
    below = ".".join(["ttskit", *folder.relative_to(PACKAGE).parts])
    return {
        path.stem: {
            name if module == below else module.removeprefix(f"{below}.")
            for module, name in statements(path)
            if module == below or module.startswith(f"{below}.")
        }
        & names
        for path in folder.glob("*.py")
    }


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    layer = layer_of(path)
    assert set(imports(path)) <= ARROWS[layer] | {layer, "__version__"}


def test_the_arrows_make_no_circle():
    known: set[str] = set()
    while known != ARROWS.keys():
        ready = {name for name, below in ARROWS.items() if name not in known and below <= known}
        assert ready, f"circle among {ARROWS.keys() - known}"
        known |= ready


@pytest.mark.parametrize("folder", ["", *FOLDERS], ids=lambda name: name or "root")
def test_the_files_of_a_folder_import_each_other_one_way(folder):
    try:
        graphlib.TopologicalSorter(files_of(PACKAGE / folder)).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("path", [*(PACKAGE / "metrics").glob("*.py")], ids=lambda p: p.stem)
def test_a_measure_sees_arrays_alone(path):
    if path.name not in ACCOUNTS:
        assert set(imports(path)) <= {"errors", "dsp", "text", "metrics"}


@pytest.mark.parametrize("path", [*(PACKAGE / "stages").glob("*.py")], ids=lambda p: p.stem)
def test_no_verb_imports_a_verb(path):
    assert "stages" not in set(imports(path))


def test_the_root_is_short_and_folders_are_flat():
    assert len(list(PACKAGE.glob("*.py"))) <= 10
    assert not list(PACKAGE.glob("*/*/*.py"))


@pytest.mark.parametrize("words", [["--help"], [], ["corpus", "--help"], ["info", "--bogus"]])
def test_help_and_usage_errors_do_not_wait_for_engines(words):
    code = (
        "import sys\nfrom ttskit.cli import main\n"
        f"sys.argv = ['ttskit', *{words}]\n"
        "try:\n    main()\nfinally:\n    sys.stderr = None\n"
        f"    open('/dev/fd/3', 'w').write(' '.join({HEAVY} & set(sys.modules)))\n"
    )
    call = f'{sys.executable} -c "$CODE" 3>&1 >/dev/null 2>/dev/null'
    found = subprocess.run(
        ["bash", "-c", call], capture_output=True, text=True, env={"CODE": code}, check=False
    )
    assert found.stdout == ""
    assert found.returncode == (2 if words in ([], ["info", "--bogus"]) else 0)


@pytest.mark.parametrize("command", app.registered_commands, ids=lambda c: c.name)
def test_every_verb_is_one_stage_file_with_help(command):
    assert command.name in STAGES
    assert command.callback.__doc__


def test_every_stage_file_is_a_verb():
    assert {command.name for command in app.registered_commands} == STAGES
