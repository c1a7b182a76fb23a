"""Faults and kills at every system call by which a run changes files: `make chaos`.

A small library that is loaded before the C library counts the calls that write, flush, rename,
link, cut or delete files, and lets one of them fail, write a part only, or kill the process.
Every verb of `CASES` runs once for each call and each fault; then the same command runs again
without one.  Its files must be those of a run that nothing disturbed, byte by byte, with nothing
beside them; and the fault must be told in one line.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { NOTHING, FAIL, SHORT, KILL };
static int fault, code;
static long left, seen;

void chaos_arm(int wanted, int error, long call) {
    fault = wanted; code = error; left = call; seen = 0;
}
long chaos_seen(void) { return seen; }

static int strikes(void) {
    seen++;
    if (!fault || --left) return 0;
    if (fault == KILL) kill(getpid(), SIGKILL);
    return 1;
}
static int is_file(int fd) {
    struct stat facts;
    return !fstat(fd, &facts) && S_ISREG(facts.st_mode);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define SIMPLE(name, parameters, arguments) \
    int name parameters { \
        if (strikes() && fault == FAIL) { errno = code; return -1; } \
        return REAL(name) arguments; \
    }
#define NAME(name, parameters, arguments) /* these are never interrupted */ \
    int name parameters { \
        if (strikes() && fault == FAIL && code != EINTR) { errno = code; return -1; } \
        return REAL(name) arguments; \
    }
#define WRITE(name, parameters, whole, half) \
    ssize_t name parameters { \
        if (fd > 2 && is_file(fd) && strikes()) { \
            if (fault == FAIL) { errno = code; return -1; } \
            if (fault == SHORT && count > 1) return REAL(name) half; \
        } \
        return REAL(name) whole; \
    }

WRITE(write, (int fd, const void *data, size_t count), (fd, data, count), (fd, data, count / 2))
WRITE(pwrite64, (int fd, const void *data, size_t count, off64_t at), (fd, data, count, at),
      (fd, data, count / 2, at))
SIMPLE(fsync, (int fd), (fd))
SIMPLE(ftruncate64, (int fd, off64_t size), (fd, size))
SIMPLE(truncate64, (const char *path, off64_t size), (path, size))
NAME(rename, (const char *from, const char *to), (from, to))
NAME(linkat, (int a, const char *b, int c, const char *d, int e), (a, b, c, d, e))
NAME(unlink, (const char *path), (path))
NAME(rmdir, (const char *path), (path))
NAME(mkdir, (const char *path, mode_t mode), (path, mode))
"""
FAIL, SHORT, KILL = 1, 2, 3
FAULTS = {
    "no space": (FAIL, errno.ENOSPC),
    "I/O error": (FAIL, errno.EIO),
    "interrupted": (FAIL, errno.EINTR),
    "short write": (SHORT, 0),
    "kill": (KILL, 0),
}
MODULES = (
    "soxr",
    "ttskit.cli",
    "ttskit.pages.listening",
    "ttskit.datasets.manifest",
    "ttskit.text.ssml",
    "ttskit.models.glow",
    "ttskit.models.rvq",
    "ttskit.training.run",
)
CASES = {  # a verb: its words, and the standard input of the one that reads it
    "corpus": "corpus data --jobs 1 -o out.h5",
    "select": "select corpus.h5 --speaker ann -o out.h5",
    "select from a pipe": "select --speaker ann -o out.h5",
    "merge": "merge corpus.h5 other.h5 -o out.h5",
    "export wav": "export corpus.h5 --format wav -o out",
    "export flac": "export corpus.h5 --format flac -o out",
    "export srt": "export alignment.h5 -o out.srt",
    "export textgrid": "export alignment.h5 --format textgrid -o out",
    "split": "split corpus.h5 -o out-{}.h5",
    "tokens": "tokens corpus.h5 --jobs 1 -o out.h5",
    "features": "features speech/corpus.h5 --f0 praat --jobs 1 -o out.h5",
    "align": "align speech/features.h5 speech/tokens.h5 --aligner flat -o out.h5",
    "train": "train duration speech/alignment.h5 --steps 3 -o out.h5",
    "encode": "encode speech/features.h5 --codec speech/codec.h5 -o out.h5",
    "decode": "decode letters.txt --duration speech/duration.h5 "
    "--decoder speech/decoder.h5 -o out.h5",
    "vocode": "vocode speech/features.h5 --vocoder griffinlim -o out.h5",
    "evaluate": "evaluate speech/corpus.h5 speech/corpus.h5 --measures mcd,f0 --jobs 1 -o out.h5",
    "voice pack": "voice pack speech/duration.h5 speech/decoder.h5 source "
    "--card card.toml -o out.h5",
    "say": "say --file lines.txt -o out.wav",
}
CODEC = {"stride": 4, "size": 32, "books": 2, "channels": 16, "layers": 1}
RECORDS = "log.jsonl", "last.h5", ".png"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its status (minus a signal), and what it wrote to standard error."""

    status: int
    errors: str

    @property
    def is_told(self) -> bool:
        """Whether a failed run says why, and in one line at the end."""
        lines = self.errors.splitlines()
        return "Traceback" not in self.errors and bool(lines) and lines[-1].startswith("ttskit: ")


def compiled(folder: Path) -> Path:
    """Compile the library, and return its path."""
    library = folder / "chaos.so"
    words = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), "-ldl"]
    subprocess.run(words, input=SOURCE.encode(), check=True)
    return library


def run(
    folder: Path,
    words: str,
    fault: str = "",
    call: int = 0,
    begin: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run the command line in a fork of this process, with a fault at one of its calls.

    `begin` is called in the fork before it.
    """
    log = folder.with_suffix(".log")
    child = os.fork()
    if not child:
        begin()
        _become(folder, log, words.split(), fault, call)
    _, status = os.waitpid(child, 0)
    return Outcome(os.waitstatus_to_exitcode(status), log.read_text(errors="replace"))


