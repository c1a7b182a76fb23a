"""Lhotse: cuts with their recordings, `cuts.jsonl` or `cuts.jsonl.gz`.

Every supervision is an utterance, at its time in the recording.  Its id is that of the cut, or
its own where a cut has several.  Paths are relative to the folder of the cuts or to one above it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ttskit import wording
from ttskit.datasets import folder
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.errors import DatasetError

NEEDS = "cuts of Lhotse with their recordings, as cuts.jsonl or cuts.jsonl.gz"
SUFFIXES = (".jsonl", ".jsonl.gz")
HEAD = 1 << 20  # bytes of the first cut that are looked at
KINDS = ("MonoCut", "MultiCut")
TIMELESS = ("Resample", "Volume")  # changes of a recording that leave its times as they are
DIGITS = 6  # of seconds; sums of times differ from whole samples in the last bits


def matches(path: Path) -> str | None:
    """Return by what cuts are recognised: the values of the first one."""
    if path.is_dir():
        files = _cuts(path)
        return f"{files[0].name} has cuts" if files else None
    if not path.name.lower().endswith(SUFFIXES) or not path.is_file():
        return None
    try:
        with _open(path) as file:
            cut = json.loads(file.readline(HEAD))
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, RecursionError):
        return None
    is_cut = isinstance(cut, dict) and ("supervisions" in cut or cut.get("type") == "MixedCut")
    return "its first line is a cut" if is_cut else None


def read(path: Path) -> Dataset:
    """Read the utterances in the order of the cuts."""
    table = _only_cuts(path) if path.is_dir() else path
    out, mixed, place = Gathering("lhotse", table.parent), 0, ""
    for place, cut in _rows(table):
        if isinstance(cut, str):
            out.refuse("", cut, "the cut cannot be read", place)
            continue
        try:
            mixed += _add(out, table.parent, cut, place)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"is not a cut: {type(error).__name__} {error}"
            out.refuse(str(cut.get("id", "")), reason, "the cut cannot be read", place)
    if not place:
        raise DatasetError(f"has no cuts; lhotse needs {NEEDS}", file=table)
    if mixed:
        cuts = wording.count(mixed, "cut")
        out.note(f"of recordings with several channels, of which the mean is read: {cuts}")
    return out.dataset()


def _add(out: Gathering, root: Path, cut: dict[str, Any], place: str) -> bool:
    """Add the utterances of a cut; return whether its audio has several channels."""
    id, supervisions = str(cut["id"]), cut.get("supervisions") or []
    if fault := _fault(cut):
        out.refuse(id, fault, "the cut cannot be used", place)
        return False
    source = _source(cut)
    if source is None or source["type"] != "file":
        kind = f"type {source['type']}" if source else "another channel"
        out.refuse(id, f"its recording is of {kind}, needs a file", "no audio file", place)
        return False
    audio = folder.find_above(root, source["source"])
    utterances = [
        (
            id if len(supervisions) == 1 else str(each["id"]),
            str(each.get("text") or ""),
            str(each.get("speaker") or ""),
            round(float(cut["start"]) + float(each["start"]), DIGITS),
            float(each["duration"]),
        )
        for each in supervisions
    ]
    for name, text, speaker, start, seconds in utterances:
        if audio:
            end = round(start + seconds, DIGITS)
            out.add(name, text, audio, place, speaker, start, end)
        else:
            out.refuse(name, f"no file {source['source']}", "the audio is missing", place)
    return len(source["channels"]) > 1


def _fault(cut: dict[str, Any]) -> str:
    """Return why a cut cannot be used, else ""."""
    if cut.get("type", "MonoCut") not in KINDS:
        return f"is a {cut['type']}, needs {' or '.join(KINDS)}"
    if not cut.get("supervisions"):
        return "has no supervision, which holds the text"
    if not cut.get("recording"):
        return "has no recording, only features; needs cuts with recordings"
    changes = [change["name"] for change in cut["recording"].get("transforms") or []]
    if changed := [name for name in changes if name not in TIMELESS]:
        return f"its recording is changed by {', '.join(changed)}; save the audio of the cuts first"
    return ""


def _source(cut: dict[str, Any]) -> dict[str, Any] | None:
    """Return the source of the recording that has the channel of the cut."""
    channel = cut.get("channel", 0)
    wanted = channel[0] if isinstance(channel, list) else channel
    sources: list[dict[str, Any]] = cut["recording"]["sources"]
    return next((source for source in sources if wanted in source["channels"]), None)


def _rows(table: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Yield the place of each line, and its values or what is wrong with it."""
    number = 0
    try:
        with _open(table) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{table.name} line {number}", _values(line)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(
            f"after line {number}: cannot be decompressed ({error}); fetch or make it again",
            file=table,
        ) from error


def _values(line: bytes) -> dict[str, Any] | str:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    return values if isinstance(values, dict) else "is not a JSON object with named values"


def _open(path: Path) -> Any:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _cuts(path: Path) -> list[Path]:
    return [file for file in folder.walk(path, depth=1) if matches(file)]


def _only_cuts(path: Path) -> Path:
    files = _cuts(path)
    if len(files) != 1:
        has = count([file.name for file in files], "file") if files else "no file"
        raise DatasetError(f"has {has} of cuts; name the one to read: {NEEDS}", file=path)
    return files[0]
