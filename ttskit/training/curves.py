"""Figures of a training: curves of its losses, and pictures that the model gives of its output."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit import wording
from ttskit.errors import TtskitError
from ttskit.training import monitor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ttskit.networks.facts import Picture

INK, WARM, COOL = "#222222", "#e8590c", "#1c7ed6"
SHOWN = 400  # most points of a curve


# name of a figure -> the columns that it shows; one that ends in / stands for all that begin so
FIGURES = {
    "total": ("loss",),
    "components": ("loss/",),
    "accuracy": ("watch/accuracy/",),
    "learning_rate": ("learning_rate", "gradient"),
    "efficiency": ("step_seconds", "data_seconds", "backward_seconds", "memory_mb"),
}


def draw(folder: Path) -> Figure:
    """Return a figure of all curves in the log of a training."""
    rows = monitor.read(folder / "log.jsonl")
    updates = [row for row in rows if "step_seconds" in row]
    if not updates:
        raise TtskitError(f"{folder}: has no update to draw; needs the folder of a training")
    terms = [name for name in updates[-1] if name == "loss" or name.startswith("loss/")]
    terms = terms if len(terms) > 2 else terms[:1]
    return _figure(rows, [*terms, "gradient", "learning_rate", "step_seconds"])


def by_name(folder: Path) -> Iterator[tuple[str, Figure]]:
    """Yield the figures of `FIGURES` for which the log of a training has columns."""
    rows = monitor.read(folder / "log.jsonl")
    known = dict.fromkeys(name for row in rows for name in row)
    for figure, wanted in FIGURES.items():
        names = [
            name
            for one in wanted
            for name in known
            if name == one or (one.endswith("/") and name.startswith(one))
        ]
        if names:
            yield figure, _figure(rows, names)


def pictures(folder: Path) -> dict[str, bytes]:
    """Return the figures of a training as PNG, by name."""
    images = {}
    for name, figure in by_name(folder):
        image = io.BytesIO()
        figure.savefig(image, dpi=110, format="png")
        images[name] = image.getvalue()
    return images


def _figure(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Figure:
    """Return a figure of some columns of a log, of training and of validation."""
    from matplotlib.figure import Figure

    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.7 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, name in zip(grid, names, strict=False):
        steps, values = _curve(rows, name)
        axes.plot(steps, values, color=COOL, linewidth=1.2, label="training")
        if any(f"held_out/{name}" in row for row in rows):
            steps, values = _curve(rows, f"held_out/{name}")
            axes.plot(steps, values, color=WARM, linewidth=1.4, marker="o", markersize=2.5,
                      label="validation")  # fmt: skip
            axes.legend(frameon=False, fontsize=8, loc="upper right")
        if len(values) and values.min() > 0 and values.max() > 20 * values.min():
            axes.set_yscale("log")
        title = name.removeprefix("loss/").removeprefix("watch/")
        axes.set_title(title.replace("_", " "), fontsize=10, color=INK)
        axes.grid(alpha=0.25)
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("updates", fontsize=9)
    return figure


def picture(shown: Picture, title: str) -> Figure:
    """Return a figure of a matrix and of lines over its columns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    if shown.values.size:
        axes.imshow(shown.values, origin="lower", aspect="auto", cmap="magma")
    for number, (name, line) in enumerate(shown.lines.items()):
        axes.plot(line, linewidth=1, label=name, color=f"C{number}")
    if shown.lines:
        axes.legend(frameon=False, fontsize=8, loc="upper right")
    axes.set(xlabel=shown.x, ylabel=shown.y)
    axes.set_title(title.replace("$", r"\$"), fontsize=10)
    return figure


def save(folder: Path, pictures: Mapping[str, Picture], step: int, *, final: bool = False) -> None:
    """Write the curves of a training and the pictures of its model into its folder.

    In the end the figures of `FIGURES` are written, too.
    """
    draw(folder).savefig(folder / "loss.png", dpi=110)
    for name, figure in by_name(folder) if final else ():
        figure.savefig(folder / f"training_{name}.png", dpi=110)
    _write(folder, pictures, step)


def keep(folder: Path, pictures: Mapping[str, Picture], step: int) -> None:
    """Write the pictures of a snapshot, beside those of other snapshots: NAME-STEP.png."""
    _write(folder, pictures, step, f"-{step:06}")


def _write(folder: Path, pictures: Mapping[str, Picture], step: int, ending: str = "") -> None:
    for name, shown in pictures.items():
        title = f"{name} after {wording.count(step, 'update')}"
        picture(shown, title).savefig(folder / f"{name}{ending}.png", dpi=110)


def _curve(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and values of a column, averaged to at most `SHOWN` points."""
    having = [(row["step"], row[name]) for row in rows if name in row]
    steps, values = np.array(having, float).reshape(-1, 2).T
    size = -(-len(steps) // SHOWN) or 1
    edges = np.arange(0, len(steps), size)
    counts = np.diff([*edges, len(steps)])
    if not len(edges):
        return steps, values
    return np.add.reduceat(steps, edges) / counts, np.add.reduceat(values, edges) / counts
