"""Split: cut an artifact at random into parts, each speaker evenly.

Reads one artifact, writes several.  Each speaker's utterances are shuffled and spread evenly over
the interval from 0 to 1, which is cut in proportion to the ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import count, islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ttskit import wording
from ttskit.artifacts import selection
from ttskit.errors import TtskitError, UsageError
from ttskit.options import DryRun, Restart, Seed

if TYPE_CHECKING:
    import numpy as np

    from ttskit.artifacts.reader import Reader


def parts(speakers: Sequence[str], ratios: Sequence[float], seed: int) -> list[np.ndarray]:
    """Return the rows of each part, in order.

    Parameters
    ----------
    speakers : one name for each row
    ratios : one number for each part; they need not sum to 1
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    position = np.empty(len(speakers))
    own: dict[str, list[int]] = {}
    for row, name in enumerate(speakers):
        own.setdefault(name, []).append(row)
    for of_speaker in own.values():
        rows = rng.permutation(np.array(of_speaker))
        position[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    shares = np.cumsum(ratios) / np.sum(ratios)
    cuts = np.round(shares[:-1] * len(speakers)).astype(int)
    return [np.sort(rows) for rows in np.split(np.argsort(position, kind="stable"), cuts)]


def _pattern(output: str | None, reader: Reader[Any]) -> str:
    """Return the pattern of the parts' names, with {} for the number of each."""
    from ttskit.artifacts import streams

    if output is None and reader.name == streams.STDIN:
        raise UsageError("split of standard input needs -o, with {} for the number of each part")
    pattern = output or f"{reader.path.with_suffix('')}-{{}}.h5"
    if pattern.count("{}") != 1:
        raise UsageError("needs one {} where the number of the part goes", file=pattern)
    return pattern


def _names(pattern: str) -> Iterator[Path]:
    """Yield the names of the parts, without end."""
    return (Path(pattern.replace("{}", str(number))) for number in count(1))


def _note_others(names: Iterator[Path]) -> None:
    """Note files that look like further parts: an older split may have had more."""
    from ttskit import progress

    for path in takewhile(Path.exists, names):
        progress.note(f"{path}: exists too, and is not a part of this split")


def _ratios(text: str) -> list[float]:
    try:
        ratios = [float(part) for part in text.split(":")]
    except ValueError:
        ratios = []
    if len(ratios) < 2 or not all(0 < part < math.inf for part in ratios):
        raise UsageError(f"--ratio {text!r}: needs two or more positive numbers, as 8:1:1")
    return ratios


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Artifact to split; several of a kind are one; - reads standard input, and then -o is "
        "needed.",
        show_default="standard input",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATTERN",
        help="Names of the parts, with {} for the number of each: 'part-{}.h5'.",
        show_default="INPUT-{}.h5",
    ),
]
Count = Annotated[
    int,
    typer.Option("--parts", "-n", min=2, metavar="N", help="Number of parts of equal size."),
]
Ratio = Annotated[
    str | None,
    typer.Option(
        metavar="RATIO", help="Relative sizes of the parts instead, as 8:1:1 for three parts."
    ),
]


def command(
    inputs: Inputs = None,
    output: Output = None,
    count: Count = 2,
    ratio: Ratio = None,
    seed: Seed = 0,
    restart: Restart = False,
    dry_run: DryRun = False,
) -> None:
    """Split an artifact at random into parts, each speaker evenly.

    Examples:
        ttskit split corpus.h5 --ratio 8:1:1 --seed 1
        ttskit split corpus.h5 --parts 4 -o 'shard-{}.h5'
    """
    from ttskit.artifacts import streams
    from ttskit.artifacts.build import Running

    readers = streams.together(streams.opened(inputs))
    if len(readers) != 1:
        raise UsageError("split takes artifacts of one kind")
    reader, ratios = readers[0], _ratios(ratio) if ratio else [1.0] * count
    pattern = _pattern(output, reader)
    shared = parts(reader.table("speaker"), ratios, seed)
    if empty := [number for number, rows in enumerate(shared, 1) if not len(rows)]:
        there = wording.count(len(reader), "utterance")
        raise TtskitError(f"has {there}: part {empty[0]} would be empty", file=reader.name)
    names, running = _names(pattern), Running(restart=restart, dry_run=dry_run)
    paths = list(islice(names, len(shared)))
    for path in paths:
        streams.replaceable(streams.writable(path), reader.kind.kind(), reader.digests)
    for number, (path, rows) in enumerate(zip(paths, shared, strict=True), 1):
        options = {"ratios": ratios, "seed": seed, "part": number}
        selection.copy(path, "split", options, reader, rows.tolist(), running)
    _note_others(names)
