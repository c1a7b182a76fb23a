"""Analyze: what a training did, and what to change.

Reads the run folder of a training, or the model beside it; prints best update, trend, plateau,
over-fitting, the shares of the components of the loss and of the time, and advice.  On request it
writes them with all curves as one HTML page.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import wording
from ttskit.options import Json

if TYPE_CHECKING:
    from ttskit.training.analysis import Analysis


def clip_norm(folder: Path) -> float:
    """Return the limit of the gradient in a training; 0 where it is not known."""
    path = folder / "resolved.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        return float(settings["training"]["clip_norm"])
    except (OSError, ValueError, LookupError, TypeError):
        return 0.0


def lines(result: Analysis) -> Iterator[tuple[str, str]]:
    """Yield what an analysis says: what it is, and the value."""
    yield "updates", f"{result.updates} in {wording.clock(result.seconds)}"
    yield f"best {result.judged} loss", f"{result.best_loss:.4g} after {result.best_update}"
    yield f"last {result.judged} loss", f"{result.last_loss:.4g}"
    yield "trend", f"{result.trend:+.1%} over the last third"
    yield "plateau", "yes" if result.plateau else "no"
    yield "over-fitting", f"{result.overfitting:.1%} above the best"
    yield "training loss since the best", f"{result.fall:+.1%}"
    for title, shares in (("of the loss", result.components), ("of the time", result.time)):
        for name, share in shares.items():
            yield f"{title}: {name}", f"{share:.1%}"
    for name, share in result.accuracy.items():
        yield f"accuracy: {name}", f"{share:.1%}"
    yield "a step", f"{result.step_seconds:.3g} s"
    yield "memory", f"{result.memory_mb:.0f} MB"
    yield "gradient", f"{result.gradient:.3g} (median), {result.clipped:.0%} clipped"
    for text in result.advice:
        yield "advice", text


def page_of(folder: Path, result: Analysis) -> str:
    """Return the analysis and all curves of a training as HTML."""
    from ttskit.pages import charts
    from ttskit.training import curves

    return charts.page(folder.name, [*lines(result)], curves.pictures(folder))


def summary(result: Analysis) -> Mapping[str, Any]:
    """Return the analysis as an object for JSON."""
    return asdict(result)


Run = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL|RUN", help="Model beside its run folder, or the run folder itself."
    ),
]
Page = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="HTML page to write, too, with all curves."),
]


def command(run: Run, page: Page = None, as_json: Json = False) -> None:
    """Say what a training did: best update, trend, over-fitting, advice.

    Examples:
        ttskit analyze decoder.h5
        ttskit analyze decoder.h5.run --page training.html
    """
    from ttskit.artifacts import atomic
    from ttskit.training import monitor
    from ttskit.training.analysis import analysed

    folder = monitor.folder_of(run)
    result = analysed(
        monitor.read(folder / monitor.LOG), clip_norm(folder), str(folder / monitor.LOG)
    )
    if page is not None:
        atomic.write_text(page, page_of(folder, result))
    if as_json:
        typer.echo(json.dumps(summary(result)))
        return
    table = [*lines(result)]
    width = max(len(name) for name, _ in table)
    for name, value in table:
        typer.echo(f"{name:<{width}}  {value}")
