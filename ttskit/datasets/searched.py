"""Searched: a long recording and its text without times; where each sentence is must be found."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from ttskit.datasets import folder
from ttskit.datasets.clips import Dataset, Gathering
from ttskit.errors import DatasetError
from ttskit.formats import audio
from ttskit.text.sentences import sentences

MARGIN = 0.1  # seconds that a clip keeps of the pauses around it, at most half of each
LONG = 3.0  # seconds of a stretch without a sentence that is worth a note
# sentences -> rows of the number of one that was found, its start and its end in seconds
Find = Callable[[Sequence[str]], Sequence[tuple[int, float, float]]]


def read(recording: Path, text: Path, language: str, find: Find) -> Dataset:
    """Cut a recording into the sentences of a text; those that are not found are bad."""
    listed = [one for one in map(str.strip, sentences(folder.text(text), language)) if one]
    if not listed:
        raise DatasetError("has no sentence", file=text)
    rate, _, frames = audio.info(recording)
    found = {number: (start, end) for number, start, end in find(listed)}
    if not found:
        raise DatasetError(f"none of its sentences was found in {recording.name}", file=text)
    ends = [0.0, *itertools.chain(*found.values()), frames / rate]
    gaps = [(ends[at], ends[at + 1]) for at in range(0, len(ends), 2)]
    edges = dict(zip(found, itertools.pairwise(gaps), strict=True))
    out = Gathering("recording", recording.parent)
    for number, sentence in enumerate(listed):
        id, place = f"{recording.stem}_{number + 1:04d}", f"{text.name} sentence {number + 1}"
        if number not in found:
            reason = f"not found in {recording.name}: {sentence[:60]}"
            out.refuse(id, reason, f"not found in {recording.name}", place)
            continue
        before, after = edges[number]
        start = max(before[1] - MARGIN, sum(before) / 2)
        end = min(after[0] + MARGIN, sum(after) / 2)
        out.add(id, sentence, recording, place, "", start, end)
    out.note(f"{len(found)} of {len(listed)} sentences of {text.name} found")
    silent = [f"{end - start:.0f} s at {start:.0f} s" for start, end in gaps if end - start >= LONG]
    if silent:
        out.note(f"in no sentence, {LONG:.0f} s or more: {', '.join(silent)}")
    return out.dataset()
