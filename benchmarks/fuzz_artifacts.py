"""Mutated artifacts of every kind, each given to the verbs that read it: none may harm.

    python -m benchmarks.fuzz_artifacts --count 10000 --seed 1

Each input is read in a forked process, and used by a stage in another.  A traceback, a signal,
more than 2 s of processor time, or 300 MB beyond the size of the file is a find: it is printed with
its number, and `--only NUMBER` makes it again.
"""

from __future__ import annotations

import argparse
import collections
import gc
import json
import os
import re
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests import factory
from tests.factory import (
    GRID,
    PROVENANCE,
    SPOKEN,
    Contents,
    write_alignment_of,
    write_corpus,
    write_model,
    write_speakers,
    write_speech,
)
from ttskit.artifacts.kinds import Controls, Scores
from ttskit.artifacts.record import Number
from ttskit.artifacts.writer import Writer

MEGABYTES, SECONDS, PATIENCE = 300, 2, 120  # the last: seconds by the clock
MARK = "command: "  # before the name of each command on standard error
CARD = "# Nobody\n\nSays nothing.\n"
READERS = (
    ["info", "{x}"],
    ["info", "--json", "{x}"],
    ["verify", "{x}"],
    ["ls", "{x}"],
    ["select", "{x}", "-o", "out.h5"],
)
ISTFT = {"channels": 8, "hidden": 16, "layers": 1}
DECODE = ["decode", "tokens.h5", "--limit", "1", "-j", "1", "-o", "out.h5"]
ONE = ["-j", "1", "--limit", "1", "-o", "out.h5"]
# artifact -> the stages that consume it, {x} is the mutated one
STAGES: dict[str, list[list[str]]] = {
    "corpus.h5": [
        ["features", "{x}", "--f0", "praat", "--limit", "1", "-j", "1", "-o", "out.h5"],
        ["export", "{x}", "-o", "wavs", "--format", "wav"],
    ],
    "tokens.h5": [
        ["decode", "{x}", "--duration", "duration.h5", "--decoder", "decoder.h5",
         "--limit", "1", "-j", "1", "-o", "out.h5"],
        ["align", "features.h5", "{x}", "--aligner", "aligner.h5", "-j", "1", "-o", "out.h5"],
    ],
    "features.h5": [
        ["align", "{x}", "tokens.h5", "--aligner", "aligner.h5", "-j", "1", "-o", "out.h5"],
        ["vocode", "{x}", "--vocoder", "vocoder.h5", *ONE],
    ],
    "alignment.h5": [
        ["decode", "{x}", "features.h5", "--decoder", "decoder.h5", "--limit", "1", "-j", "1",
         "-o", "out.h5"],
        ["export", "{x}", "--format", "textgrid", "-o", "grids"],
    ],
    "mels.h5": [
        ["vocode", "{x}", "--vocoder", "vocoder.h5", *ONE],
        ["vocode", "{x}", "--vocoder", "griffinlim", *ONE],
    ],
    "controls.h5": [["vocode", "{x}", *ONE]],
    "codes.h5": [["decode", "{x}", "--codec", "codec.h5", *ONE]],
    "codec.h5": [["encode", "features.h5", "--codec", "{x}", *ONE]],
    "scores.h5": [["why", "u1", "{x}"]],
    "duration.h5": [[*DECODE, "--duration", "{x}", "--decoder", "decoder.h5"]],
    "decoder.h5": [[*DECODE, "--duration", "duration.h5", "--decoder", "{x}"]],
    "vocoder.h5": [["vocode", "mels.h5", "--vocoder", "{x}", *ONE]],
    "aligner.h5": [
        ["align", "features.h5", "tokens.h5", "--aligner", "{x}", "-j", "1", "-o", "out.h5"]
    ],
    "voice.h5": [["say", "tera tone", "--voice", "{x}", "-o", "out.wav"], ["voice", "info", "{x}"]],
}  # fmt: skip