def _become(folder: Path, log: Path, words: list[str], fault: str, call: int) -> None:
    """Be the command line, until the end of this process."""
    from ttskit.cli import main

    status = 1
    try:
        os.chdir(folder)
        piped = "corpus.h5" if words[:2] == ["select", "--speaker"] else os.devnull
        os.dup2(os.open(piped, os.O_RDONLY), 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        tempfile.tempdir = str(folder / "temporary")
        sys.argv = ["ttskit", *words]
        atexit._clear()
        kind, code = FAULTS.get(fault, (0, 0))
        ctypes.CDLL(None).chaos_arm(kind, code, ctypes.c_long(call))
        main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        seen = ctypes.CDLL(None).chaos_seen
        seen.restype = ctypes.c_long
        Path(log).with_suffix(".seen").write_text(str(seen()))
        sys.stderr.flush()
        os._exit(status)


def calls(folder: Path) -> int:
    """Return how many calls the last run in a folder made."""
    return int(folder.with_suffix(".seen").read_text())


def contents(folder: Path) -> dict[str, str]:
    """Return the sha256 of all files below a folder, by their paths; folders are there, too.

    What a training keeps beside its model holds times, and is left out.
    """
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "a folder"
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(RECORDS)
    }


def prepare(folder: Path) -> Path:
    """Make the inputs of all cases: a dataset, artifacts of each kind, models, lines of text."""
    from tests.factory import (
        alignment_record,
        write_alignment,
        write_alignment_of,
        write_corpus,
        write_model,
        write_speakers,
        write_speech,
    )
    from tests.factory import run as command_line
    from ttskit.artifacts.kinds import Corpus
    from ttskit.artifacts.reader import Reader
    from ttskit.formats import audio

    inputs = folder / "inputs"
    (inputs / "temporary").mkdir(parents=True)
    corpus = Reader(write_corpus(inputs / "corpus.h5", range(4)), Corpus)
    write_corpus(inputs / "other.h5", range(4, 7))
    write_corpus(inputs / "old.h5", range(7, 9))
    write_alignment(inputs / "alignment.h5", alignment_record())
    (inputs / "data" / "wavs").mkdir(parents=True)
    for id, record in corpus.items():
        audio.write(inputs / "data" / "wavs" / f"{id}.wav", record.audio, 16000)
    lines = [f"{id}|The text of {id}.\n" for id in corpus]
    (inputs / "data" / "metadata.csv").write_text("".join(lines))
    speech = inputs / "speech"
    speech.mkdir()
    write_speech(speech, 4)
    write_alignment_of(speech)
    write_speakers(speech)
    write_model(speech / "codec.h5", "rvq", CODEC, symbols=(), silent=())
    heard = speech / "features.h5", "--vocoder", "griffinlim", "-o", speech / "corpus.h5"
    command_line("vocode", *heard)
    shutil.copy(Path(__file__).parents[1] / "examples" / "kathleen" / "card.toml", inputs)
    (inputs / "letters.txt").write_text("aeiou\nklm nrs\n")
    (inputs / "lines.txt").write_text("One thing.\nAnother thing.\nThe last.\n")
    return inputs


