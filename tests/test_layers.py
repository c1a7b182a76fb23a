"""The shape of the package itself: who may import whom, and what help costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ttskit
from ttskit.cli import app

PACKAGE = Path(ttskit.__file__).parent
# a verb that Python keeps for itself has an underscore after the name of its file
STAGES = {path.stem.rstrip("_") for path in (PACKAGE / "stages").glob("[!_]*.py")}
ENGINES = {"torch", "torchaudio", "numba", "scipy", "numpy", "h5py", "soundfile", "soxr", "gruut"}
HEAVY = ENGINES | {"rich"}
# A layer may import itself, the layers before it, and nothing after it.
LAYERS = (
    {"errors", "whole", "wording"},
    {"progress", "audio", "ids", "hdf5", "record", "settings", "intervals", "tabular"},
    {"sink", "given"},
    {"part", "pool"},
    {"cluster"},
    {"artifact"},
    {"kinds"},
    {"streams", "options", "panels", "said"},
    {"work"},
    {"datasets", "text", "dsp"},
    {"models", "metrics", "textgrid", "timings"},
    {"pages"},
    {"trained"},
    {"training", "synthesis", "scoring", "results", "listening"},
    {"voice", "script"},
    {"speaking"},
    {"timed"},
    {"stages"},
    {"cli"},
    {"__main__", "__init__"},
)
PURE = {
    "dsp": {"errors", "audio"},
    "text": {"errors"},
    "datasets": {"errors", "audio", "ids", "wording"},
    "models": {"errors", "settings", "dsp"},
    "metrics": {"errors", "dsp", "text"},
    "pages": {"errors", "audio", "intervals", "dsp", "metrics"},
}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """The parts of ttskit that a module imports at run time, here or within a function."""
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
            inner = node.module.split(".")[1:]
            yield from inner[:1] if inner else [alias.name for alias in node.names]
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("ttskit."):
                    yield alias.name.split(".")[1]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    layer = layer_of(path)
    depth = next(depth for depth, names in enumerate(LAYERS) if layer in names)
    allowed = set().union(*LAYERS[:depth]) | LAYERS[depth]
    allowed = PURE.get(layer, allowed) | {layer, "__version__"}
    assert set(imports(path)) <= allowed


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


@pytest.mark.parametrize("verb", ["export", "import_", "say", "text"])
def test_what_verbs_share_lies_below_them(verb):
    """Each can be read, changed and removed alone; how an artifact is summed up is `info`'s."""
    code = (PACKAGE / "stages" / f"{verb}.py").read_text(encoding="utf-8")
    borrowed = {line.strip() for line in code.splitlines() if "from ttskit.stages" in line}
    assert borrowed <= {"from ttskit.stages import info"}
