"""LibriTTS: `SPEAKER/CHAPTER/SPEAKER_CHAPTER_X_Y.wav` beside two texts of the same name.

The `.original.txt` is read, since ttskit normalises for itself, and the `.normalized.txt` where
there is no original.  The folder may be the whole corpus, one of its parts such as
`train-clean-100/`, or one speaker; of the whole corpus these are the standard splits.
"""

from __future__ import annotations

import re
from pathlib import Path

from ttskit.datasets import folder
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.errors import DatasetError

NEEDS = "SPEAKER/CHAPTER/SPEAKER_CHAPTER_X_Y.wav with .original.txt or .normalized.txt beside it"
TEXTS = (".original.txt", ".normalized.txt")  # the first there is


def matches(path: Path) -> str | None:
    """Return by what a dataset is recognised: one recording that is named like its folders."""
    if not path.is_dir():
        return None
    for file in folder.walk(path, depth=4):
        if file.suffix.lower() in folder.AUDIO and _speaker(file.stem, file.parent):
            return f"{file.relative_to(path).as_posix()} is named speaker_chapter_x_y"
    return None


def read(path: Path) -> Dataset:
    """Read the utterances sorted by path."""
    if not path.is_dir():
        raise DatasetError(f"not a folder; libritts needs {NEEDS}", file=path)
    out = Gathering("libritts", path)
    texts: dict[Path, Path] = {}  # path without suffix -> text
    recordings: dict[Path, Path] = {}
    foreign: list[str] = []
    for file in folder.walk(path):
        place = file.relative_to(path).as_posix()
        if suffixes := [suffix for suffix in TEXTS if file.name.lower().endswith(suffix)]:
            stem = file.with_name(file.name[: -len(suffixes[0])])
            if stem not in texts or suffixes[0] == TEXTS[0]:
                texts[stem] = file
        elif file.suffix.lower() in folder.AUDIO:
            if not _speaker(file.stem, file.parent):
                foreign.append(place)
            elif (stem := file.with_suffix("")) in recordings:
                out.note(f"{place}: also there as {recordings[stem].name}, which is read")
            else:
                recordings[stem] = file
    for stem in sorted({*recordings, *texts}, key=lambda stem: stem.relative_to(path).parts):
        place = stem.relative_to(path).as_posix()
        out.part = place.split("/")[-4] if place.count("/") > 2 else ""
        if stem not in texts:
            out.refuse(
                stem.name, f"has neither {' nor '.join(TEXTS)}", "the text is missing", place
            )
        elif stem not in recordings:
            out.refuse(stem.name, "has a text, but no audio", "the audio is missing", place)
        else:
            out.add_file(texts[stem], stem.name, recordings[stem], _speaker(stem.name, stem.parent))
    second = [file.name for file in texts.values() if file.name.lower().endswith(TEXTS[1])]
    if second:
        out.note(f"no .original.txt, the .normalized.txt is read: {count(second, 'file')}")
    if foreign:
        out.note(f"not named speaker_chapter_x_y, not read: {count(foreign, 'audio file')}")
    return out.dataset()


def _speaker(stem: str, parent: Path) -> str:
    """Return the speaker of a recording that is named like its folders, or ""."""
    match = re.fullmatch(r"(\d+)_(\d+)_\d+_\d+", stem)
    if match and match.groups() == (parent.parent.resolve().name, parent.resolve().name):
        return match[1]
    return ""
