"""Power cuts: what a run leaves on a disk that loses whatever was not flushed to it.

A small library that is loaded before the C library records every call by which a run changes
files.  The disk is then put together as a power cut after any of these calls may leave it: data is
certain once its file was flushed, names once their folder was; of later writes to a file none, the
first ones or any may be there, and of later changes of names the first ones, in their order.
An output must be the old or the whole new one, never half; and the same command, run again on such
a disk, must make what a run makes that nothing disturbed.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from tests import chaos

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int record = -1;

void power_record(const char *path) {
    record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

/* kind, inode, place, and then two texts or bytes, each with its length before it */
static void note(char kind, uint64_t inode, uint64_t at, const void *a, uint64_t m,
                 const char *b) {
    uint64_t n = b ? strlen(b) : 0, head[4] = {inode, at, m, n};
    if (record < 0) return;
    syscall(SYS_write, record, &kind, 1);
    syscall(SYS_write, record, head, sizeof head);
    for (uint64_t done = 0; done < m; )
        done += syscall(SYS_write, record, (const char *)a + done, m - done);
    if (n) syscall(SYS_write, record, b, n);
}
static uint64_t inode_at(int folder, const char *path) {
    struct stat facts;
    return fstatat(folder, path, &facts, 0) ? 0 : facts.st_ino;
}
static void named(char kind, uint64_t inode, const char *a, const char *b) {
    note(kind, inode, 0, a, strlen(a), b);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRITE(name, parameters, arguments, where) \
    ssize_t name parameters { \
        struct stat facts; \
        int file = record >= 0 && fd > 2 && !fstat(fd, &facts) && S_ISREG(facts.st_mode); \
        off64_t at = where; \
        ssize_t done = REAL(name) arguments; \
        if (file && done > 0) note('w', facts.st_ino, at, data, done, 0); \
        return done; \
    }
static off64_t place(int fd) {
    struct stat facts;
    if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &facts) ? 0 : facts.st_size;
    return lseek(fd, 0, SEEK_CUR);
}
WRITE(write, (int fd, const void *data, size_t count), (fd, data, count), place(fd))
WRITE(pwrite64, (int fd, const void *data, size_t count, off64_t at0), (fd, data, count, at0), at0)

int fsync(int fd) {
    struct stat facts;
    int failed = REAL(fsync)(fd);
    if (!failed && !fstat(fd, &facts)) note('s', facts.st_ino, 0, 0, 0, 0);
    return failed;
}
int ftruncate64(int fd, off64_t size) {
    struct stat facts;
    int failed = REAL(ftruncate64)(fd, size);
    if (!failed && !fstat(fd, &facts)) note('t', facts.st_ino, size, 0, 0, 0);
    return failed;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int truncate64(const char *path, off64_t size) {
    int failed = REAL(truncate64)(path, size);
    if (!failed) note('t', inode_at(AT_FDCWD, path), size, 0, 0, 0);
    return failed;
}
int truncate(const char *path, off_t size) { return truncate64(path, size); }
int rename(const char *from, const char *to) {
    int failed = REAL(rename)(from, to);
    if (!failed) named('r', inode_at(AT_FDCWD, to), from, to);
    return failed;
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    char path[8192] = "", link[64];
    int failed = REAL(linkat)(a, from, b, to, flags);
    if (failed) return failed;
    if (b != AT_FDCWD) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", b);
        ssize_t size = readlink(link, path, 4000);
        path[size < 0 ? 0 : size] = '/'; path[size < 0 ? 0 : size + 1] = 0;
    }
    strncat(path, to, 4000);
    named('c', inode_at(b, to), path, 0);
    return 0;
}
int unlink(const char *path) {
    int failed = REAL(unlink)(path);
    if (!failed) named('u', 0, path, 0);
    return failed;
}
int rmdir(const char *path) {
    int failed = REAL(rmdir)(path);
    if (!failed) named('d', 0, path, 0);
    return failed;
}
int mkdir(const char *path, mode_t mode) {
    int failed = REAL(mkdir)(path, mode);
    if (!failed) named('m', inode_at(AT_FDCWD, path), path, 0);
    return failed;
}
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        struct stat facts; \
        int makes = record >= 0 && (flags & O_CREAT) && lstat(path, &facts); \
        int fd = ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
        if (fd < 0 || record < 0 || fstat(fd, &facts) || !S_ISREG(facts.st_mode)) return fd; \
        if (makes) named('c', facts.st_ino, path, 0); \
        else if (flags & O_TRUNC) note('t', facts.st_ino, 0, 0, 0, 0); \
        return fd; \
    }
OPEN(open)
OPEN(open64)
"""
VERBS = ("corpus", "select", "merge", "export srt", "export wav", "export textgrid")
OLD = "old.h5"  # what stands where the output will be


