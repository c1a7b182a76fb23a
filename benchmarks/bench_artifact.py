"""Random batches of 32 utterances: one artifact against one .npy file, or one HDF5 group, each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np

from ttskit.artifacts.reader import Reader
from ttskit.artifacts.record import Record, array
from ttskit.artifacts.writer import Writer

UTTERANCES, BATCH, BATCHES, ROUNDS = 5000, 32, 60, 5
MOST_FRAMES = 900


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured(Record):
    """Fields as a training batch reads them."""

    attributes: ClassVar = {}

    mel: np.ndarray = array("frame mel", "f4")
    f0: np.ndarray = array("frame", "f4")
    periodicity: np.ndarray = array("frame", "f4")
    loudness: np.ndarray = array("frame", "f4")


FIELDS = ("mel", "f0", "periodicity", "loudness")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        reader = Reader(folder / "x.h5", Measured)
        groups = h5py.File(folder / "groups.h5")

        def ours(id: str, field: str) -> np.ndarray:
            return reader.value(reader.row(id), field)

        def files(id: str, field: str) -> np.ndarray:
            return np.load(folder / "npy" / f"{id}.{field}.npy")

        def group(id: str, field: str) -> np.ndarray:
            return groups[id][field][()]

        peers: dict[str, Callable[[str, str], np.ndarray]] = {
            "ours": ours,
            "npy": files,
            "hdf5 groups": group,
        }
        best = dict.fromkeys(peers, float("inf"))
        rng = np.random.default_rng(0)
        batched = {name: np.empty((BATCH, MOST_FRAMES), np.float32) for name in FIELDS[1:]}
        batched["mel"] = np.empty((BATCH, MOST_FRAMES, 80), np.float32)
        for _ in range(ROUNDS):
            chosen = rng.integers(0, UTTERANCES, (BATCHES, BATCH))
            for peer, get in peers.items():
                started = time.perf_counter()
                for batch in chosen:
                    collate(get, [f"u{i}" for i in batch], batched)
                took = (time.perf_counter() - started) / BATCHES * 1000
                best[peer] = min(best[peer], took)
    for peer, took in best.items():
        print(f"{peer:12} {took:8.2f} ms a batch of {BATCH}")
    for peer in ("hdf5 groups", "npy"):
        ratio = best[peer] / best["ours"]
        print(
            f"artifact: ratio {ratio:.1f} (ours {best['ours']:.2f} ms, {peer} {best[peer]:.2f} ms)"
        )


def collate(
    get: Callable[[str, str], np.ndarray], ids: list[str], batch: dict[str, np.ndarray]
) -> None:
    """Fill a padded batch, as a training step needs it."""
    for row, id in enumerate(ids):
        for field, values in batch.items():
            found = get(id, field)
            values[row, : len(found)] = found
            values[row, len(found) :] = 0


def make(folder: Path) -> None:
    rng = np.random.default_rng(0)
    (folder / "npy").mkdir()
    told = {"stage": "bench", "revision": 1, "options": {}, "inputs": []}
    with (
        h5py.File(folder / "groups.h5", "w") as groups,
        Writer(folder / "x.h5", Measured, provenance=told) as writer,
    ):
        for number in range(UTTERANCES):
            frames = int(rng.integers(200, MOST_FRAMES))
            values = {"mel": rng.standard_normal((frames, 80), np.float32)}
            values |= {name: rng.standard_normal(frames, np.float32) for name in FIELDS[1:]}
            record = Measured(id=f"u{number}", speaker="", text="", **values)
            writer.append(record)
            for field, value in values.items():
                np.save(folder / "npy" / f"{record.id}.{field}.npy", value)
                groups[f"{record.id}/{field}"] = value
        writer.seal([f"u{number}" for number in range(UTTERANCES)])


if __name__ == "__main__":
    main()
