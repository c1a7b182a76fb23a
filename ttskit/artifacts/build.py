"""Building artifacts: work per utterance, in parallel, resumable, every failure reported.

`build` writes an artifact from named items.  An artifact that is up to date is left alone, an
interrupted run is resumed, and items that fail are listed with the reason; `skip_bad` leaves
them out and records why.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from ttskit import progress, wording
from ttskit.artifacts import cluster, hdf5, pool, shards, streams, unfinished
from ttskit.artifacts.differences import differences
from ttskit.artifacts.hdf5 import Value
from ttskit.artifacts.record import Number, Record
from ttskit.artifacts.shards import Shard
from ttskit.artifacts.writer import Writer, header_of
from ttskit.errors import ArtifactError, Interrupted, TtskitError, at

T = TypeVar("T")
LISTED = 5  # bad utterances of a kind


@dataclass(frozen=True)
class Recipe:
    """Everything that determines an artifact's content, and nothing that does not."""

    stage: str
    revision: int  # of the stage: increased by hand when its results change
    kind: type[Record]
    options: Mapping[str, Any]
    inputs: Sequence[str]  # digests
    attributes: Mapping[str, Value] = field(default_factory=dict)
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)  # columns of an open kind
    skipped: Mapping[str, str] = field(default_factory=dict)  # by the inputs: id -> reason
    shard: Shard | None = None  # which one of the whole; None for the whole

    @property
    def provenance(self) -> dict[str, Any]:
        """The recipe as the artifact records it: read back from JSON, so that tuples are lists."""
        facts = {
            "stage": self.stage,
            "revision": self.revision,
            "options": dict(self.options),
            "inputs": list(self.inputs),
            **({shards.MARK: [self.shard.number, self.shard.of]} if self.shard else {}),
        }
        return cast("dict[str, Any]", json.loads(json.dumps(facts)))


@dataclass(frozen=True)
class Running:
    """How to run a build; but for the shard nothing here changes the result."""

    jobs: int = 1  # worker processes; 0 for one a core
    skip_bad: bool = False
    restart: bool = False
    dry_run: bool = False
    scheduler: str | None = None  # address of a Dask cluster to run on instead of processes
    shard: Shard | None = None  # make only this one of the result
    apart: bool = False  # even a single job gets its own process, to be measured


def build(
    output: Path | None,
    recipe: Recipe,
    items: Mapping[str, T],
    make: Callable[[T], Record],
    running: Running,
    *,
    source: str = "",
    bad: Mapping[str, str] | None = None,
    title: str = "",
) -> Path:
    """Write the artifact `output` from the record that `make` returns for each item, in order.

    Returns the path of the file, a temporary one where the output is standard output.

    Parameters
    ----------
    output : Path
        None or `-` for standard output.
    source : str
        Where the items come from, to name with the ones that are bad.
    bad : id -> reason
        Items known to be unusable before the build.
    title : str
        What notes call the artifact; its path without one.
    """
    if running.shard:
        recipe, items = replace(recipe, shard=running.shard), running.shard.cut(items)

    def write(path: Path, name: str) -> str:
        return _Build(path, name, recipe, items, make, running, source, bad or {}).run()

    return made(output, recipe, len(items), running, write, title)


def made(
    output: Path | None,
    recipe: Recipe,
    size: int,
    running: Running,
    write: Callable[[Path, str], str],
    title: str = "",
) -> Path:
    """Write the artifact `output` of `size` utterances unless it is up to date.

    `write` gets its path and what notes call it, and returns what there is to note.
    """
    with streams.delivered(output) as (path, name):
        name = title or name
        current = up_to_date(path, recipe)
        if not current:
            streams.replaceable(path, recipe.kind.kind(), recipe.inputs)
            note_replaced(path, name, recipe.provenance)
        if current and not running.restart:
            unfinished.forget(path, header_of(recipe.kind.kind(), recipe.provenance))
            progress.note(f"{name}: up to date")
        elif running.dry_run:
            count = wording.count(size, "utterance")
            progress.note(f"{name}: would be made of {count} by {recipe.stage}")
        else:
            progress.note(f"{name}: {write(path, name)}")
    return path