def seeds(folder: Path) -> None:
    """Write a small artifact of every kind, whose names are the keys of `STAGES`."""
    before = Path.cwd()
    write_corpus(folder / "corpus.h5", range(50, 54), skipped={"u9": "too short"})
    write_speech(folder, 3, table=SPOKEN)
    write_alignment_of(folder)
    write_speakers(folder)
    write_model(folder / "vocoder.h5", "istft", ISTFT)
    write_model(folder / "aligner.h5", "attention", {"embedding": 8, "hidden": 8, "space": 8})
    (folder / "card.md").write_text(CARD)
    header: dict[str, Any] = {"provenance": PROVENANCE}
    grid = {name: GRID[name] for name in Controls.attributes}
    with Writer(folder / "controls.h5", Controls, attributes=grid, **header) as writer:
        ones = np.ones(40)
        fields: dict[str, Any] = {"f0": 200 * ones, "voiced": ones > 0, "amplitude": 0.1 * ones}
        fields |= {"distribution": np.full((40, 4), 0.25), "noise": np.full((40, 5), 0.1)}
        writer.append(Controls(id="u1", speaker="ann", text="one", **fields))
        writer.seal(["u1"])
    tables = {"measures": ["mcd"], "hashes": ["0"], "settings": ["{}"], "libraries": ["numpy 2"]}
    numbers = {"mcd": Number("dB", 0)}
    with Writer(folder / "scores.h5", Scores, tables=tables, numbers=numbers, **header) as writer:
        for id in ("u1", "u2"):
            scores = {"mcd": 5.0}
            writer.append(Scores(id=id, speaker="", text="x", heard="y", numbers=scores))
        writer.seal(["u1", "u2"])
    os.chdir(folder)
    run: Any = factory.run
    run(*DECODE[:-1], "mels.h5", "--duration", "duration.h5", "--decoder", "decoder.h5")
    write_model(folder / "codec.h5", "rvq", {"size": 4, "books": 2, "channels": 4, "layers": 1})
    run("encode", "features.h5", "alignment.h5", "--codec", "codec.h5", *ONE[:-1], "codes.h5")
    models = ["duration.h5", "decoder.h5", "vocoder.h5"]
    spelling = ["--language", "characters", "--card", "card.md"]
    run("voice", "pack", *models, *spelling, "-o", "voice.h5")
    os.chdir(before)


Rng = np.random.Generator
NUMBERS = (0, -1, 1, 2, 7, 255, 2**15, 2**31 - 1, -(2**31), 2**40, 0.5, -5.0, 1e300, 1e-300,
           float("nan"), float("inf"), -float("inf"))  # fmt: skip
DTYPES = ("f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u8", "?", "S3", ">f4", ">i4", ">i8")
TEXTS = ("", "x", "\n", "a\nb", "../../etc", "é" * 40, "attention", "glow", "🎵", "1e9", "x" * 5000)


def pick(rng: Rng, items: Sequence[Any]) -> Any:
    return items[int(rng.integers(len(items)))]


def change_value(rng: Rng, x: Contents) -> str:
    name = pick(rng, sorted(x.columns))
    values = x.columns[name]
    if not values.size:
        return ""
    place = tuple(int(rng.integers(length)) for length in values.shape)
    if values.dtype.kind == "S":
        new: Any = bytes(rng.integers(0, 256, int(rng.integers(1, 9)), np.uint8))
    elif values.dtype.kind == "b":
        new = not values[place]
    elif values.dtype.kind in "iu":
        limits = np.iinfo(values.dtype)
        new = pick(rng, (0, -1, 1, 1000, limits.max, limits.min, int(values[place]) + 1))
        new = max(limits.min, min(limits.max, int(new)))
    else:
        new = pick(rng, NUMBERS)
    with np.errstate(over="ignore"):
        values[place] = new
    return f"{name}{list(place)} = {new!r}"


def scale_column(rng: Rng, x: Contents) -> str:
    names = [name for name, values in x.columns.items() if values.dtype.kind in "fi"]
    name, factor = pick(rng, sorted(names)), pick(rng, (0, -1, 1.5, 1e6, 1e30))
    with np.errstate(all="ignore"):
        x.columns[name] = (x.columns[name] * factor).astype(x.columns[name].dtype)
    return f"{name} *= {factor}"


