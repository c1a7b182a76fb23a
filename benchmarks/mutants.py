"""Plant mutants in a copy of the package, one at a time, and see which of them the tests kill.

    python benchmarks/mutants.py                    # all of mutants.tsv
    python benchmarks/mutants.py dsp/mel.py models  # those of files whose path contains a word

`mutants.tsv` has a row for each: a file of the package, a text that it has once, what takes its
place, and the tests that concern it.  A mutant is killed if one of them fails or takes ten minutes;
the last table has the share killed by file.
"""

from __future__ import annotations

import csv
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
# imported once, before the processes of the mutants are forked, beside what the tests import
PRELOADED = "lightning_fabric matplotlib.figure librosa.core librosa.filters librosa.feature"
LONGEST = 600  # seconds
FAILED = 1  # exit status of pytest


class Mutant(NamedTuple):
    """A change that some test should notice."""

    file: str
    old: str
    new: str
    tests: list[str]


def mutants(words: list[str]) -> list[Mutant]:
    """Return the mutants of all files, or of those whose path contains one of the words."""
    with (ROOT / "benchmarks" / "mutants.tsv").open(encoding="utf-8") as file:
        rows = [*csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)][1:]
    every = [Mutant(file, old, new, shlex.split(tests)) for file, old, new, tests in rows]
    return [one for one in every if not words or any(word in one.file for word in words)]


def killed(mutant: Mutant, copy: Path) -> bool:
    """Plant a mutant in the copy, run its tests, and take it out again."""
    path = copy / "ttskit" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        sys.exit(f"{mutant.file}: has {mutant.old!r} {text.count(mutant.old)} times, needs once")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    status = tested(mutant.tests, copy)
    path.write_text(text, encoding="utf-8")
    if status not in (0, FAILED, -signal.SIGALRM):
        sys.exit(f"{mutant.file}: {mutant.new!r}: the tests did not run (status {status})")
    return status != 0


def tested(tests: list[str], copy: Path) -> int:
    """Run tests of the copy in a process of its own, and return their status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(LONGEST)
    os.environ["PYTHONPATH"] = str(copy)
    status = run(["-x", *tests], copy)
    os._exit(status)


def run(arguments: list[str], copy: Path) -> int:
    """Run pytest in the copy, with what it prints in a file, and return its status."""
    import pytest

    with (copy / "output.txt").open("w") as output, redirect_stdout(output):
        return int(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]))


def preload(files: set[str], copy: Path) -> None:
    """Import all that tests import, and forget the package and the tests again."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = True
    for name in PRELOADED.split():
        import_module(name)
    if run(["--collect-only", *sorted(files)], copy):
        sys.exit((copy / "output.txt").read_text())
    for name in [*sys.modules]:
        if name.split(".")[0] in ("ttskit", "tests"):
            del sys.modules[name]


def main() -> None:
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
    wanted = mutants(sys.argv[1:])
    tally: dict[str, list[bool]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("ttskit", "tests"):
            shutil.copytree(ROOT / name, copy / name)
        for name in ("pyproject.toml", "README.md", "docs", "examples"):
            (copy / name).symlink_to(ROOT / name)
        preload({test for one in wanted for test in one.tests if test.endswith(".py")}, copy)
        for mutant in wanted:
            began = time.monotonic()
            dead = killed(mutant, copy)
            tally[mutant.file].append(dead)
            seconds = time.monotonic() - began
            change = f"{mutant.old} -> {mutant.new or '(nothing)'}"
            print("killed  " if dead else "SURVIVED", f"{seconds:4.0f} s", mutant.file, change,
                  flush=True)  # fmt: skip
    for file, each in sorted(tally.items()):
        print(f"{file}: {sum(each)} of {len(each)}")
    every = [one for dead in tally.values() for one in dead]
    print(f"mutants: {sum(every)} of {len(every)} killed ({sum(every) / len(every):.0%})")


if __name__ == "__main__":
    main()
