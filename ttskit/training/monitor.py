"""The log of a training in its run folder, and its progress on the terminal.

OUT.run/resolved.toml  meta.json  log.jsonl  last.h5  best.h5  loss.png  NAME.png
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ttskit import progress, wording
from ttskit.errors import TtskitError

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

LOG = "log.jsonl"
RECENT = 20  # updates over which the display averages
REDRAWN = 30.0  # seconds between pictures of the losses


class Log:
    """log.jsonl: a row for each update and validation, without those after the checkpoint."""

    def __init__(self, path: Path, step: int) -> None:
        rows = read(path) if step else []
        kept = [json.dumps(row) + "\n" for row in rows if row["step"] <= step]
        path.write_text("".join(kept), encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")

    def write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a log, without one that a killed run left half written."""
    rows = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
    return rows


def folder_of(path: Path) -> Path:
    """Return the run folder of a training, or of the model that it made."""
    for folder in (path, path.with_name(path.name + ".run")):
        if (folder / LOG).is_file():
            return folder
    if not path.exists():
        raise TtskitError("no such file or folder; needs a model or its run folder", file=path)
    raise TtskitError(
        f"no {LOG} in it nor in {path.name}.run: needs a model that lies beside its run folder",
        file=path,
    )


class Display:
    """Progress on stderr: a live table on a terminal, otherwise a line from time to time."""

    def __init__(self, title: str, steps: int | None) -> None:
        self._title, self._steps = title, steps
        self._recent: deque[Mapping[str, float]] = deque(maxlen=RECENT)
        self._validation: dict[str, float] = {}
        self._live: Live | None = None
        self._last_line = time.monotonic()
        self._pace = progress.Pace()

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not progress.console.is_terminal or progress.console.quiet:
            yield
            return
        from rich.live import Live

        with Live(console=progress.console, refresh_per_second=4, transient=True) as self._live:
            yield

    def update(self, row: Mapping[str, float], fraction: float) -> None:
        """Show the log row of an update, after which `fraction` of the training is done."""
        self._pace.mark(fraction)
        self._recent.append(row)
        if self._live:
            self._live.update(self._table(int(row["step"]), fraction))
        elif time.monotonic() - self._last_line >= progress.EVERY:
            self._last_line = time.monotonic()
            progress.note(self._line(int(row["step"]), fraction))

    def validated(self, terms: Mapping[str, float]) -> None:
        self._validation = dict(terms)

    def means(self) -> dict[str, float]:
        """Return the means of all columns over the last updates.

        Missing terms, such as those of critics that are not used yet, count as 0, so that the
        terms add up to the loss.
        """
        rows = self._recent
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: sum(row.get(name, 0.0) for row in rows) / len(rows) for name in names}

    def _place(self, step: int) -> str:
        return f"{step} of {self._steps}" if self._steps else f"{step}"

    def _line(self, step: int, fraction: float) -> str:
        known = self.means()
        terms = ", ".join(
            f"{name.removeprefix('loss/')} {value:.4g}"
            for name, value in known.items()
            if name.startswith("loss/")
        )
        held = f"; validation {self._validation['loss']:.4g}" if self._validation else ""
        rate = 1 / max(1e-9, known["step_seconds"])
        return (
            f"{self._title}: update {self._place(step)}, last {len(self._recent)}: "
            f"loss {known['loss']:.4g} ({terms}){held}, {wording.pace(rate)}"
            f"{self._pace.left(1 - fraction)}"
        )

    def _table(self, step: int, fraction: float) -> Table:
        from rich.table import Table

        table = Table(
            title=f"{self._title}: update {self._place(step)}{self._pace.left(1 - fraction)}"
        )
        table.add_column("")
        table.add_column(f"last {len(self._recent)}", justify="right")
        table.add_column("validation", justify="right")
        known = self.means()
        for name, value in known.items():
            if name == "loss" or name.startswith("loss/"):
                key = name.removeprefix("loss/")
                held = self._validation.get(key)
                table.add_row(key, f"{value:.4g}", "" if held is None else f"{held:.4g}")
        share = known["data_seconds"] / max(1e-9, known["step_seconds"])
        table.add_row("updates", wording.pace(1 / max(1e-9, known["step_seconds"])), "")
        table.add_row("waiting for data", f"{share:.1%}", "")
        table.add_row("gradient", f"{known['gradient']:.3g}", "")
        table.add_row("learning rate", f"{known['learning_rate']:.3g}", "")
        return table