@dataclass(frozen=True)
class Trial:
    """A folder in which a case runs, and what an undisturbed run makes of it."""

    inputs: Path
    folder: Path
    words: str
    whole: dict[str, str]
    calls: int

    @classmethod
    def of(cls, inputs: Path, folder: Path, words: str) -> Trial:
        fresh(inputs, folder)
        first = run(folder, words)
        assert first.status == 0, first.errors
        return cls(inputs, folder, words, contents(folder), calls(folder))

    def disturb(self, fault: str, call: int) -> str:
        """Run with a fault, then without one; return what is wrong with that, if anything is."""
        fresh(self.inputs, self.folder)
        first = run(self.folder, self.words, fault, call)
        if fault in ("interrupted", "short write") and first.status:
            return f"status {first.status}: {first.errors}"
        if fault != "kill" and first.status and not (first.status == 1 and first.is_told):
            return f"status {first.status}: {first.errors}"
        now = contents(self.folder)  # what could not be deleted may be there, until the next run
        torn = [
            name
            for name, sha in now.items()
            if name.startswith("out") and ".part" not in name and sha != self.whole.get(name)
        ]
        if torn or (not first.status and not self.whole.items() <= now.items()):
            return f"torn files after status {first.status}: {torn or sorted(now)}"
        again = run(self.folder, self.words)
        if again.status:
            return f"the run after it: status {again.status}: {again.errors}"
        left = contents(self.folder)
        unlike = sorted(
            name for name in {*left, *self.whole} if left.get(name) != self.whole.get(name)
        )
        return f"after the run after it: {', '.join(unlike)}" if unlike else ""


def fresh(inputs: Path, folder: Path) -> None:
    """Make a folder that holds the inputs alone."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(inputs, folder)


def trials(folder: Path, names: list[str]) -> Iterator[tuple[str, Trial]]:
    """Yield the cases, each run once without a fault."""
    inputs = prepare(folder)
    for name in MODULES:
        import_module(name)  # once, not in each fork
    for name in names:
        yield name, Trial.of(inputs, folder / name.replace(" ", "-"), CASES[name])


def campaign(
    folder: Path, names: list[str], most: int, seed: int, faults: Collection[str] = FAULTS
) -> int:
    """Disturb each case at each of its calls, or at `most` of them; print what is found."""
    chance, finds = random.Random(seed), 0
    for name, trial in trials(folder, names):
        counts: Counter[str] = Counter()
        for fault in faults:
            chosen = range(1, trial.calls + 1)
            for call in chance.sample(chosen, min(most, len(chosen))) if most else chosen:
                wrong = trial.disturb(fault, call)
                counts[fault] += 1
                finds += bool(wrong)
                if wrong:
                    print(f"{name}: {fault} at call {call} of {trial.calls}: {wrong}", flush=True)
        told = ", ".join(f"{count} x {fault}" for fault, count in counts.items())
        print(f"{name}: {trial.calls} calls; {told}", flush=True)
    print(f"{finds} finds", flush=True)
    return finds


def main() -> None:
    """Run the campaign: `python -m tests.chaos [CALLS [SEED [CASE|FAULT...]]]`, all by default."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        if "chaos_library" not in os.environ:
            library = str(compiled(Path(name)))
            preloaded = {"LD_PRELOAD": library, "chaos_library": library, "OMP_NUM_THREADS": "1"}
            words = [sys.executable, "-m", "tests.chaos", *sys.argv[1:]]
            sys.exit(subprocess.run(words, env=os.environ | preloaded, check=False).returncode)
        del os.environ["LD_PRELOAD"]  # processes that the cases start are left alone
        most, seed = ([int(word) for word in sys.argv[1:3]] + [0, 0])[:2]
        cases, faults = (
            [word for word in sys.argv[3:] if word in known] or [*known]
            for known in (CASES, FAULTS)
        )
        sys.exit(bool(campaign(Path(name), cases, most, seed, faults)))


if __name__ == "__main__":
    main()
