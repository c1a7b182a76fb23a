"""Fields of an artifact as tab-separated text.

Arrays are written as JSON; a tab or a line break within a text as \\t, \\n.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ttskit.artifacts import selection
from ttskit.errors import TtskitError

if TYPE_CHECKING:
    from ttskit.artifacts.reader import Reader


ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def names(reader: Reader[Any]) -> list[str]:
    """Return the fields that can be written, with the lengths and seconds they imply."""
    axes = [name.split("/")[1] for name in reader.container.columns if name.startswith("offsets/")]
    timed = selection.durations(reader) is not None
    lengths = [f"{axis}s" for axis in axes]
    return [spec.name for spec in reader.columns] + lengths + (["seconds"] if timed else [])


def lines(reader: Reader[Any], fields: Sequence[str], ids: Sequence[str] | None) -> Iterator[str]:
    """Yield a line for each utterance, or for each of `ids`."""
    known = names(reader)
    if unknown := [name for name in fields if name not in known]:
        raise TtskitError(f"no field {unknown[0]!r}; there is {', '.join(known)}", file=reader.name)
    rows = range(len(reader)) if ids is None else [reader.row(id) for id in ids]
    duration = selection.seconds(reader) if "seconds" in fields else None
    columns = {spec.name for spec in reader.columns}
    for row in rows:
        cells = []
        for name in fields:
            if name in columns:
                cells.append(_cell(reader.value(row, name)))
            elif duration and name == "seconds":
                cells.append(f"{duration(row):.3f}")
            else:
                start, stop = reader.offsets(name[:-1])[row : row + 2]
                cells.append(str(stop - start))
        yield "\t".join(cells)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(ESCAPES)
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value.tolist())
