"""What help says of every verb and option, and that its examples are real; completion in shells."""

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
import typer
from typer.core import TyperGroup

from tests.factory import answer
from ttskit import __version__
from ttskit.cli import VERBS, app, stage

ROOT = Path(__file__).parents[1]
GROUP = cast(TyperGroup, typer.main.get_command(app))
NAMES = list(GROUP.commands)
PARAMETERS = [
    pytest.param(parameter, id=f"{name}:{parameter.name}")
    for name, command in GROUP.commands.items()
    for parameter in command.params
]


def page(*words):
    """The help that is printed, in lines."""
    found = answer(*words)
    assert found.returncode == 0
    return found.stdout.decode().splitlines()


def examples(name):
    """The examples of a verb's page."""
    lines = page(name, "--help")
    return [line.strip() for line in lines[lines.index("Examples:") + 1 :] if line.startswith("  ")]


def calls(example):
    """The calls of ttskit in a line of shell: their words, without redirections."""
    inner = re.search(r"\$\((ttskit [^)]*)\)", example)
    for part in re.split(r" \| ", inner[1] if inner else example):
        words = shlex.split(part)
        if words[0] == "ttskit":
            yield words[1 : words.index(">") if ">" in words else None]


def test_the_overview_has_each_verb_on_one_line_under_its_heading():
    lines = page("--help")
    assert max(map(len, lines)) <= 80
    for heading, verbs in VERBS.items():
        start = lines.index(f"{heading}:") + 1
        for line, verb in zip(lines[start:], verbs, strict=False):
            name, summary = line.split(maxsplit=1)
            assert name == verb
            assert summary == str(inspect.getdoc(stage(verb).command)).split("\n")[0]


def test_the_index_of_the_docs_has_the_same_groups():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for heading, verbs in VERBS.items():
        if heading != "Help":
            section = index.split(f"## {heading}\n")[1].split("\n## ")[0]
            assert re.findall(r"\[`ttskit (\w+)`\]", section) == [*verbs]


def test_a_verb_imports_no_other():
    code = (
        "import sys; from ttskit.cli import main; sys.argv = ['ttskit', '-q', 'ls', '--help']\n"
        "try:\n    main()\nfinally:\n"
        "    print([name for name in sys.modules if '.stages.' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert loaded == "['ttskit.stages.completion', 'ttskit.stages.ls']"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_summary_options_examples_and_where_there_is_more(name):
    lines = page(name, "--help")
    summary = GROUP.commands[name].short_help
    assert summary
    assert re.fullmatch(r"[A-Z].*\w\.", summary)
    assert lines[0].startswith(f"Usage: ttskit {name} [OPTIONS]")
    assert lines[2] == f"  {summary}"
    assert len(examples(name)) == 2
    assert lines[-1] == f"More in docs/{name}.md"
    assert (ROOT / "docs" / f"{name}.md").is_file()
    assert max(map(len, lines[: lines.index("Examples:")])) <= 80
    assert not re.search(r"list\[|<|None", "\n".join(lines[: lines.index("Examples:")]))


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_calls_that_parse(name):
    for example in examples(name):
        parsed = [words[0] for words in calls(example) if parse(words)]
        assert name in parsed


def parse(words):
    """Read words as the command line does, without running the verb."""
    return GROUP.commands[words[0]].make_context(words[0], words[1:])


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_option_is_explained_in_a_sentence_with_its_choices(parameter):
    text = parameter.help
    assert len(text.split()) >= 3, text
    assert re.match(r"[A-Z0-9]|pack|\W", text), text
    assert re.search(r"[\w)'`*]\.$", text), text
    assert not re.search(r"\b(of|by|from|with|to|the|a|is|are|what)\.$", text), text
    if not getattr(parameter, "is_flag", False):
        assert parameter.metavar, "says what kind of value it takes"
    for choice in parameter.type_descriptor.choices or ():
        assert re.search(rf"\b{getattr(choice, 'value', choice)}\b", text)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("corpus", "22050; 1000 to 768000"),
        ("say", "[default: 0.25; 0 to 60]"),
        ("features", "2 to 65536"),
        ("corpus", "[required]"),
        ("features", "[default: 8000, or half the sample rate]"),
        ("split", "[default: 2; at least 2]"),
    ],
)
def test_defaults_and_limits_are_shown(words, shown):
    assert shown in " ".join(" ".join(page(words, "--help")).split())


