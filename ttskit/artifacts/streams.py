"""Inputs and outputs of stages: standard streams, and inputs sorted by their kind."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ttskit import progress, wording
from ttskit.artifacts import hdf5, joined, kinds, lock, origins, remote
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import Record
from ttskit.errors import KEPT, ArtifactError, TtskitError, UsageError

STDIN, STDOUT = "standard input", "standard output"
SCRATCH = "ttskit-"  # names of temporary folders begin with it


def inputs(
    paths: Sequence[Path] | None, *wanted: type[Record], optional: Sequence[type[Record]] = ()
) -> list[Any]:
    """Open the inputs of a stage and return them by their kinds, as `by_kind` does.

    No path means standard input; `-` and pipes are spooled to a temporary file.
    """
    return by_kind(opened(paths), *wanted, optional=optional)


def by_kind(
    readers: Sequence[Reader[Any]], *wanted: type[Record], optional: Sequence[type[Record]] = ()
) -> list[Any]:
    """Return the inputs of a stage by their kinds: `wanted`, then `optional`, which may be None.

    Several of a kind are one.
    """
    readers = together(readers)
    sorted_out: list[Reader[Any] | None] = []
    for kind in (*wanted, *optional):
        fits = [reader for reader in readers if reader.kind is kind]
        if not fits and kind in optional:
            sorted_out.append(None)
            continue
        if not fits:
            names = ", ".join(f"{reader.name} ({reader.kind.kind()})" for reader in readers)
            made_by = origins.commands([kind.kind()])
            raise ArtifactError(
                f"no {kind.kind()} artifact among the inputs: {names}; add the output of {made_by}"
            )
        sorted_out += fits
    for reader in readers:
        if reader.kind not in (*wanted, *optional):
            needs = [kind.kind() for kind in (*wanted, *optional)]
            raise ArtifactError(origins.needed(reader.kind.kind(), needs), file=reader.name)
    return sorted_out


def together(readers: Sequence[Reader[Any]]) -> list[Reader[Any]]:
    """Return readers with those of one kind as one, in the order of the kinds' first ones."""
    by_kind: dict[type[Record], list[Reader[Any]]] = {}
    for reader in readers:
        by_kind.setdefault(reader.kind, []).append(reader)
    return [
        some[0] if len(some) == 1 else Reader.of(joined.join([r.container for r in some]), kind)
        for kind, some in by_kind.items()
    ]


def opened(paths: Sequence[Path] | None) -> list[Reader[Any]]:
    """Open artifacts of utterances, in the order of the paths."""
    given = named(paths)
    joined.allow_files(len(given))
    return [kinds.read(*local(path)) for path in given]


def containers(
    paths: Sequence[Path] | None, unreadable: list[TtskitError] | None = None
) -> Iterator[hdf5.Container]:
    """Open artifacts of any kind, including models and voices, one after the other.

    Of several files those that cannot be read are passed over where a list `unreadable` takes
    their errors; each is printed.
    """
    for path in (given := named(paths)):
        try:
            container = joined.open_artifact(*local(path))
        except TtskitError as error:
            if unreadable is None or len(given) == 1:
                raise
            progress.complain(f"ttskit: {error}")
            unreadable.append(error)
        else:
            yield container


def replaceable(output: Path, kind: str, inputs: Collection[str] = ()) -> None:
    """Refuse to overwrite anything but an artifact of the same kind or a damaged one.

    An input must not be overwritten either.  It is recognised by its digest, so under any name and
    in a pipe.  An artifact with the digest of one of its own inputs is a full copy and may go.
    """
    if not hdf5.is_there(output) or not hdf5.size_of(output):
        return
    if not hdf5.is_hdf5(output):
        raise ArtifactError(
            "exists and is not an artifact; remove it or choose another name", file=output
        )
    try:
        older = hdf5.open_container(output)
    except ArtifactError:
        return
    if older.kind != kind:
        raise ArtifactError(
            f"exists and is {older.kind}, not {kind}; remove it or choose another name", file=output
        )
    if older.digest in inputs and older.digest not in older.provenance.get("inputs", ()):
        raise ArtifactError("is an input, or a copy of one; choose another output", file=output)