def change_shape(rng: Rng, x: Contents) -> str:
    name = pick(rng, sorted(x.columns))
    values = x.columns[name]
    ways: dict[str, Callable[[], np.ndarray]] = {
        "without its last row": lambda: values[:-1],
        "with a row more": lambda: np.concatenate([values, values[-1:]]),
        "twice": lambda: np.concatenate([values, values]),
        "empty": lambda: values[:0],
        "flat": lambda: values.reshape(-1),
        "with an axis more": lambda: values[:, None],
        "transposed": lambda: np.ascontiguousarray(values.T),
        "a thousand times": lambda: np.concatenate([values[:50]] * 1000),
    }
    how = pick(rng, list(ways))
    x.columns[name] = ways[how]()
    return f"{name} {how}"


def change_dtype(rng: Rng, x: Contents) -> str:
    name, dtype = pick(rng, sorted(x.columns)), pick(rng, DTYPES)
    values = x.columns[name]
    with np.errstate(all="ignore"):
        try:
            x.columns[name] = values.astype(dtype)
        except ValueError:
            x.columns[name] = np.zeros(values.shape, dtype)
    return f"{name} as {dtype}"


def drop_column(rng: Rng, x: Contents) -> str:
    name = pick(rng, sorted(x.columns))
    del x.columns[name]
    return f"no {name}"


def rename_column(rng: Rng, x: Contents) -> str:
    name, other = pick(rng, sorted(x.columns)), pick(rng, sorted(x.columns))
    new = pick(rng, (name + "x", "x/" + name, other, "offsets/frame", "offsets/x", "tokens"))
    x.columns = {new if key == name else key: values for key, values in x.columns.items()}
    names = sorted(x.columns)
    clash = any(b.startswith(a + "/") for a in names for b in names)
    if clash:
        del x.columns[new]
    return f"{name} is called {new}"


def add_column(rng: Rng, x: Contents) -> str:
    name = pick(rng, ("tokens", "durations", "f0", "voiced", "offsets/token", "offsets/code",
                      "skipped/id", "lexicon", "widening/mean", "silent", "extra"))  # fmt: skip
    if any(key.startswith(name + "/") for key in x.columns):
        return ""
    x.columns[name] = np.zeros(int(rng.integers(0, 9)), pick(rng, DTYPES))
    return f"a new {name}, {x.columns[name].dtype} {x.columns[name].shape}"


def change_strings(rng: Rng, x: Contents) -> str:
    names = [name for name, values in x.columns.items() if values.dtype.kind == "S"]
    name = pick(rng, sorted(names))
    values = x.columns[name].astype(object)
    if not len(values):
        return ""
    text = pick(rng, TEXTS)
    values[int(rng.integers(len(values)))] = text.encode()
    x.columns[name] = np.array(list(values), f"S{max(1, *map(len, values))}")
    return f"{name} says {text[:20]!r}"


def change_attribute(rng: Rng, x: Contents) -> str:
    name = pick(rng, sorted(x.attributes))
    if name.endswith("config") and rng.random() < 0.8:
        return change_config(rng, x, name)
    x.attributes[name] = pick(rng, (*NUMBERS, *TEXTS, True, False, "x" * 60000))
    if isinstance(x.attributes[name], int) and abs(x.attributes[name]) >= 2**31:
        x.attributes[name] = np.int64(x.attributes[name]).item()
    return f"{name} = {x.attributes[name]!r:.40}"


def change_config(rng: Rng, x: Contents, name: str) -> str:
    lines = str(x.attributes[name]).split("\n")
    settings = [place for place, line in enumerate(lines) if "=" in line]
    if not settings:
        return ""
    place = pick(rng, settings)
    value = pick(rng, ("0", "1", "-1", "2", "3", "17", "1000", "10000", "65536", "100000000",
                       "1000000000", "1e300", "nan", "inf", '"x"', "[]", "[1]", "[0, 0]",
                       "[10000000, 10000000]", "true", "false", "{}"))  # fmt: skip
    lines[place] = f"{lines[place].split('=')[0]}= {value}"
    x.attributes[name] = "\n".join(lines)
    return f"{name}: {lines[place]}"