def test_long_pages_have_groups_and_common_options_come_last():
    headings = [line for line in page("say", "--help") if re.fullmatch(r"\S.*:", line)]
    assert headings == [
        "Arguments:",
        "Output:",
        "Voice:",
        "Text:",
        "Takes:",
        "Common options:",
        "Examples:",
    ]


def test_help_of_a_verb_is_its_page():
    assert page("help", "say") == page("say", "--help")
    assert page("help") == page("--help")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["help", "sya"], 2, "No such command 'sya'. Did you mean 'say'?"),
        (["cropus"], 2, "No such command 'cropus'. Did you mean 'corpus'?"),
        (["say", "--pich", "2"], 2, "--pitch"),
        (["completion", "tcsh"], 2, "'bash', 'zsh', 'fish'"),
        (["features", "--f0", "ear"], 2, "'crepe', 'swift', 'praat-ac', 'praat-cc'"),
        (["features", "--crepe", "huge"], 2, "'full', 'tiny'"),
        (["evaluate", "--timing", "slow"], 2, "'dtw', 'plain'"),
        (["evaluate", "--f0", "yin"], 2, "'crepe-tiny', 'crepe-full', 'praat'"),
        (["report", "--audio", "mp3"], 2, "'flac', 'ogg'"),
        (["export", "--tier", "x"], 2, "'phrases', 'words', 'phones'"),
    ],
)
def test_what_is_unknown_is_answered_with_the_nearest(words, status, message):
    found = answer(*words)
    assert found.returncode == status
    assert message in found.stderr.decode()


def test_version_is_shown():
    assert page("--version") == [f"ttskit {__version__}"]


@pytest.fixture(scope="module")
def examined(tmp_path_factory):
    """A folder with the files that cheap examples name, and a `ttskit` on the path."""
    folder = tmp_path_factory.mktemp("examples")
    shim(folder / "bin")
    assert answer("demo", folder / "recordings", "-n", 3).returncode == 0
    assert answer("corpus", folder / "recordings", "-o", folder / "corpus.h5").returncode == 0
    (folder / "LJSpeech-1.1").symlink_to(folder / "recordings")
    (folder / "words.tsv").write_text("smith\ts m ɪ θ\n")
    (folder / "book.txt").write_text("A book by Smith.\n")
    return folder


@pytest.mark.parametrize("name", ["corpus", "info", "ls", "cat", "verify", "config", "text"])
def test_cheap_examples_run(name, examined):
    for example in examples(name):
        if "features" not in example:
            shell(examined / "bin", examined, example)


def shim(folder):
    """Put a `ttskit` on the path, as an installation does."""
    folder.mkdir()
    script = folder / "ttskit"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ttskit "$@"\n')
    script.chmod(0o755)


