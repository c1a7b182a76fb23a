"""Manifest: a CSV, TSV or JSONL file with a row for each utterance and columns by name.

`COLUMNS` has the names, in any case; the first that a manifest has is read, and columns that
are not read are noted.  Audio is looked for relative to the manifest, then in the folders that
usually hold it beside the manifest.  In a .csv, texts may be quoted and have line breaks; in a
.tsv or where | divides, quotes are text.

A folder may have one manifest, or one for each of its splits, as data sets of Hugging Face do:
`train/metadata.csv`, `data/train-00000-of-00002.jsonl`, `train.csv`.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ttskit.datasets import folder
from ttskit.datasets.clips import Dataset, Gathering, count, printable
from ttskit.errors import DatasetError

NEEDS = "a .csv, .tsv or .jsonl file whose columns are named, at least audio and text"
SUFFIXES = (".csv", ".tsv", ".jsonl")
# fmt: off
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "audio": (
            "audio", "path", "file", "wav", "audio_path", "audio_file", "audio_filepath",
            "file_name", "filename", "file_path", "wav_path", "wav_filename",
        ),
        "text": ("text", "transcript", "transcription", "sentence", "raw_text"),
        "id": ("id", "utterance", "utterance_id", "utt_id"),
        "speaker": ("speaker", "speaker_id", "speaker_name", "client_id"),
        "start": ("start", "start_time", "offset"),
        "end": ("end", "end_time"),
        "duration": ("duration",),
        "part": ("split", "subset", "part"),
    }
)
# fmt: on

Row = tuple[str, dict[str, Any] | str]  # place; columns, or what is wrong with the row
Read = tuple[str, dict[str, str] | str]  # place; role -> value, or what is wrong with the row


SPLITS = ("train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval")
SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}")  # the name of a part of a split, without suffix


class Table(NamedTuple):
    """A manifest, what errors call it, and the split that it is, if it is one."""

    path: Path
    name: str
    split: str = ""


def matches(path: Path) -> str | None:
    """Return by what a manifest is recognised: its columns, or those of one in the folder."""
    if path.is_dir():
        return _of_folder(path)
    if path.suffix.lower() not in (*SUFFIXES, ".txt") or not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.readline(100_000).decode("utf-8-sig", errors="replace")
    names = _delimited(path, head)[1] if path.suffix.lower() != ".jsonl" else _keys(head)
    columns = roles(names)
    if "audio" not in columns or "text" not in columns:
        return None
    return f"its columns {columns['audio']} and {columns['text']} name the audio and the text"


def _of_folder(path: Path) -> str | None:
    if manifests := _manifests(path):
        return f"{manifests[0].name} has named columns"
    if tables := _splits(path):
        splits = ", ".join(dict.fromkeys(table.split for table in tables))
        return f"{tables[0].name} has named columns; splits: {splits}"
    return None


def read(path: Path) -> Dataset:
    """Read the utterances in the order of the rows, split by split."""
    tables = _tables(path) if path.is_dir() else [Table(path, path.name)]
    out = Gathering("manifest", path if path.is_dir() else path.parent)
    return gathered(out, [(table, row) for table in tables for row in _rows(out, table)])


def gathered(out: Gathering, rows: Sequence[tuple[Table, Read]]) -> Dataset:
    """Return the data set of the rows of tables."""
    _tell_apart([(table, value) for table, (_, value) in rows if isinstance(value, dict)])
    for table, (place, value) in rows:
        if isinstance(value, str):
            out.part = table.split
            out.refuse("", value, "the row cannot be read", place)
        else:
            _add(out, table, value, place)
    return out.dataset()


def _rows(out: Gathering, table: Table) -> list[Read]:
    """Return the rows of a manifest: place, and role -> value or what is wrong with the row."""
    path, name = table.path, table.name
    content = folder.text(path)
    if path.suffix.lower() == ".jsonl":
        rows = list(_json_rows(name, content))
        names = list(Counter(key for _, row in rows if isinstance(row, dict) for key in row))
    else:
        head = content[: content.find("\n") + 1] or content
        delimiter, names = _delimited(path, head)
        rows = list(_table_rows(table, content, delimiter, names))
    columns = roles(names)
    for needed in ("audio", "text"):
        if needed not in columns:
            raise DatasetError(
                f"no column names the {needed}: has {printable(', '.join(names))}, "
                f"needs one of {', '.join(COLUMNS[needed])}",
                file=path,
            )
    out.note(f"{name}: " + ", ".join(f"{role} in column {columns[role]}" for role in columns))
    if unread := [column for column in names if column not in columns.values()]:
        out.note(f"{name}: columns that are not read: {', '.join(unread)}")
    values = [
        (
            place,
            row if isinstance(row, str) else {r: _string(row.get(c)) for r, c in columns.items()},
        )
        for place, row in rows
    ]
    read = [value for _, value in values if isinstance(value, dict)]
    _number_parts(read)
    quoted = [one["text"] for one in read if len(one["text"]) > 1]
    if quoted := [text for text in quoted if text[0] == text[-1] == '"']:
        out.note(f'{name}: texts that begin and end with ", which is read as text: {len(quoted)}')
    return values


def _tell_apart(values: Sequence[tuple[Table, dict[str, str]]]) -> None:
    """Put the split before ids that several splits have."""
    splits: dict[str, set[str]] = {}
    for table, value in values:
        value["id"] = _id(value) or _stem(value["audio"])
        splits.setdefault(value["id"], set()).add(table.split)
    for table, value in values:
        if len(splits[value["id"]]) > 1:
            value["id"] = f"{table.split}_{value['id']}"


def _number_parts(values: list[dict[str, str]]) -> None:
    """Name parts of one recording that have no ids by the recording and their number."""
    nameless = [each for each in values if each.get("start", "").strip() and not _id(each)]
    parts, seen = Counter(each["audio"] for each in nameless), Counter[str]()
    for value in nameless:
        audio = value["audio"]
        seen[audio] += 1
        if parts[audio] > 1:
            value["id"] = f"{_stem(audio)}_{seen[audio]:04d}"


def _add(out: Gathering, table: Table, value: dict[str, str], place: str) -> None:
    """Add the utterance of a row, role -> value."""
    path, id = value["audio"].strip(), value["id"]
    out.part = value.get("part", "").strip() or table.split
    try:
        start, end, seconds = (
            _seconds(value.get(role, "")) for role in ("start", "end", "duration")
        )
    except ValueError as error:
        out.refuse(id, f"{error} is not a time in seconds", "the times cannot be used", place)
        return
    if start is not None and seconds is not None:
        end = start + seconds
    if not path:
        out.refuse(id, "names no audio", "the audio is missing", place)
    elif audio := _find(table.path.parent, path):
        out.add(id, value["text"], audio, place, value.get("speaker", ""), start, end)
    else:
        out.refuse(id, f"no file {path}", "the audio is missing", place)


def _id(value: dict[str, str]) -> str:
    return value.get("id", "").strip()


def _stem(path: str) -> str:
    return folder.without_suffix(os.path.basename(path.strip()))  # noqa: PTH119


def _find(root: Path, path: str) -> Path | None:
    places = [root / path, *(root / name / path for name in folder.FOLDERS)]
    return next((place for place in places if "\0" not in path and os.path.lexists(place)), None)


def _seconds(value: str) -> float | None:
    try:
        return float(value) if value.strip() else None
    except ValueError:
        raise ValueError(value) from None


def _string(value: object) -> str:
    """Return a value of JSON or of a table as text; None as ""."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def roles(names: list[str]) -> dict[str, str]:
    """Return role -> column for the columns that are read.

    A duration is read where it says the end of a part, not where it is that of the file.
    """
    known = {name.strip().lower(): name for name in reversed(names)}
    columns = {
        role: known[next(name for name in choices if name in known)]
        for role, choices in COLUMNS.items()
        if any(name in known for name in choices)
    }
    if "start" not in columns or "end" in columns:
        columns.pop("duration", None)
    return columns


