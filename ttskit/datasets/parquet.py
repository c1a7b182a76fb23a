"""Parquet and Arrow: tables of Hugging Face `datasets` that have the recordings in them.

A column `audio` has the bytes of a file and its name; the other columns are those of a manifest.
The recordings are written to a temporary folder, which is deleted when the process ends.  Splits
are named by shards, `data/train-00000-of-00002.parquet`, or by folders, `train/data.arrow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ttskit.datasets import folder, manifest
from ttskit.datasets.clips import Dataset, Gathering
from ttskit.errors import DatasetError, at

NEEDS = "tables .parquet or .arrow with the recordings in a column audio, and a column of texts"
SUFFIXES = (".parquet", ".arrow")
EXTRA = "needs the extra parquet: pip install 'ttskit[parquet]'"
ROWS = 64  # that are read at once
TIMES = ("start", "end", "duration")  # columns that are not read: each row has its recording
STARTS = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg"}  # of files whose name is not known


def matches(path: Path) -> str | None:
    """Return by what a table is recognised: its suffix, or that of one in the folder."""
    if path.is_file():
        return f"its suffix is {path.suffix}" if path.suffix.lower() in SUFFIXES else None
    tables = _tables(path)
    return f"{tables[0].name} is such a table" if tables else None


def read(path: Path) -> Dataset:
    """Read the utterances in the order of the rows, split by split."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise DatasetError(EXTRA, file=path) from error
    from ttskit.artifacts import streams

    tables = _tables(path) if path.is_dir() else [manifest.Table(path, path.name)]
    if not tables:
        raise DatasetError(f"has no table; parquet needs {NEEDS}", file=path)
    root = streams.scratch()
    out = Gathering("parquet", root)
    return manifest.gathered(out, [(table, row) for table in tables for row in _rows(table, root)])


def _tables(path: Path) -> list[manifest.Table]:
    """Return the tables of a folder, each with its split."""
    files = [file for file in folder.walk(path, depth=3) if file.suffix.lower() in SUFFIXES]
    return [
        manifest.Table(file, file.relative_to(path).as_posix(), _split(file, path))
        for file in files
    ]


def _split(file: Path, path: Path) -> str:
    """Return the split of a table, by its shard or its folder."""
    shard = manifest.SHARD.fullmatch(file.stem)
    named = shard[1] if shard else file.stem
    if named in ("data", "dataset") and file.parent != path:
        return file.parent.name
    return named if shard or named in manifest.SPLITS else ""


def _rows(table: manifest.Table, root: Path) -> Iterator[manifest.Read]:
    """Yield the rows of a table, with their recordings written below a folder."""
    number = 0
    for batch in _batches(table):
        for row in batch:
            place, number = f"{table.name} row {number}", number + 1
            audio = row.pop("audio")
            content = audio.get("bytes") if isinstance(audio, dict) else audio
            if not isinstance(content, bytes):
                yield place, "has no recording in its column audio"
                continue
            name = Path(audio.get("path") or "").name if isinstance(audio, dict) else ""
            name = name or f"{number - 1:06}{STARTS.get(content[:4], '.mp3')}"
            file = root / table.name / f"{number - 1:06}" / name
            file.parent.mkdir(parents=True)
            file.write_bytes(content)
            texts = {role: "" if value is None else str(value) for role, value in row.items()}
            yield place, {**texts, "audio": str(file)}


def _batches(table: manifest.Table) -> Iterator[list[dict[str, Any]]]:
    """Yield some rows at a time, role -> value."""
    import pyarrow
    from pyarrow import ipc, parquet

    with at(table.path):
        try:
            if table.path.suffix.lower() == ".arrow":
                stream = ipc.open_stream(pyarrow.memory_map(str(table.path)))
                names, batches = stream.schema.names, iter(stream)
            else:
                file = parquet.ParquetFile(table.path)
                names, batches = file.schema_arrow.names, file.iter_batches(ROWS)
            roles = _roles(names)
            for batch in batches:
                yield list(_by_role(batch.to_pylist(), roles))
        except (pyarrow.ArrowException, OSError) as error:
            raise DatasetError(f"cannot be read: {str(error).splitlines()[0]}") from error


def _roles(names: Iterable[str]) -> Mapping[str, str]:
    """Return role -> column; audio and text must be there."""
    columns = manifest.roles([*names])
    for needed in ("audio", "text"):
        if needed not in columns:
            raise DatasetError(
                f"no column names the {needed}: has {', '.join(names)}, needs one of "
                f"{', '.join(manifest.COLUMNS[needed])}"
            )
    return columns


def _by_role(rows: Iterable[dict[str, Any]], roles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {role: row[column] for role, column in roles.items() if role not in TIMES}