def shell(programs, folder, line, program="bash"):
    """Run a line in a shell that finds `ttskit`; return what it prints."""
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    found = subprocess.run(
        [shutil.which(program), "-c", line],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


COMPLETIONS = {
    "ttskit feat": "features",
    "ttskit help exp": "export",
    "ttskit features --crepe ": "full tiny",
    "ttskit train voc": "vocoder",
    "ttskit train vocoder --family hi": "hifigan",
    "ttskit export --format sr": "srt",
    "ttskit say --lexicon ": "",  # the shell completes file names
}


def test_bash_completes_verbs_options_and_choices(tmp_path):
    shim(tmp_path / "bin")
    script = 'eval "$(ttskit completion bash)"\n'
    for line in COMPLETIONS:
        words = " ".join(f"'{word}'" for word in line.split(" "))
        script += f"COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n"
        script += '_ttskit_completion ttskit\necho "${COMPREPLY[*]}"\n'
    script += "complete -p ttskit"
    *found, declared = shell(tmp_path / "bin", tmp_path, script).splitlines()
    assert dict(zip(COMPLETIONS, found, strict=True)) == COMPLETIONS
    assert "-o default" in declared  # file names, where ttskit offers nothing


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish on this machine")
def test_fish_completes_verbs_options_choices_and_files(tmp_path):
    shim(tmp_path / "bin")
    (tmp_path / "names.tsv").touch()
    lines = {**COMPLETIONS, "ttskit say --lexicon ": "bin/ names.tsv"}
    script = "ttskit completion fish | source\n"
    for line in lines:
        script += f"echo (complete -C '{line}' | cut -f1 | sort)\n"
    found = shell(tmp_path / "bin", tmp_path, script, "fish").splitlines()
    assert dict(zip(lines, found, strict=True)) == lines


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh on this machine")
def test_zsh_completes_verbs_options_choices_and_files(tmp_path):
    shim(tmp_path / "bin")
    script = (
        "compdef() { : }; _files() { print files }; _arguments() { print -r -- $@ }\n"
        'eval "$(ttskit completion zsh)"\n'
    )
    for line in COMPLETIONS:
        words = line.split(" ")
        script += f"words=({' '.join(map(shlex.quote, words))}) CURRENT={len(words)}\n"
        script += "_ttskit_completion | tr '\\n' ' '; echo\n"
    found = shell(tmp_path / "bin", tmp_path, script, "zsh").splitlines()
    for line, expected in zip(found, COMPLETIONS.values(), strict=True):
        offered = re.findall(r'"([^"]*)"(?::"[^"]*")?', line)
        assert offered == expected.split() or (not expected and line.strip() == "files")


def test_completion_loads_no_engine(tmp_path):
    code = (
        "import sys\nfrom ttskit.cli import main\nsys.argv = ['ttskit']\n"
        "try:\n    main()\nfinally:\n"
        "    print({'torch', 'numpy', 'h5py', 'numba', 'scipy'} & set(sys.modules))\n"
    )
    asks = {"_TTSKIT_COMPLETE": "complete_bash", "COMP_WORDS": "ttskit\nsay\n--", "COMP_CWORD": "2"}
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **asks, "PYTHONPATH": str(ROOT)},
        check=False,
        cwd=tmp_path,
    )
    assert "--voice" in found.stdout
    assert found.stdout.endswith("set()\n")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("config glwo", 2),
        ("config glow --preset huge", 2),
        ("config glow --set steps=5", 2),
        ("config --set a=1", 2),
        ("train decodr -o x.h5", 2),
        ("text --language xx", 2),
        ("say hi -o a.m4a", 2),
        ("info none.h5", 1),
        ("say hi -o none/a.wav", 1),
        ("say --file none.txt -o a.wav", 1),
    ],
)
def test_a_wrong_command_line_is_2_and_a_wrong_file_is_1(words, status, ttskit):
    assert ttskit(*words.split(), stdin=b"a").returncode == status


def test_a_full_disk_behind_standard_output_is_named(tmp_path):
    with Path("/dev/full").open("wb") as full:
        found = subprocess.run(
            [sys.executable, "-m", "ttskit", "config"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
        )
    assert found.stderr.count(b"\n") == 1
    assert found.stderr.startswith(b"ttskit: standard output: No space left on device")
    assert found.returncode == 1


def test_an_interruption_is_one_line(ttskit, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ttskit.artifacts.streams.opened", interrupt)
    found = ttskit("ls", "corpus.h5")
    assert (found.returncode, found.stderr) == (130, b"ttskit: interrupted\n")
