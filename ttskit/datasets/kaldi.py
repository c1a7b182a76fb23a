"""Kaldi and ESPnet: a folder with `wav.scp` and `text`, perhaps `segments` and `utt2spk`.

Every line begins with an id.  Without `segments`, a recording of `wav.scp` is an utterance; with
it, utterances are parts of recordings.  Paths are relative to the folder or to one above it,
since recipes name them from where they are run.  Commands in `wav.scp` are never run.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ttskit.datasets import folder
from ttskit.datasets.clips import Dataset, Gathering, count
from ttskit.errors import DatasetError

NEEDS = "a folder with wav.scp and text, as of Kaldi and ESPnet"
TO_THE_END = -1.0  # seconds, as the end of a segment


class Line(NamedTuple):
    """What a line says after its id."""

    place: str
    value: str


class Fault(NamedTuple):
    """Why an utterance cannot be used, as `Gathering.refuse` takes it."""

    reason: str
    kind: str
    place: str


Lines = dict[str, Line]  # by id
Span = tuple[str, float | None, float | None]  # recording, start and end in seconds


def matches(path: Path) -> str | None:
    """Return by what a dataset is recognised: its two lists."""
    both = (path / "wav.scp").is_file() and (path / "text").is_file()
    return "has wav.scp and text" if both else None


def read(path: Path) -> Dataset:
    """Read the utterances in the order of `text`."""
    if not path.is_dir():
        raise DatasetError(f"not a folder; kaldi needs {NEEDS}", file=path)
    out = Gathering("kaldi", path)
    recordings, texts = _lines(path, "wav.scp"), _lines(path, "text")
    parts = _lines(path, "segments") if (path / "segments").exists() else None
    speakers = _speakers(path, out)
    spoken, source = (recordings, "wav.scp") if parts is None else (parts, "segments")
    for id, text in texts.items():
        if id not in spoken:
            out.refuse(id, f"no line of {source}", "the audio is missing", text.place)
            continue
        span = (id, None, None) if parts is None else _span(parts[id])
        audio = span if isinstance(span, Fault) else _audio(path, recordings, span[0], text.place)
        if isinstance(audio, Fault):
            out.refuse(id, *audio)
        elif not isinstance(span, Fault):
            out.add(id, text.value, audio, text.place, speakers.get(id, ""), *span[1:])
    for id, line in spoken.items():
        if id not in texts:
            out.refuse(id, "no line of text", "the text is missing", line.place)
    return out.dataset()


def _span(part: Line) -> Span | Fault:
    """Return the recording of a segment, and its start and end."""
    try:
        recording, start, end = part.value.split()
        last = None if float(end) == TO_THE_END else float(end)
        return recording, float(start), last
    except ValueError:
        reason = f"{part.value!r} is not a recording, its start and its end in seconds"
        return Fault(reason, "the times cannot be used", part.place)


def _audio(root: Path, recordings: Lines, recording: str, place: str) -> Path | Fault:
    """Return the file of a recording; `place` names it."""
    if recording not in recordings:
        return Fault(f"no line of wav.scp for {recording}", "the audio is missing", place)
    place, source = recordings[recording]
    if source.endswith("|"):
        reason = "is a command, which is not run; write what it makes to a file and name that"
        return Fault(reason, "the recording is a command", place)
    audio = folder.find_above(root, source) if source else None
    return audio or Fault(f"no file {source}", "the audio is missing", place)


def _speakers(path: Path, out: Gathering) -> dict[str, str]:
    """Return the speakers, none where each utterance is a speaker of its own."""
    if not (path / "utt2spk").exists():
        return {}
    speakers = {id: line.value for id, line in _lines(path, "utt2spk").items()}
    if len(speakers) > 1 and all(id == speaker for id, speaker in speakers.items()):
        out.note("utt2spk names each utterance as its speaker: read as no speaker")
        return {}
    return speakers


def _lines(path: Path, name: str) -> Lines:
    """Return what the lines of a list say, by id."""
    lines: Lines = {}
    twice = []
    for number, line in enumerate(folder.text(path / name).split("\n"), 1):
        id, *rest = line.split(maxsplit=1) or [""]
        if id in lines:
            twice.append(f"{id} on line {number}")
        elif id:
            lines[id] = Line(f"{name} line {number}", rest[0].strip() if rest else "")
    if twice:
        raise DatasetError(f"listed twice: {count(twice, 'id')}; ids must differ", file=path / name)
    return lines