@dataclass(frozen=True)
class Call:
    """A call that changes files: (w)rite, (s)ync, (t)runcate, (c)reate, (r)ename, (u)nlink,
    (m)ake or (d)elete a folder."""

    kind: str
    inode: int
    at: int
    data: bytes  # what is written, or a path
    path: str  # the second one


@dataclass
class Disk:
    """Names and contents: paths relative to the folder, None for folders."""

    names: dict[str, int | None] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    folders: dict[int, str] = field(default_factory=dict)  # inode -> path

    @classmethod
    def of(cls, folder: Path) -> Disk:
        disk = cls(folders={folder.stat().st_ino: "."})
        for path in folder.rglob("*"):
            name, facts = str(path.relative_to(folder)), path.stat()
            if path.is_dir():
                disk.names[name], disk.folders[facts.st_ino] = None, name
            else:
                disk.names[name] = facts.st_ino
                disk.contents[facts.st_ino] = path.read_bytes()
        return disk

    def write(self, folder: Path) -> None:
        """Make the folder as it is on this disk."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, inode in sorted(self.names.items()):
            path = folder / name
            if not path.parent.is_dir():
                continue
            if inode is None:
                path.mkdir()
            else:
                path.write_bytes(self.contents.get(inode, b""))


def compiled(folder: Path) -> Path:
    """Compile the library, and return its path."""
    library = folder / "power.so"
    words = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), "-ldl"]
    subprocess.run(words, input=SOURCE.encode(), check=True)
    return library


def calls_of(record: Path) -> list[Call]:
    """Return the calls that the library has recorded."""
    blob, at, found = record.read_bytes(), 0, []
    while at < len(blob):
        kind, (inode, place, m, n) = chr(blob[at]), struct.unpack_from("<QQQQ", blob, at + 1)
        start = at + 33
        data, path = blob[start : start + m], blob[start + m : start + m + n].decode()
        found.append(Call(kind, inode, place, data, path))
        at = start + m + n
    return found


def after(before: Disk, calls: Sequence[Call], folder: Path, rng: random.Random) -> Disk:
    """Return the disk as a power cut after some calls may leave it."""
    synced = _synced(before, calls)
    names = [place for place, call in enumerate(calls) if call.kind in "crumd"]
    certain = max((p for p in names if p < synced["names"]), default=-1)
    last = rng.choice([certain, *[p for p in names if p > certain]])
    disk = Disk(dict(before.names), dict(before.contents))
    kept = {place for place in names if place <= last}
    by_file: dict[int, list[int]] = defaultdict(list)
    for place, call in enumerate(calls):
        if call.kind in "wt":
            (kept.add(place) if place < synced[call.inode] else by_file[call.inode].append(place))
    for places in by_file.values():
        many = rng.randrange(len(places) + 1)
        how = rng.choice(("first", "any", "none", "all"))
        kept.update({"first": places[:many], "any": rng.sample(places, many), "none": [],
                     "all": places}[how])  # fmt: skip
    for place in sorted(kept):
        _apply(disk, calls[place], folder)
    return disk


def _synced(before: Disk, calls: Sequence[Call]) -> Mapping[int | str, int]:
    """Return up to which call each file, and all names, are certain to be there."""
    until: dict[int | str, int] = defaultdict(int)
    folders = {*before.folders} | {call.inode for call in calls if call.kind == "m"}
    for place, call in enumerate(calls):
        if call.kind == "s":
            until["names" if call.inode in folders else call.inode] = place
    return until


def _apply(disk: Disk, call: Call, folder: Path) -> None:
    if call.kind in "wt":
        old = disk.contents.get(call.inode, b"")
        filled = old[: call.at].ljust(call.at, b"\0")
        tail = old[call.at + len(call.data) :] if call.kind == "w" else b""
        disk.contents[call.inode] = filled + call.data + tail
        return
    name, other = _within(call.data.decode(), folder), _within(call.path, folder)
    if call.kind == "r" and other is not None:
        if name in disk.names:
            disk.names[other] = disk.names.pop(name)
    elif name is None:
        return
    elif call.kind == "c":
        disk.names[name] = call.inode
    elif call.kind == "m":
        disk.names[name] = None
    else:
        disk.names.pop(name, None)


def _within(path: str, folder: Path) -> str | None:
    """Return a path relative to the folder, None if it is elsewhere."""
    whole = os.path.normpath(os.path.join(folder, path))  # noqa: PTH118
    return os.path.relpath(whole, folder) if whole.startswith(f"{folder}/") else None


def recorded(folder: Path, words: str, record: Path) -> list[Call]:
    """Run the command line in a fork, and return its calls."""
    ended = chaos.run(folder, words, begin=lambda: _record(record))
    assert ended.status == 0, ended.errors
    return calls_of(record)


def _record(path: Path) -> None:
    ctypes.CDLL(None).power_record(str(path).encode())


def campaign(folder: Path, names: Sequence[str], cuts: int, seed: int) -> int:
    """Cut the power of each case `cuts` times; print what is found."""
    rng, finds = random.Random(seed), 0
    inputs = chaos.prepare(folder)
    for name in chaos.MODULES:
        import_module(name)  # once, not in each fork
    for name in names:
        finds += _cut(inputs, folder / name.replace(" ", "-"), name, cuts, rng)
    print(f"{finds} finds", flush=True)
    return finds


def _cut(inputs: Path, folder: Path, name: str, cuts: int, rng: random.Random) -> int:
    words, finds = chaos.CASES[name], 0
    trial = chaos.Trial.of(inputs, folder, words)
    output = folder / words.split()[-1]
    for old in (False, True) if output.is_file() else (False,):
        chaos.fresh(inputs, folder)
        if old:
            shutil.copy(inputs / OLD, output)
        before = Disk.of(folder)
        sound = {trial.whole.get(output.name), chaos.contents(folder).get(output.name)}
        calls = recorded(folder, words, folder.with_suffix(".calls"))
        for _ in range(cuts):
            count = rng.randrange(len(calls) + 1)
            after(before, calls[:count], folder, rng).write(folder)
            if wrong := _wrong(trial, folder, words, output, sound):
                finds += 1
                print(f"{name}: cut after {count} of {len(calls)} calls: {wrong}", flush=True)
    print(f"{name}: {len(calls)} calls, {cuts} cuts" + " twice" * output.is_file(), flush=True)
    return finds


def _wrong(
    trial: chaos.Trial, folder: Path, words: str, output: Path, sound: set[str | None]
) -> str:
    """Return what is wrong with a disk after a power cut, and after the same command on it."""
    now = chaos.contents(folder)
    if output.suffix and now.get(output.name) not in sound:
        return f"{output.name} is neither the old nor the new one"
    torn = [
        name
        for name, sha in now.items()
        if name.startswith("out/") and ".part" not in name and sha != trial.whole.get(name)
    ]
    if torn:
        return f"torn: {torn}"
    again = chaos.run(folder, words)
    if again.status:
        return f"the run after it: status {again.status}: {again.errors}"
    left = chaos.contents(folder)
    unlike = sorted(n for n in {*left, *trial.whole} if left.get(n) != trial.whole.get(n))
    return f"after the run after it: {', '.join(unlike)}" if unlike else ""


def environment(folder: Path) -> dict[str, str]:
    """Return the environment variables that load both libraries."""
    libraries = f"{compiled(folder)}:{chaos.compiled(folder)}"
    return {"LD_PRELOAD": libraries, "power_library": "loaded", "OMP_NUM_THREADS": "1"}


def main() -> None:
    """Run the campaign: `python -m tests.power [CUTS [SEED]]`, 20 cuts of each case by default."""
    with tempfile.TemporaryDirectory(prefix="power-") as name:
        if "power_library" not in os.environ:
            loaded = os.environ | environment(Path(name))
            words = [sys.executable, "-m", "tests.power", *sys.argv[1:]]
            sys.exit(subprocess.run(words, env=loaded, check=False).returncode)
        del os.environ["LD_PRELOAD"]  # processes that the cases start are left alone
        cuts, seed = ([int(word) for word in sys.argv[1:]] + [20, 0][len(sys.argv) - 1 :])[:2]
        sys.exit(bool(campaign(Path(name), VERBS, cuts, seed)))


if __name__ == "__main__":
    main()
