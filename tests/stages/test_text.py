import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ttskit.errors import TextError
from ttskit.stages import text

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import typer
from ttskit.errors import TtskitError
from ttskit.stages import text
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(text.command)
if __name__ == "__main__":
    try:
        app()
    except TtskitError as error:
        sys.exit(f"ttskit: {error}")
"""


@pytest.fixture
def run():
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(text.command)

    def run(*options, stdin=b""):
        return CliRunner().invoke(app, [str(option) for option in options], input=stdin)

    return run


@pytest.fixture
def program(tmp_path):
    (tmp_path / "verb.py").write_text(PROGRAM.replace("{root!r}", repr(str(ROOT))))
    return [sys.executable, str(tmp_path / "verb.py")]


def test_lines_in_lines_out_and_an_empty_line_stays(run):
    result = run(stdin=b"It is 5.\n\n  \nYes")
    assert (result.exit_code, result.stdout) == (0, "It is five.\n\n\nYes\n")


def test_phonemes_are_written_apart_without_begin_and_end(run):
    assert run("--phonemes", stdin=b"Go, now.").stdout == "ɡ ˈoʊ , # n ˈaʊ .\n"


def test_sentences_are_written_one_a_line(run):
    result = run("--sentences", stdin=b"Dr. No came. He left.\n\nEnd\n")
    assert result.stdout == "Dr. No came.\nHe left.\n\nEnd\n"


def test_unknown_writes_a_lexicon_that_can_be_read_back(run, tmp_path):
    result = run("--unknown", stdin=b"The zzyzx sees a Zzyzx.\nOh zzyzx\n")
    assert result.stdout.startswith("zzyzx\t")
    assert result.stdout.count("\n") == 1
    (tmp_path / "words.tsv").write_text(result.stdout)
    again = run("--unknown", "--lexicon", tmp_path / "words.tsv", stdin=b"The zzyzx\n")
    assert again.stdout == ""


def test_files_in_order_with_windows_line_ends_and_a_byte_order_mark(run, tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone 1\r\n")
    (tmp_path / "b").write_bytes(b"two 2")
    assert (
        run(tmp_path / "a", "-", tmp_path / "b", stdin=b"in\n").stdout == "one one\nin\ntwo two\n"
    )


def test_characters_that_are_not_spoken_are_noted_with_their_place(run):
    result = run(stdin="ok\nso 👍\n".encode())
    assert result.stdout == "ok\nso\n"
    assert result.stderr == "standard input:2: not spoken: U+1F44D (column 4)\n"


def test_output_does_not_depend_on_jobs(run):
    stdin = "".join(f"Line {n} costs ${n}.50, Dr. Zzyzx.\n\n" for n in range(300)).encode()
    alone, many = run("--phonemes", stdin=stdin), run("--phonemes", "--jobs", 2, stdin=stdin)
    assert many.exit_code == 0
    assert many.stdout == alone.stdout


def test_two_forms_at_once_are_a_usage_error(run):
    result = run("--phonemes", "--unknown")
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("options", "stdin", "message"),
    [
        ([], b"good\nb\xe4d\n", "standard input:2: byte 0xe4 is not UTF-8"),
        (
            ["--phonemes"],
            b"good\n[[Q]]\n",
            r"standard input:2: \[\[Q\]\] at character 1: symbol 'Q'",
        ),
        (["--jobs", "2"], b"good\n[[Q]]\n", r"standard input:2: \[\[Q\]\]"),
        (["nowhere.txt"], b"", "nowhere.txt: No such file"),
        (["--language", "tlh"], b"", "language 'tlh'"),
    ],
)
def test_errors_of_the_user_are_one_line(run, options, stdin, message):
    with pytest.raises(TextError, match=message) as caught:
        raise run(*options, stdin=stdin).exception
    assert "\n" not in str(caught.value)


def test_lines_before_a_bad_one_are_written(run):
    assert run(stdin=b"good 1\nb\xe4d\n").stdout == "good one\n"


def test_each_line_is_written_before_the_next_is_read(program):
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": buffered}
    with subprocess.Popen(program, **pipes) as process:
        assert process.stdin
        assert process.stdout
        for number, word in enumerate([b"zero", b"one", b"two"]):
            process.stdin.write(b"%d\n" % number)
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], 20)
            if not ready:
                process.kill()
            assert process.stdout.readline() == word + b"\n"
        process.stdin.close()
        assert process.wait() == 0


def test_the_end_of_the_reader_is_no_error(program):
    script = 'yes "It is 5." | "$0" "$1" | head -n 2'
    result = subprocess.run(["bash", "-c", script, *program], capture_output=True, timeout=60)
    assert (result.stdout, result.stderr) == (b"It is five.\n" * 2, b"")


def test_help_and_usage_errors_import_nothing_heavy(program):
    script = "import sys, runpy; sys.argv = ['verb', '--help']\ntry: runpy.run_path({!r})\n" \
        "except SystemExit: pass\nprint(*sys.modules)"  # fmt: skip
    code = script.format(program[1]).replace(
        "run_path(", "run_path(run_name='__main__', path_name="
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = set(result.stdout.split())
    assert "ttskit.stages.text" in loaded
    assert not loaded & {"gruut", "numpy", "numba", "torch", "h5py", "num2words", "pycrfsuite"}