def _keys(line: str) -> list[str]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return list(row) if isinstance(row, dict) else []


def _delimited(table: Path, head: str) -> tuple[str, list[str]]:
    """Return the delimiter that finds most known names of columns, and the names."""
    choices: list[tuple[int, str, list[str]]] = []
    for delimiter in "\t" if table.suffix.lower() == ".tsv" else ",;\t|":
        names = [name.strip('" ') for name in head.rstrip("\r\n").split(delimiter)]
        choices.append((len(roles(names)), delimiter, names))
    _, delimiter, names = max(choices, key=lambda each: each[0])
    return delimiter, names


def _table_rows(table: Table, content: str, delimiter: str, names: list[str]) -> Iterator[Row]:
    lines = io.StringIO(content, newline="")
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if delimiter in ",;" else csv.QUOTE_NONE,
        strict=True,
    )
    before = 0
    try:
        next(reader, None)  # the header
        if twice := [name for name, times in Counter(names).items() if times > 1]:
            raise DatasetError(f"two columns are named {twice[0]!r}", file=table.path)
        before = reader.line_num
        for row in reader:
            place, before = f"{table.name} line {before + 1}", reader.line_num
            if len(row) not in (0, len(names)):
                yield place, f"has {len(row)} columns, the header {len(names)}"
            elif row:
                yield place, dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise DatasetError(
            f"line {before + 1}: {error}; is a quotation mark not closed?", file=table.path
        ) from error


def _json_rows(name: str, content: str) -> Iterator[Row]:
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{name} line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield place, f"is not JSON: {error}"
        else:
            yield place, row if isinstance(row, dict) else "is not a JSON object with named values"


def _manifests(path: Path) -> list[Path]:
    files = [file for file in folder.walk(path, depth=1) if file.suffix.lower() in SUFFIXES]
    return [file for file in files if matches(file)]


def _splits(path: Path) -> list[Table]:
    """Return the manifests of the splits of a folder, as their files or folders name them."""
    tables = []
    for file in folder.walk(path, depth=3):
        if file.suffix.lower() in SUFFIXES and matches(file):
            shard = SHARD.fullmatch(file.stem)
            split = shard[1] if shard else file.stem if file.stem in SPLITS else ""
            if file.stem == "metadata" and file.parent != path:
                split = file.parent.name
            if split:
                tables.append(Table(file, file.relative_to(path).as_posix(), split))
    return tables


def _tables(path: Path) -> list[Table]:
    """Return the manifests of a folder: the only one, or those of its splits."""
    manifests = _manifests(path)
    if len(manifests) == 1:
        return [Table(manifests[0], manifests[0].name)]
    splits = _splits(path)
    if splits and {table.path for table in splits} >= {*manifests}:
        return splits
    has = f"has {count([file.name for file in manifests], 'manifest')}" if manifests else "has none"
    raise DatasetError(f"{has}; name the one to read: {NEEDS}", file=path)