def drop_attribute(rng: Rng, x: Contents) -> str:
    name = pick(rng, sorted(x.attributes))
    del x.attributes[name]
    return f"no {name}"


def change_kind(rng: Rng, x: Contents) -> str:
    x.kind = pick(rng, ("corpus", "tokens", "features", "alignment", "mels", "controls", "scores",
                        "model", "voice", "checkpoint", "", "x"))  # fmt: skip
    return f"kind {x.kind}"


def change_provenance(rng: Rng, x: Contents) -> str:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    junk: tuple[Any, ...] = (
            None, 1, "x", [], {}, {"options": 1}, {"options": {"a": deep}}, {"inputs": 5},
            {"inputs": [1, None, {}]}, {"stage": {}, "revision": []}, deep)  # fmt: skip
    x.provenance = pick(rng, junk)
    return f"provenance {x.provenance!r:.40}"


CONTENT = (
    change_value, change_value, change_value, scale_column, change_shape, change_shape,
    change_dtype, drop_column, rename_column, add_column, change_strings, change_attribute,
    change_attribute, change_attribute, drop_attribute, change_kind, change_provenance,
)  # fmt: skip


def flip(rng: Rng, path: Path) -> str:
    contents = bytearray(path.read_bytes())
    count = int(2 ** rng.integers(0, 8))
    for place in rng.integers(0, len(contents), count):
        contents[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(contents)
    return f"{count} bits flipped"


def header_flip(rng: Rng, path: Path) -> str:
    contents = bytearray(path.read_bytes())
    place = int(rng.integers(0, 200))
    contents[place] = int(rng.integers(256))
    path.write_bytes(contents)
    return f"byte {place} of the start changed"


def truncate(rng: Rng, path: Path) -> str:
    size = int(rng.integers(0, path.stat().st_size))
    os.truncate(path, size)
    return f"cut to {size} bytes"


def lengthen(rng: Rng, path: Path) -> str:
    size = path.stat().st_size + int(2 ** rng.integers(0, 40))
    os.truncate(path, size)
    return f"lengthened to {size} bytes"


def wipe(rng: Rng, path: Path) -> str:
    contents = bytearray(path.read_bytes())
    start, count = int(rng.integers(len(contents))), int(2 ** rng.integers(0, 14))
    contents[start : start + count] = bytes(len(contents[start : start + count]))
    path.write_bytes(contents)
    return f"{count} bytes from {start} on are 0"


def restructure(rng: Rng, path: Path) -> str:
    """Change an artifact by HDF5's own means into what no artifact is."""
    how = pick(rng, STRUCTURES)
    with h5py.File(path, "r+", libver="v110") as file:
        names = [name for name in hdf5_names(file) if isinstance(file[name], h5py.Dataset)]
        try:
            return f"{how.__name__}: {how(rng, file, pick(rng, sorted(names)))}"
        except (OSError, RuntimeError, ValueError) as error:  # HDF5 itself refuses it
            return f"{how.__name__}: {error}"


def hdf5_names(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visit(names.append)
    return names


def sparse(rng: Rng, file: h5py.File, name: str) -> str:
    old, rows = file[name], int(10 ** rng.uniform(5, 10))
    shape, dtype = (rows, *old.shape[1:]), old.dtype
    notes = dict(old.attrs)
    del file[name]
    made = file.create_dataset(name, shape, dtype)
    made[-1:] = np.zeros(
        (1, *shape[1:]), f"S{dtype.itemsize}" if dtype.kind == "S" else dtype
    ).view(dtype)
    for key, value in notes.items():
        made.attrs[key] = value
    return f"{name} has {rows} rows"


def links(rng: Rng, file: h5py.File, name: str) -> str:
    del file[name]
    file[name] = pick(
        rng, (h5py.SoftLink("/id"), h5py.ExternalLink("/etc/passwd", "/"), h5py.SoftLink("/"))
    )
    return name


def fan(rng: Rng, file: h5py.File, name: str) -> str:  # noqa: ARG001
    below = file.create_group("fan0")
    width, depth = int(rng.integers(2, 12)), int(rng.integers(2, 7))
    for level in range(1, depth):
        group = file.create_group(f"fan{level}")
        for number in range(width):
            group[str(number)] = below
        below = group
    return f"{depth} levels of {width} links"


def twice(rng: Rng, file: h5py.File, name: str) -> str:  # noqa: ARG001
    file[f"copy/{name}"] = file[name]
    return name


def attributes(rng: Rng, file: h5py.File, name: str) -> str:
    item, count = pick(rng, (file, file[name])), int(10 ** rng.uniform(1, 3.5))
    for number in range(count):
        item.attrs[f"a{number}"] = number
    return f"{count} more"


def odd_attribute(rng: Rng, file: h5py.File, name: str) -> str:
    item = pick(rng, (file, file[name]))
    item.attrs["axes"] = pick(
        rng, (np.zeros(3), "variable", np.array(["a", "b"], object), h5py.Empty("f4"), b"\xff", 1j)
    )
    return str(item.attrs["axes"])


def chunked(rng: Rng, file: h5py.File, name: str) -> str:
    values = file[name][()]
    dtype = file[name].dtype
    del file[name]
    settings = pick(
        rng, ({"chunks": True}, {"compression": "gzip"}, {"maxshape": (None,) * values.ndim})
    )
    file.create_dataset(name, data=values, dtype=dtype, **settings)
    return f"{name} {settings}"


def odd_dataset(rng: Rng, file: h5py.File, name: str) -> str:
    del file[name]
    odd: Any = pick(
        rng,
        (
            h5py.Empty("f4"), 1.0, "text", np.zeros((2,) * 20, "i1"), np.zeros(3, "c8"),
            np.zeros(2, [("a", "f4"), ("b", "i2")]), np.array(["a", "b"], object),
        ),
    )  # fmt: skip
    file[name] = odd
    return f"{name} {odd!r:.40}"


def groups(rng: Rng, file: h5py.File, name: str) -> str:  # noqa: ARG001
    depth = int(rng.integers(1, 60))
    file.create_group("/".join("g" * depth))
    file["typed"] = np.dtype("f4")
    return f"{depth} levels"


def many(rng: Rng, file: h5py.File, name: str) -> str:  # noqa: ARG001
    count = int(10 ** rng.uniform(1, 3.7))
    for number in range(count):
        file.create_group(f"many/{number}")
    return f"{count} groups"


STRUCTURES = (
    sparse, sparse, links, fan, twice, attributes, odd_attribute, chunked, odd_dataset, groups,
    many,
)  # fmt: skip
BYTES = (flip, flip, header_flip, truncate, lengthen, wipe, restructure, restructure, restructure)


def mutate(seed: int, number: int, original: Path, path: Path) -> str:
    """Write a mutation of an artifact to `path`, and return what was done to it."""
    rng = np.random.default_rng((seed, number))
    path.unlink(missing_ok=True)
    if rng.random() < 0.4:
        path.write_bytes(original.read_bytes())
        return str(pick(rng, BYTES)(rng, path))
    contents, done = Contents.of(original), []
    for _ in range(int(rng.integers(1, 4))):
        try:
            done.append(pick(rng, CONTENT)(rng, contents))
        except (IndexError, ValueError):  # there is nothing to change any more
            continue
    contents.write(path)
    return "; ".join(filter(None, done))


@dataclass(frozen=True)
class Ended:
    """How a process ended: its status, negative for a signal, and what it wrote to stderr."""

    status: int
    errors: str

    @property
    def fault(self) -> str:
        """What is wrong with it, "" if nothing is: the place, where there is a traceback."""
        command, _, errors = self.errors.rpartition(MARK)[2].partition("\n")
        signals = {-signal.SIGXCPU: "takes too long", -signal.SIGKILL: "hangs"}
        if self.status < 0:
            return f"{command}: {signals.get(self.status, f'signal {-self.status}')}"
        if "Traceback" in errors:
            places = re.findall(r'File ".*?(ttskit/.*?)", line (\d+)', errors)
            where = ":".join(places[-1]) if places else "?"
            return f"{command}: {errors.strip().splitlines()[-1][:150]} at {where}"
        if self.status:
            return f"{command}: status {self.status}: {errors[:150]}"
        if found := re.search(r"\w*Warning: .*", self.errors):
            return found[0][:150]
        return ""


def attempt(commands: Sequence[Sequence[str]], spare: int) -> Ended:
    """Run command lines one after the other in a forked process with little memory and time."""
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        _child(commands, spare, send)
    os.close(send)
    errors, stop = b"", time.monotonic() + PATIENCE
    while time.monotonic() < stop:
        if select.select([receive], [], [], 1)[0]:
            part = os.read(receive, 1 << 16)
            if not part:
                break
            errors = (errors + part)[-20_000:]
    else:
        os.kill(child, signal.SIGKILL)
    os.close(receive)
    _, status, _ = os.wait4(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), errors.decode(errors="replace"))


def _child(commands: Sequence[Sequence[str]], spare: int, send: int) -> None:
    from ttskit import cli

    try:
        gc.disable()
        os.dup2(send, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = Path("/proc/self/status").read_text()
        data = int(re.search(r"VmData:\s+(\d+)", status)[1]) << 10  # type: ignore[index]
        most = data + (MEGABYTES << 20) + spare
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        for words in commands:
            os.write(2, f"{MARK}{' '.join(words[:2])}\n".encode())
            used = int(time.process_time()) + 1 + SECONDS
            resource.setrlimit(resource.RLIMIT_CPU, (used, resource.RLIM_INFINITY))
            sys.argv = ["ttskit", *words]
            try:
                cli.main()
            except SystemExit as end:
                if end.code not in (0, 1, None):
                    raise AssertionError(f"exit status {end.code}") from end
        os._exit(0)
    except BaseException:
        import traceback

        os.write(2, traceback.format_exc().encode())
        os._exit(70)


def inputs(
    folder: Path, seed: int, numbers: Sequence[int]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the number, artifact, mutation and faults of each input."""
    names = list(STAGES)
    path = folder / "x.h5"
    for number in numbers:
        name = names[number % len(names)]
        done = mutate(seed, number, folder / name, path)
        spare, faults = path.stat().st_blocks * 512, []
        for commands in (READERS, STAGES[name]):
            for left in folder.glob("out*"):
                _remove(left)
            words = [[word.format(x=path) for word in command] for command in commands]
            faults.append(attempt(words, spare).fault)
        yield number, name, done, [fault for fault in faults if fault]


def _remove(path: Path) -> None:
    if path.is_dir():
        for inner in path.iterdir():
            inner.unlink()
        path.rmdir()
    else:
        path.unlink()


def campaign(seed: int, numbers: Sequence[int], seconds: float = float("inf")) -> list[str]:
    """Run inputs, print each find, and return them."""
    finds: list[str] = []
    kinds: collections.Counter[str] = collections.Counter()
    stop, before = time.monotonic() + seconds, Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds(folder)
        os.chdir(folder)
        try:
            _warm(folder)
            gc.freeze()
            for number, artifact, done, faults in inputs(folder, seed, numbers):
                kinds[artifact] += 1
                if not sum(kinds.values()) % 100:
                    print(f"{sum(kinds.values())} inputs", file=sys.stderr, flush=True)
                for fault in faults:
                    finds.append(f"{number} {artifact} ({done}): {fault}")
                    print(finds[-1], flush=True)
                if time.monotonic() > stop:
                    break
        finally:
            os.chdir(before)
    print(json.dumps({"seed": seed, "inputs": sum(kinds.values()), "finds": len(finds), **kinds}))
    return finds


def _warm(folder: Path) -> None:
    """Run every command on what is sound, so that children have all that is loaded once."""
    for name, stages in STAGES.items():
        for words in (*READERS[:1], *stages):
            for left in folder.glob("out*"):
                _remove(left)
            found = factory.answer(*(word.format(x=folder / name) for word in words))
            if found.returncode:
                raise AssertionError(f"{words} on {name}: {found.stderr.decode()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--only", type=int, help="this input alone")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    given = parser.parse_args()
    wanted = range(given.count) if given.only is None else [given.only]
    sys.exit(bool(campaign(given.seed, wanted, 60 * given.minutes)))
