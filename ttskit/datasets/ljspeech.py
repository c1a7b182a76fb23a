"""LJSpeech: `metadata.csv` with `id|text`, and the audio of each id in a folder beside it.

No header, and quotes are text.  A third column is either the text once more, normalised, which
is not read because ttskit normalises for itself, or the speaker.  It is a speaker where no value
has white space though most texts have; failing that, where one text has several of a few values
or several texts have the only one.  The path may be the file itself, under any name.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath

from ttskit.datasets import folder, manifest
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.errors import DatasetError

NEEDS = "metadata.csv with id|text and the audio in wavs/ or beside it"

Rows = list[tuple[int, list[str]]]  # line number, columns


def matches(path: Path) -> str | None:
    """Return by what a dataset is recognised: a metadata.csv divided by |, without a header."""
    table = path / "metadata.csv" if path.is_dir() else path
    if not table.is_file() or table.suffix.lower() not in (".csv", ".txt"):
        return None
    with table.open("rb") as file:
        first = file.readline(100_000)
    if b"|" not in first or manifest.matches(table):
        return None
    return f"{table.name} has columns divided by | and no header"


def read(path: Path) -> Dataset:
    """Read the utterances in the order of the table."""
    table = path / "metadata.csv" if path.is_dir() else path
    root = table.parent
    lines = enumerate(folder.text(table).split("\n"), 1)
    rows = [(number, line.rstrip("\r").split("|")) for number, line in lines if line.strip()]
    width = _width(table, rows)
    good = [(number, columns) for number, columns in rows if len(columns) == width]
    speakers = width == 3 and _third_is_speaker(good)
    out = Gathering("ljspeech", root)
    if width == 3:
        third = "the speaker" if speakers else "a normalised text, not read: the second is the text"
        out.note(f"the third column of {table.name} is {third}")
    files, doubles = _audio(root)
    named = set()
    for number, columns in rows:
        id, place = columns[0].strip(), f"{table.name} line {number}"
        name = folder.key(folder.without_suffix(id))
        audio = files.get(name)
        id = PurePosixPath(folder.without_suffix(id)).name if audio else id
        named.add(audio)
        if len(columns) != width:
            reason = f"has {len(columns)} columns, the others have {width}"
            out.refuse(id, reason, "the number of columns is wrong", place)
        elif audio is None:
            reason = f"no audio {name}.* in {', '.join(folder.FOLDERS)} or beside the table"
            out.refuse(id, reason, f"{table.name} names audio that is not there", place)
        elif speakers and not columns[2].strip():
            out.refuse(id, "names no speaker, others do", "the speaker is missing", place)
        else:
            out.add(id, columns[1], audio, place, columns[2] if speakers else "")
    if unnamed := [path.name for path in dict.fromkeys(files.values()) if path not in named]:
        out.note(f"{table.name} has no text for {count(unnamed, 'audio file')}")
    if doubles:
        out.note(f"also there under another suffix or folder, not read: {count(doubles, 'file')}")
    return out.dataset()


def _width(table: Path, rows: Rows) -> int:
    """Return how many columns most rows have."""
    widths = Counter(len(columns) for _, columns in rows if len(columns) in (2, 3))
    if not widths:
        raise DatasetError(
            "no line has the 2 or 3 columns of id|text or id|text|speaker", file=table
        )
    return max(widths, key=lambda width: (widths[width], width))


def _audio(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Return audio files by their name without folder and suffix, and those left over."""
    files: dict[str, Path] = {}
    doubles: list[str] = []
    places = [(root / name, None) for name in folder.FOLDERS if (root / name).is_dir()]
    for place, depth in [*places, (root, 1)]:
        for path in folder.audio(folder.walk(place, depth)):
            names = {
                folder.key(path.relative_to(top).with_suffix("").as_posix())
                for top in (place, root)
            }
            if any(name in files for name in names):
                doubles.append(path.relative_to(root).as_posix())
                continue
            files.update(dict.fromkeys(names, path))
    return files, doubles


def _third_is_speaker(rows: Rows) -> bool:
    pairs = {(columns[1].strip(), columns[2].strip()) for _, columns in rows}
    pairs = {(text, third) for text, third in pairs if third}
    texts, values = {text for text, _ in pairs}, {third for _, third in pairs}
    if not values or any(len(value.split()) > 1 for value in values):
        return False
    if sum(len(text.split()) > 1 for text in texts) * 2 > len(texts):
        return True
    if len(values) == 1:
        return len(texts) > 1
    return len(pairs) > len(texts) and len(values) * 2 <= len(rows)
