"""VCTK: `wav48_silence_trimmed/p225/p225_001_mic1.flac` (or `wav48/p225/p225_001.wav`) and
`txt/p225/p225_001.txt`.

Of two microphones the first is read, the second where there is no first.
"""

from __future__ import annotations

from pathlib import Path

from ttskit.datasets import folder
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.errors import DatasetError

NEEDS = "the folders txt/ and wav48_silence_trimmed/ or wav48/, with a folder of each speaker"
RECORDINGS = ("wav48_silence_trimmed", "wav48")  # the first there is
MICROPHONES = ("_mic1", "_mic2", "")


def matches(path: Path) -> str | None:
    """Return by what a dataset is recognised: the names of its two folders."""
    folders = [name for name in RECORDINGS if (path / name).is_dir() and (path / "txt").is_dir()]
    return f"has the folders txt and {folders[0]}" if folders else None


def read(path: Path) -> Dataset:
    """Read the utterances sorted by speaker and name."""
    if not matches(path):
        raise DatasetError(f"vctk needs {NEEDS}", file=path)
    out = Gathering("vctk", path)
    tops = [name for name in RECORDINGS if (path / name).is_dir()]
    if len(tops) > 1:
        out.note(f"{tops[0]} is read, {tops[1]} is not")
    top = path / tops[0]
    recordings: dict[tuple[str, str], dict[str, Path]] = {}  # speaker, id -> microphone -> file
    for file in folder.audio(folder.walk(top)):
        microphone = next(name for name in MICROPHONES if file.stem.endswith(name))
        name = (file.parent.name, file.stem.removesuffix(microphone))
        recordings.setdefault(name, {})[microphone] = file
    texts = {
        (file.parent.name, file.stem): file
        for file in folder.walk(path / "txt")
        if file.suffix.lower() == ".txt"
    }
    twice, second = [], []
    for speaker, id in sorted({*recordings, *texts}):
        place, files = f"{speaker}/{id}", recordings.get((speaker, id), {})
        if (speaker, id) not in texts:
            out.refuse(id, f"no txt/{place}.txt", "the text is missing", place)
        elif not files:
            out.refuse(id, f"no {top.name}/{place}.*", "the audio is missing", place)
        else:
            microphone = next(name for name in MICROPHONES if name in files)
            twice += [id] * (len(files) > 1)
            second += [id] * (microphone == "_mic2")
            out.add_file(texts[speaker, id], id, files[microphone], speaker)
    if twice:
        out.note(f"two microphones, the first is read: {count(twice, 'utterance')}")
    if second:
        out.note(f"no first microphone, the second is read: {count(second, 'utterance')}")
    _compare_speakers(path, {speaker for speaker, _ in recordings}, out)
    return out.dataset()


def _compare_speakers(path: Path, recorded: set[str], out: Gathering) -> None:
    """Note speakers that the list of speakers, if there is one, has and the folders lack."""
    listed = path / "speaker-info.txt"
    if not listed.is_file():
        return
    rows = [line.split() for line in folder.text(listed).splitlines()[1:] if line.strip()]
    names = [row[0] if row[0] in recorded else f"p{row[0].removeprefix('p')}" for row in rows]
    if absent := [name for name in names if name not in recorded and name[1:] not in recorded]:
        out.note(f"speaker-info.txt lists without recordings: {count(absent, 'speaker')}")
