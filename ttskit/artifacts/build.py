"""One way to run per-utterance work: parallel, resumable, and with nothing dropped in silence.

`build` makes an artifact from named items.  It is up to date, or goes on where an earlier run
stopped; whatever cannot be made is listed with its reason, and by `skip_bad` left out for good.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from ttskit import progress, wording
from ttskit.artifacts import cluster, hdf5, pool, streams, unfinished
from ttskit.artifacts.hdf5 import Value
from ttskit.artifacts.record import Number, Record
from ttskit.artifacts.writer import Writer
from ttskit.errors import ArtifactError, Interrupted, TtskitError

T = TypeVar("T")


@dataclass(frozen=True)
class Recipe:
    """What an artifact is made of: all that changes it, and nothing that does not."""

    stage: str
    revision: int  # of the stage: raised by hand when its results change
    kind: type[Record]
    options: Mapping[str, Any]
    inputs: Sequence[str]  # digests
    attributes: Mapping[str, Value] = field(default_factory=dict)
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)  # columns of an open kind
    skipped: Mapping[str, str] = field(default_factory=dict)  # what the inputs lack already

    @property
    def provenance(self) -> dict[str, Any]:
        """What is on record of it, as it is read back: a tuple is a list there."""
        told = {
            "stage": self.stage,
            "revision": self.revision,
            "options": dict(self.options),
            "inputs": list(self.inputs),
        }
        return cast("dict[str, Any]", json.loads(json.dumps(told)))


@dataclass(frozen=True)
class Running:
    """How to run: nothing here changes the result."""

    jobs: int = 1  # worker processes; 0 for one a core
    skip_bad: bool = False
    restart: bool = False
    dry_run: bool = False
    scheduler: str | None = None  # address of a Dask cluster to run on instead of processes
    apart: bool = False  # even one job gets a process of its own, which can be measured


def build(
    output: Path | None,
    recipe: Recipe,
    items: Mapping[str, T],
    make: Callable[[T], Record],
    running: Running,
    *,
    source: str = "",
    bad: Mapping[str, str] | None = None,
) -> Path:
    """Make the artifact `output` from what `make` makes of each item, in their order.

    Returns where it lies: standard output, too, gets a file that is whole.

    Parameters
    ----------
    output : Path
        None or `-` for standard output.
    source : str
        Where the items come from, to name with the ones that are bad.
    bad : id -> reason
        What is known to be bad before it is tried.
    """
    with streams.delivered(output) as (path, name):
        made = up_to_date(path, recipe)
        if not made:
            streams.replaceable(path, recipe.kind.kind(), recipe.inputs)
        if made and not running.restart:
            progress.note(f"{name}: up to date")
        elif running.dry_run:
            told = wording.count(len(items), "utterance")
            progress.note(f"{name}: would be made of {told} by {recipe.stage}")
        else:
            done = _make(path, name, recipe, items, make, running, source, dict(bad or {}))
            progress.note(f"{name}: {done}")
    return path


def _make(
    path: Path,
    name: str,
    recipe: Recipe,
    items: Mapping[str, T],
    make: Callable[[T], Record],
    running: Running,
    source: str,
    bad: Mapping[str, str],
) -> str:
    """Do what `build` promises, and return in words what was done."""
    with Writer(
        path,
        recipe.kind,
        provenance=recipe.provenance,
        attributes=recipe.attributes,
        tables=recipe.tables,
        numbers=recipe.numbers,
        restart=running.restart,
    ) as writer:
        try:
            unmade = _fill(writer, recipe.stage, items, make, running)
        except KeyboardInterrupt:
            raise Interrupted(_kept(writer, "interrupted")) from None
        except TtskitError as error:
            raise type(error)(f"{source}: {error}" if source else str(error)) from error
        refused = {**bad, **{id: b.reason for id, b in unmade.items() if not b.asked}}
        # relative to the source: what is on record must not depend on where it lay
        refused = {id: why.removeprefix(f"{source}/") for id, why in refused.items()}
        refused = {id: why.removeprefix(f"{id}: ") for id, why in refused.items()}
        left_out = {id: b.reason for id, b in unmade.items() if b.asked}
        _list(source, refused)
        good = [id for id in items if id in writer.finished]
        if refused and not running.skip_bad:
            raise TtskitError(
                f"{name}: not made: {len(refused)} of {len(items) + len(bad)} utterances "
                "are bad (listed above); mend them, or leave them out with --skip-bad"
            )
        if not good:
            raise TtskitError(f"{name}: not made: there is no utterance to write")
        writer.seal(good, {**recipe.skipped, **refused, **left_out})
    told = [wording.count(len(good), "utterance")]
    told += [f"{wording.count(len(refused), 'bad one')} skipped"] if refused else []
    told += [f"{len(left_out)} left out as asked"] if left_out else []
    return ", ".join(told)


def up_to_date(output: Path, recipe: Recipe) -> bool:
    """Tell whether `output` is what the recipe would make; touch it then, so Make is content."""
    return is_made(output, recipe.kind.kind(), recipe.provenance)


def is_made(output: Path, kind: str, provenance: Mapping[str, Any]) -> bool:
    """Tell whether `output` is of a kind and a provenance; touch it then."""
    try:
        found = hdf5.open_container(output)
    except ArtifactError:
        return False
    if found.kind != kind or found.provenance != provenance:
        return False
    os.utime(output)
    return True


def _fill(
    writer: Writer[Any],
    stage: str,
    items: Mapping[str, T],
    make: Callable[[T], Record],
    running: Running,
) -> dict[str, pool.Bad]:
    """Append what can be made of the items that are not there yet; return what can't."""
    left = [(id, item) for id, item in items.items() if id not in writer.finished]
    if len(left) < len(items):
        progress.note(f"{writer.path}: going on: {len(items) - len(left)} are there already")
    unmade: dict[str, pool.Bad] = {}
    if not left:
        return unmade
    if running.scheduler:
        made_one_by_one = cluster.each(make, left, running.scheduler)
    else:
        jobs = min(running.jobs or pool.cores(), len(left))
        made_one_by_one = pool.each(make, left, jobs, apart=running.apart)
    with progress.track(stage, len(items), len(items) - len(left)) as advance:
        for id, made in made_one_by_one:
            if isinstance(made, pool.Bad):
                unmade[id] = made
            else:
                writer.append(made)
            advance()
    return {id: unmade[id] for id in items if id in unmade}


def _list(source: str, refused: Mapping[str, str]) -> None:
    prefix = f"{source}: " if source else ""
    for id, reason in refused.items():
        progress.complain(f"ttskit: {prefix}{id}: {reason}")


def _kept(writer: Writer[Any], why: str) -> str:
    kept = wording.count(len(writer.finished), "finished utterance")
    return f"{why}; {unfinished.folder_of(writer.path)} keeps {kept}" if writer.finished else why
