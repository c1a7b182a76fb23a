"""A training as events for TensorBoard: numbers of its log, and the pictures of its run folder.

FOLDER/training and FOLDER/validation have an event file each, so that both losses of a name are
curves of one chart.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.artifacts import lock
from ttskit.errors import TtskitError, at

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

FILE = "events.out.tfevents.0.ttskit"  # the same for every export, which replaces it
HELD_OUT = "held_out/"  # begins the names of numbers of validation
CLOCK = ("step", "seconds")  # columns of the log that say when
PERIOD = 5.0  # seconds between looks at a training that goes on
EXTRA = "needs the extra tensorboard: pip install 'ttskit[tensorboard]'"


def write(run: Path, folder: Path, follow: bool = False) -> int:
    """Write the events of a training, and return after which update the last one is.

    Parameters
    ----------
    run : Path
        Run folder.
    folder : Path
        What TensorBoard is given; events that are there are replaced.
    follow : bool
        Go on until the training ends.
    """
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        raise TtskitError(f"--format tensorboard {EXTRA}") from error
    last, log = 0, Log(run)
    with ExitStack() as files:
        writers = {
            name: Writer(folder / name, log.begun, files) for name in ("training", "validation")
        }
        while True:
            goes_on = follow and lock.is_held(run)
            for row in log.rows():
                last = int(row["step"])
                side = writers["training" if "step_seconds" in row else "validation"]
                side.numbers(row, log.seconds)
            for name, content in log.pictures():
                writers["validation"].picture(name, content, last, log.seconds)
            for writer in writers.values():
                writer.flush()
            if not goes_on:
                return last
            time.sleep(PERIOD)


@dataclass
class Log:
    """What a run folder has to tell, each row and each picture once."""

    run: Path
    seconds: float = 0.0  # of training, up to the last row
    _read: int = 0  # bytes of the log
    _drawn: dict[Path, float] = field(default_factory=dict)  # pictures, and when they were made

    @property
    def begun(self) -> float:
        """When the training began, by the clock."""
        meta = self.run / "meta.json"
        return meta.stat().st_mtime if meta.exists() else 0.0

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield the rows that are new; one that is half written is for the next time."""
        with at(self.run / "log.jsonl"), (self.run / "log.jsonl").open("rb") as file:
            file.seek(self._read)
            whole, end, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(end)
        for line in whole.splitlines():
            row = json.loads(line)
            self.seconds = row.get("seconds", self.seconds)
            yield row

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Yield the pictures that are new, by name."""
        for path in sorted(self.run.glob("*.png")):
            made = path.stat().st_mtime
            if self._drawn.get(path) != made:
                self._drawn[path] = made
                yield path.stem, path.read_bytes()


class Writer:
    """An event file; times are seconds after `begun`."""

    def __init__(self, folder: Path, begun: float, files: ExitStack) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        self._file = files.enter_context((folder / FILE).open("wb"))
        self._begun, self._event = begun, Event
        self._write: Callable[[bytes], None] = RecordWriter(self._file).write
        self._write(Event(wall_time=begun, file_version="brain.Event:2").SerializeToString())

    def numbers(self, row: Mapping[str, Any], seconds: float) -> None:
        """Write the numbers of a row of the log."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [
            Summary.Value(tag=name.removeprefix(HELD_OUT), simple_value=value)
            for name, value in row.items()
            if name not in CLOCK and isinstance(value, int | float)
        ]
        self._add(values, row["step"], seconds)

    def picture(self, name: str, content: bytes, step: int, seconds: float) -> None:
        """Write a picture, a PNG."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        image = Summary.Image(encoded_image_string=content)
        self._add([Summary.Value(tag=name, image=image)], step, seconds)

    def _add(self, values: list[Summary.Value], step: int, seconds: float) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        wall_time, summary = self._begun + seconds, Summary(value=values)
        self._write(
            self._event(wall_time=wall_time, step=step, summary=summary).SerializeToString()
        )

    def flush(self) -> None:
        """Let what is written be read."""
        self._file.flush()
