"""Pairs: `x.wav` (or flac, ogg, ...) and `x.txt` in one folder, or in one folder a speaker.

In speaker folders an id is `SPEAKER_x`, or `x` where that begins with the speaker already, so
that `anna/001` and `ben/001` may both be there.  CMU ARCTIC's own layout, the folder `wav/` and
the list `etc/txt.done.data`, is the same thing with all the texts in one file.
"""

from __future__ import annotations

import re
from pathlib import Path

from ttskit.datasets import folder
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.errors import DatasetError
from ttskit.formats import segments

NEEDS = (
    "x.wav and x.txt side by side (or in a folder for each speaker), or wav/ and etc/txt.done.data"
)
PAPERS = ("readme", "license", "licence", "copying", "copyright", "notice", "changelog", "authors")


def matches(path: Path) -> str | None:
    """Return by what a dataset is recognised: one recording with its text."""
    if not path.is_dir():
        return None
    if _prompts(path).is_file() and (path / "wav").is_dir():
        return "has wav/ and etc/txt.done.data"
    for files in _folders(path).values():
        texts = {file.stem for file in files if file.suffix.lower() == ".txt"}
        for file in folder.audio(files):
            if file.stem in texts and not segments.is_labels(file.with_suffix(".txt")):
                name = file.relative_to(path)
                return f"{name.as_posix()} and {name.with_suffix('.txt').as_posix()} are a pair"
    return None


def read(path: Path) -> Dataset:
    """Read the utterances sorted by path, or in the order of the list."""
    if not path.is_dir():
        raise DatasetError(f"not a folder; pairs needs {NEEDS}", file=path)
    out = Gathering("pairs", path)
    if _prompts(path).is_file():
        _read_prompts(path, out)
        return out.dataset()
    others: list[str] = []
    for place, files in _folders(path).items():
        known = [file for file in files if _is_part(file)]
        others += [file.relative_to(path).as_posix() for file in files if file not in known]
        for stem, same in folder.by_stem(known).items():
            _add(out, path, "" if place == path else place.name, stem, same)
    deeper = {
        file.parent.relative_to(path).as_posix()
        for file in folder.audio(folder.walk(path))
        if len(file.relative_to(path).parts) > 2
    }
    if deeper:
        out.note(f"too deep, not read: {count(sorted(deeper), 'folder')} with audio")
    if others:
        out.note(f"neither audio nor its text, not read: {count(others, 'file')}")
    return out.dataset()


def _add(out: Gathering, root: Path, speaker: str, stem: str, files: list[Path]) -> None:
    """Add the files of one stem as an utterance."""
    id = stem if not speaker or stem.startswith(speaker) else f"{speaker}_{stem}"
    texts = [file for file in files if file.suffix.lower() == ".txt"]
    recordings = folder.audio(files)
    place = files[0].relative_to(root).as_posix()
    if not recordings:
        out.refuse(id, "no audio of this name beside it", "the audio is missing", place)
    elif not texts:
        out.refuse(id, f"no {stem}.txt beside it", "the text is missing", place)
    else:
        audio = folder.choose(recordings)
        if len(recordings) > 1:
            names = ", ".join(file.name for file in recordings)
            out.note(f"{id} has several recordings ({names}), {audio.name} is read")
        out.add_file(texts[0], id, audio, speaker)


def _read_prompts(path: Path, out: Gathering) -> None:
    """Add the utterances of `( id "text" )` lines."""
    prompts = _prompts(path)
    recordings = folder.by_stem(folder.audio(folder.walk(path / "wav")))
    named = set()
    for number, line in enumerate(folder.text(prompts).split("\n"), 1):
        place = f"etc/{prompts.name} line {number}"
        match = re.fullmatch(r'\(\s*(\S+)\s+"(.*)"\s*\)', line.strip())
        if not line.strip():
            continue
        if not match:
            out.refuse("", 'is not ( id "text" )', "the line cannot be read", place)
            continue
        id = match[1]
        named.add(folder.key(id))
        if files := recordings.get(folder.key(id)):
            out.add(id, re.sub(r"\\(.)", r"\1", match[2]), folder.choose(files), place)
        else:
            out.refuse(id, f"no wav/{id}.*", "the audio is missing", place)
    if unnamed := [stem for stem in recordings if stem not in named]:
        out.note(f"etc/{prompts.name} has no text for {count(unnamed, 'audio file')}")


def _prompts(path: Path) -> Path:
    return path / "etc" / "txt.done.data"


def _folders(path: Path) -> dict[Path, list[Path]]:
    """Return the files of the folder and of those in it, by folder."""
    folders: dict[Path, list[Path]] = {}
    for file in folder.walk(path, depth=2):
        folders.setdefault(file.parent, []).append(file)
    return folders


def _is_part(file: Path) -> bool:
    """Return whether a file is audio or may be its text; a README.txt is neither."""
    if file.suffix.lower() == ".txt":
        return not file.stem.lower().startswith(PAPERS)
    return file.suffix.lower() in folder.AUDIO