@dataclass(frozen=True)
class _Build(Generic[T]):
    """One run of `build`: `name` is what notes call the artifact at `path`."""

    path: Path
    name: str
    recipe: Recipe
    items: Mapping[str, T]
    make: Callable[[T], Record]
    running: Running
    source: str
    bad: Mapping[str, str]

    def run(self) -> str:
        """Write the artifact, and return its counts of utterances in words."""
        with self._writer() as writer:
            try:
                return self._write(writer)
            except KeyboardInterrupt:
                raise Interrupted(self._kept(writer)) from None

    def _write(self, writer: Writer[Any]) -> str:
        errors = self._fill(writer)
        failed = {id: errors[id] for id in self.items if id in errors}
        reasons = {id: bad.error.reason(self.source) for id, bad in failed.items()}
        left_out = [id for id, bad in failed.items() if bad.asked]
        refused = {**self.bad, **{id: reasons[id] for id in reasons if not failed[id].asked}}
        good = [id for id in self.items if id in writer.finished]
        self._check(refused, good)
        writer.seal(good, {**self.recipe.skipped, **self.bad, **reasons})
        counts = [wording.count(len(good), "utterance")]
        counts += [f"{wording.count(len(refused), 'bad one')} skipped"] if refused else []
        counts += [f"{len(left_out)} left out as asked"] if left_out else []
        return ", ".join(counts)

    def _kept(self, writer: Writer[Any]) -> str:
        """Return why the run ended, and where its finished utterances are kept."""
        if not writer.finished or self.name == streams.STDOUT:
            return "interrupted"
        finished = wording.count(len(writer.finished), "finished utterance")
        return f"interrupted; {unfinished.folder_of(writer.path)} keeps {finished}"

    def _writer(self) -> Writer[Any]:
        return Writer(
            self.path,
            self.recipe.kind,
            provenance=self.recipe.provenance,
            attributes=self.recipe.attributes,
            tables=self.recipe.tables,
            numbers=self.recipe.numbers,
            restart=self.running.restart,
        )

    def _fill(self, writer: Writer[Any]) -> dict[str, pool.Bad]:
        """Append a record for each item that is not finished yet; return the items that failed."""
        left = [(id, item) for id, item in self.items.items() if id not in writer.finished]
        there = len(self.items) - len(left)
        if there:
            progress.note(f"{self.name}: going on: {there} are there already")
        errors: dict[str, pool.Bad] = {}
        with at(self.source), progress.track(self.recipe.stage, len(self.items), there) as step:
            for id, result in self._results(left):
                if isinstance(result, pool.Bad):
                    errors[id] = result
                else:
                    writer.append(result)
                step()
        return errors

    def _results(self, left: Sequence[tuple[str, T]]) -> Iterator[tuple[str, Record | pool.Bad]]:
        """Yield the results of the items in the order in which they are ready."""
        if not left:
            return iter(())
        if self.running.scheduler:
            return cluster.each(self.make, left, self.running.scheduler)
        jobs = min(self.running.jobs or pool.cores(), len(left))
        return pool.each(self.make, left, jobs, apart=self.running.apart)

    def _check(self, refused: Mapping[str, str], good: Sequence[str]) -> None:
        """List the bad utterances; raise unless they may be skipped and some utterance is good."""
        total = len(self.items) + len(self.bad)
        refuse_bad(refused, total, self.source, self.name, self.running.skip_bad)
        if not good and not self.recipe.shard:  # of a shard all may be skipped
            raise TtskitError("not made: there is no utterance to write", file=self.name)


def note_replaced(path: Path, name: str, provenance: Mapping[str, Any]) -> None:
    """Note in what a finished artifact, which is to be replaced, was made otherwise."""
    try:
        older = hdf5.open_container(path)
    except ArtifactError:
        return
    if what := differences(older.provenance, provenance):
        progress.note(f"{name}: of other inputs or options ({what}): made anew")


def refuse_bad(
    bad: Mapping[str, str], total: int, source: str, output: str, skip_bad: bool
) -> None:
    """List the bad utterances of `source` with their reasons; raise unless they may be skipped.

    Of those that are bad for the same reason some are listed, and the others counted.
    """
    alike: dict[str, list[str]] = {}
    for id, reason in bad.items():
        alike.setdefault(reason.partition(":")[0], []).append(id)
    for sort, ids in alike.items():
        for id in ids[:LISTED]:
            progress.complain(f"ttskit: {TtskitError(bad[id], file=source, utterance=id)}")
        if more := len(ids[LISTED:]):
            progress.complain(f"ttskit: {source}: and {more} more, the last one {ids[-1]}: {sort}")
    if bad and not skip_bad:
        raise TtskitError(
            f"not made: {len(bad)} of {total} utterances are bad (listed above); mend them, or "
            "leave them out with --skip-bad",
            file=output,
        )


def needed(output: Path | None, recipe: Recipe, running: Running) -> bool:
    """Return whether `build` would make an artifact, for what is to be prepared before."""
    how = replace(recipe, shard=running.shard) if running.shard else recipe
    return running.restart or not up_to_date(output or Path("-"), how)


def up_to_date(output: Path, recipe: Recipe) -> bool:
    """Return whether `output` is what the recipe would build; if so, touch it for Make."""
    return is_made(output, recipe.kind.kind(), recipe.provenance)


def is_made(output: Path, kind: str, provenance: Mapping[str, Any]) -> bool:
    """Return whether `output` has this kind and provenance; if so, touch it for Make."""
    try:
        container = hdf5.open_container(output)
    except ArtifactError:
        return False
    if container.kind != kind or container.provenance != provenance:
        return False
    if not wording.url(output):
        os.utime(output)
    return True
