"""A million utterances: time and memory of what goes through the index of a large corpus.

    python benchmarks/million.py [COUNT...] [STEP...]

Features and an Alignment of 1,000 to 1,000,000 utterances of 500 frames are simulated by sparse
files, whose values are zeros that take no room.  Each step runs in a forked process of its own,
which says its seconds and the most memory that it held, without pages of mapped files: the first
row is that of the modules.
Verbs that copy everything get utterances of 20 frames, since the bytes of 500 are no part of the
question.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ttskit import cli, progress
from ttskit.artifacts import hdf5, kinds
from ttskit.text.symbols import symbols
from ttskit.training import batches
from ttskit.training.examples import Examples

FORK = multiprocessing.get_context("fork")
COUNTS = (1_000, 10_000, 100_000, 1_000_000)
FRAMES, FEW, TOKENS, SPEAKERS, BATCH = 500, 20, 20, 1_000, 16
GRID = {
    "sample_rate": 22050, "hop_length": 256, "n_fft": 1024, "n_mels": 80, "fmin": 0.0,
    "fmax": 8000.0,
}  # fmt: skip
NEEDS = ("tokens", "mel", "durations", "pitch", "speaker")


def simulate(path: Path, kind: str, count: int, frames: int, first: int = 0) -> None:
    """Write Features or an Alignment whose index is real and whose frames are holes."""
    numbers = np.arange(first, first + count)
    columns: dict[str, Any] = {
        "id": (np.char.mod("u%07d", numbers).astype("S8"), "utterance"),
        "speaker": (np.char.mod("s%04d", numbers % SPEAKERS).astype("S5"), "utterance"),
        "text": (np.char.mod("This is sentence %d.", numbers).astype("S32"), "utterance"),
    }
    if kind == "features":
        columns["offsets/frame"] = (np.arange(count + 1) * frames, "utterance+1")
        for name in ("f0", "periodicity", "loudness", "energy"):
            columns[name] = ((count * frames,), "f4", "frame")
        columns["voiced"] = ((count * frames,), "?", "frame")
        columns["mel"] = (
            (count * frames, GRID["n_mels"] if frames == FRAMES else 1),
            "f4",
            "frame",
        )
    else:
        for axis, each in (("token", TOKENS), ("word", 1)):
            columns[f"offsets/{axis}"] = (np.arange(count + 1) * each, "utterance+1")
        durations = np.full(count * TOKENS, frames // TOKENS, np.int32)
        columns |= {
            "language": (np.full(count, b"en-us"), "utterance"),
            "tokens": (np.full(count * TOKENS, 5, np.int32), "token"),
            "token_word": (np.zeros(count * TOKENS, np.int32), "token"),
            "words": (np.full(count, b"this"), "word"),
            "spans": (np.tile(np.array([[0, 4]], np.int32), (count, 1)), "word"),
            "durations": (durations, "token"),
            "token_score": (np.zeros(count * TOKENS, np.float32), "token"),
            "score": (np.zeros(count, np.float32), "utterance"),
            "symbols": (np.array([s.encode() for s in symbols("en-us")]), "symbols"),
        }
    attributes = GRID if kind == "features" else {n: GRID[n] for n in ("sample_rate", "hop_length")}
    if kind == "features" and frames != FRAMES:
        attributes = {**GRID, "n_mels": 1}
    _write(path, kind, attributes, columns)


def _write(path: Path, kind: str, attributes: dict[str, Any], columns: dict[str, Any]) -> None:
    provenance = json.dumps({"stage": "simulated", "revision": 1, "options": {}, "inputs": []})
    header = {"format": "ttskit", "kind": kind, "version": 1, "digest": path.stem}
    with h5py.File(path, "w", libver=("v110", "v110"), alignment_threshold=1,
                   alignment_interval=hdf5.ALIGNMENT) as file:  # fmt: skip
        for name, (*what, axes) in columns.items():
            values = what[0] if len(what) == 1 else None
            shape, dtype = (values.shape, values.dtype) if values is not None else what
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_layout(h5py.h5d.CONTIGUOUS)
            plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            kept = np.dtype(dtype)
            text = h5py.string_dtype("utf-8", kept.itemsize)
            stored = h5py.h5t.py_create(text if kept.kind == "S" else kept, logical=True)
            group = file.require_group("offsets") if name.startswith("offsets/") else file
            space = h5py.h5s.create_simple(shape)
            made = h5py.h5d.create(group.id, name.split("/")[-1].encode(), stored, space, plan)
            dataset = h5py.Dataset(made)
            if values is not None:
                dataset[...] = values.view(text) if kept.kind == "S" else values
            for note, value in (("axes", axes), ("unit", "1"), ("sha256", "simulated")):
                _note(dataset, note, value)
        for name, value in {**header, **attributes, "provenance": provenance}.items():
            _note(file, name, value)


def _note(item: Any, name: str, value: Any) -> None:
    if isinstance(value, str):
        dtype = h5py.string_dtype("utf-8", max(1, len(value)))
        item.attrs.create(name, value.encode(), dtype=dtype)
    else:
        item.attrs[name] = value


def verb(*words: str) -> None:
    """Run a verb in this process."""
    sys.argv = ["ttskit", *words]
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise


def start() -> None:
    """Do what a training does before its first update: examples, validation, the first batch."""
    readers = [kinds.read(Path("alignment.h5")), kinds.read(Path("features.h5"))]
    examples = Examples(readers, NEEDS)
    examples.facts()
    held_out = batches.held_out(examples.texts, 0.05, 500, 0)
    rows = np.flatnonzero(~held_out)
    order = batches.Order(examples.lengths[rows], BATCH, 0)
    examples.batch(rows[order.rows(0)], 0, (0, 0))


def epochs() -> None:
    """Shuffle ten epochs, with the index read before."""
    lengths = kinds.read(Path("features.h5")).lengths("frame")
    order = batches.Order(lengths, BATCH, 0)
    for epoch in range(10):
        order.rows(epoch * order.per_epoch)


STEPS: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "open": lambda: kinds.read(Path("features.h5")),
    "info": lambda: verb("info", "features.h5"),
    "verify --quick": lambda: verb("verify", "--quick", "features.h5"),
    "select 100": lambda: verb("select", "features.h5", "--random", "100", "-o", "some.h5"),
    "select half": lambda: verb("select", "few.h5", "--match", "[02468][.]$", "-o", "half.h5"),
    "split 9:1": lambda: verb("split", "few.h5", "--ratio", "9:1", "-o", "part-{}.h5"),
    "merge": lambda: verb("merge", "few.h5", "more.h5", "-o", "merged.h5"),
    "100 files as one": lambda: kinds.read(Path("parts.list")),
    "ten epochs": epochs,
    "start of training": start,
}


def measure(name: str, folder: Path, results: Connection) -> None:
    """Run one step, and send its seconds, those of the processor, and megabytes."""
    os.chdir(folder)
    hdf5.MOST_UNWRITTEN = 1 << 62  # sparse files are what this is about
    progress.hush()
    own: list[int] = []
    threading.Thread(target=watch, args=(own,), daemon=True).start()
    begun, before = time.perf_counter(), time.process_time()
    with Path("/dev/null").open("w") as null, redirect_stdout(null):
        STEPS[name]()
    seconds, spent = time.perf_counter() - begun, time.process_time() - before
    results.send((seconds, spent, max(own) / 1e6))


def watch(own: list[int]) -> None:
    """Note the memory of this process again and again, but for pages of mapped files."""
    while True:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
        own.append((resident - shared) * resource.getpagesize())
        time.sleep(0.01)


def main() -> None:
    steps = [word for word in sys.argv[1:] if word in STEPS] or [*STEPS]
    counts = [int(word) for word in sys.argv[1:] if word not in STEPS] or COUNTS
    print("| utterances | step | s | s of processor | MB |\n|---|---|---|---|---|", flush=True)
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            simulate(folder / "features.h5", "features", count, FRAMES)
            simulate(folder / "alignment.h5", "alignment", count, FRAMES)
            simulate(folder / "few.h5", "features", count // 2, FEW)
            simulate(folder / "more.h5", "features", count // 2, FEW, first=count)
            for part in range(100):
                path, each = folder / f"part{part:02}.h5", count // 100
                simulate(path, "features", each, FRAMES, first=part * each)
            parts = "".join(f"part{part:02}.h5\n" for part in range(100))
            (folder / "parts.list").write_text(parts)
            for step in steps:
                ours, theirs = FORK.Pipe()
                one = FORK.Process(target=measure, args=(step, folder, theirs))
                one.start()
                theirs.close()
                seconds, spent, most = ours.recv()
                one.join()
                print(
                    f"| {count:,} | {step} | {seconds:.2f} | {spent:.2f} | {most:.0f} |", flush=True
                )


if __name__ == "__main__":
    main()