def named(paths: Sequence[Path] | None) -> Sequence[Path]:
    """Return the paths of the inputs; none means standard input, unless it is a terminal."""
    if (not paths or Path("-") in paths) and sys.stdin is None:
        raise UsageError("standard input is closed: name a file, or send one there")
    if not paths:
        if sys.stdin.isatty():
            raise UsageError("no input: name a file, or send one to standard input")
        return [Path("-")]
    if sum(str(path) == "-" for path in paths) > 1:
        raise UsageError("standard input can be read only once")
    return paths


def writable(output: Path) -> Path:
    """Return the path of a file to write, with links resolved; refuse folders and devices."""
    if wording.url(output):
        remote.check_writable(output)
        return output
    if output.is_dir():
        raise ArtifactError("is a folder; needs the name of a file to write", file=output)
    if output.is_symlink():
        link, output = output, Path(os.path.realpath(output))
        if output.is_symlink():
            raise ArtifactError("is a link to itself; remove it, or choose another", file=link)
    if not output.parent.is_dir():
        raise ArtifactError(f"the folder {output.parent} is not there; make it first", file=output)
    if output.exists() and not output.is_file():
        raise ArtifactError("is a pipe or a device; use - and redirect it there", file=output)
    return output


@contextmanager
def delivered(output: Path | None) -> Iterator[tuple[Path, str]]:
    """Yield the path to write an artifact to, and the name that notes call it by.

    Standard output receives the file once it is complete.
    """
    if output is not None and str(output) != "-":
        output = writable(output)
        yield output, wording.shown(output)
        return
    if sys.stdout is None or sys.stdout.closed:
        raise UsageError("standard output is closed: name a file with -o")
    if sys.stdout.isatty():
        raise UsageError("an artifact is not for a terminal: name a file with -o, or use a pipe")
    path = scratch() / "output.h5"
    try:
        yield path, STDOUT
    except TtskitError as error:
        error.file = STDOUT if str(path) in error.file else error.file
        error.message = error.message.replace(KEPT, "nothing is kept, name a file with -o for that")
        raise
    if path.exists():  # not after a dry run
        with path.open("rb") as file:
            _copy(file, sys.stdout.buffer)


def local(path: Path) -> tuple[Path, str]:
    """Return a regular file and the name that errors call it by; streams are copied to a file."""
    if str(path) == "-":
        return _spool(sys.stdin.buffer, STDIN), STDIN
    if path.is_fifo() or path.is_char_device():
        with path.open("rb") as pipe:
            return _spool(pipe, str(path)), str(path)
    return path, wording.shown(path)


def _spool(stream: BinaryIO, name: str) -> Path:
    """Copy a stream to a temporary file, which can be memory-mapped."""
    path = scratch() / "input.h5"
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, hdf5.CHUNK)
    except OSError as error:
        raise ArtifactError(f"cannot be kept in {path}: {error.strerror}", file=name) from error
    return path


def _copy(file: BinaryIO, target: BinaryIO) -> None:
    shutil.copyfileobj(file, target, hdf5.CHUNK)
    target.flush()


def scratch() -> Path:
    """Return a new temporary folder, deleted when the process exits, or else by a later run."""
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        _delete_unheld(left)
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
    held = lock.hold(folder, "another run uses it")
    folder.chmod(0o700)  # whatever deleted it, and made `hold` make it again
    atexit.register(held.close)
    atexit.register(
        shutil.rmtree, folder, ignore_errors=True
    )  # before the above: last in first out
    return folder


def _delete_unheld(folder: Path) -> None:
    """Delete a temporary folder that a killed run has left."""
    with suppress(OSError, ArtifactError):
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
            return
        if not (folder / lock.NAME).exists():
            folder.rmdir()  # it was to be locked; others are not empty, and stay
            return
        with lock.hold(folder, "a run that lives uses it"):
            shutil.rmtree(folder)
