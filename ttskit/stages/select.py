"""Select: some utterances of an artifact, of any kind.

Reads and writes one artifact.  An utterance is taken if it passes every filter; the order stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit.artifacts.selection import copy, seconds
from ttskit.errors import TtskitError, UsageError
from ttskit.options import DryRun, Output, Restart, Seed

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.build import Running
    from ttskit.artifacts.reader import Reader


@dataclass(frozen=True)
class Filters:
    """Filters of utterances; an empty one lets everything pass."""

    id: Sequence[str] = ()
    glob: Sequence[str] = ()
    speaker: Sequence[str] = ()
    match: str | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    others: bool = False
    head: int | None = None
    random: int | None = None
    by_text: bool = False
    seed: int = 0


def named_in(path: Path) -> list[str]:
    """Return the ids in a file, of which there must be one."""
    from ttskit.text.lines import read_lines

    ids = [line.text.strip() for line in read_lines(path) if line.text.strip()]
    if not ids:
        raise TtskitError("names no utterance; needs an id a line", file=path)
    return ids


def pick(reader: Reader[Any], filters: Filters) -> list[int]:
    """Return the rows of the utterances that pass every filter, in their order."""
    for id in filters.id:
        reader.row(id)  # refuses one that is not there
    passes = _passes(reader, filters)
    passed = [row for row, id in enumerate(reader.ids) if passes(row, id)][: filters.head]
    if filters.random:
        import numpy as np

        if filters.random > len(passed):
            raise TtskitError(
                f"has {len(passed)} to choose from, not {filters.random}", file=reader.name
            )
        rng = np.random.default_rng(filters.seed)
        if filters.by_text:
            return _takes(reader, passed, filters.random, rng)
        chosen = rng.choice(len(passed), filters.random, replace=False)
        passed = [passed[i] for i in sorted(chosen)]
    return passed


def _takes(
    reader: Reader[Any], rows: Sequence[int], count: int, rng: np.random.Generator
) -> list[int]:
    """Return all rows of random texts, of so many that there are `count` rows or a few more."""
    takes: dict[str, list[int]] = {}
    for row in rows:
        takes.setdefault(reader.value(row, "text") or reader.ids[row], []).append(row)
    each, chosen = [*takes.values()], list[int]()
    for place in rng.permutation(len(each)):
        if len(chosen) >= count:
            break
        chosen += each[place]
    return sorted(chosen)


def _passes(reader: Reader[Any], filters: Filters) -> Callable[[int, str], bool]:
    """Return a function from a row and its id to whether the utterance passes."""
    try:
        pattern = re.compile(filters.match or "")
    except re.error as error:
        raise UsageError(f"--match {filters.match!r} is not a regex: {error}") from error
    timed = filters.min_seconds is not None or filters.max_seconds is not None
    duration = seconds(reader) if timed else lambda _: 0.0
    named = frozenset(filters.id)
    shortest = filters.min_seconds or 0.0
    longest = float("inf") if filters.max_seconds is None else filters.max_seconds

    def passes(row: int, id: str) -> bool:
        return filters.others != (
            (not filters.id or id in named)
            and (not filters.glob or any(fnmatchcase(id, glob) for glob in filters.glob))
            and (not filters.speaker or reader.value(row, "speaker") in filters.speaker)
            and (not filters.match or bool(pattern.search(reader.value(row, "text"))))
            and shortest <= duration(row) <= longest
        )

    return passes


def select(
    readers: Sequence[Reader[Any]], output: Path | None, filters: Filters, running: Running
) -> None:
    """Copy the utterances that pass, of which there must be one."""
    if len(readers) != 1:
        raise UsageError("select takes artifacts of one kind")
    reader = readers[0]
    chosen = pick(reader, filters)
    if not chosen:
        raise TtskitError("no utterance passes the filters", file=reader.name)
    copy(output, "select", _given(filters), reader, chosen, running)


def _given(filters: Filters) -> dict[str, Any]:
    """Return the filters that are set, for the provenance."""
    unset = asdict(Filters())
    options = {name: value for name, value in asdict(filters).items() if value != unset[name]}
    return {**options, "seed": filters.seed} if filters.random else options


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Artifact to copy from; several of a kind are one; - reads standard input.",
        show_default="standard input",
    ),
]
Id = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Take the utterance with this id. May be repeated."),
]
Ids = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Take the utterances whose ids are the lines of a file; see `doctor`."
    ),
]
Glob = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Take utterances whose id matches, as 'LJ001-*'. May be repeated.",
    ),
]
Speaker = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Take utterances of this speaker. May be repeated."),
]
Match = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX", help="Take utterances whose text contains this regular expression."
    ),
]
MinSeconds = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Take utterances that last at least this long."),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Take utterances that last at most this long."),
]
Others = Annotated[
    bool,
    typer.Option("--others", help="Take the utterances that these options would not take."),
]
Head = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Of those, take only the first N."),
]
Random = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Of those, take only N, at random (see --seed)."),
]
ByText = Annotated[
    bool,
    typer.Option(
        "--by-text",
        help="With --random: draw texts, and take all utterances of each, until there are N; so no "
        "other take of a text is left.",
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    id: Id = None,
    ids: Ids = None,
    glob: Glob = None,
    speaker: Speaker = None,
    match: Match = None,
    min_seconds: MinSeconds = None,
    max_seconds: MaxSeconds = None,
    others: Others = False,
    head: Head = None,
    random: Random = None,
    by_text: ByText = False,
    seed: Seed = 0,
    restart: Restart = False,
    dry_run: DryRun = False,
) -> None:
    """Copy some utterances of an artifact.

    Examples:
        ttskit select corpus.h5 --head 20 -o small.h5
        ttskit select corpus.h5 --speaker ann --max-seconds 10 | ttskit info
    """
    from ttskit.artifacts import streams
    from ttskit.artifacts.build import Running

    if by_text and not random:
        raise UsageError("--by-text goes with --random")
    filters = Filters(
        id=(*(id or ()), *(named_in(ids) if ids else ())),
        glob=glob or (),
        speaker=speaker or (),
        match=match,
        min_seconds=min_seconds,
        max_seconds=max_seconds,
        others=others,
        head=head,
        random=random,
        by_text=by_text,
        seed=seed,
    )
    select(
        streams.together(streams.opened(inputs)),
        output,
        filters,
        Running(restart=restart, dry_run=dry_run),
    )
