"""Three short utterances, what two systems make of them, and the scores that they have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.factory import PROVENANCE, SYMBOLS, write_alignment
from ttskit.artifacts.kinds import Alignment, Corpus, Scores
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.metrics import judge

RATE, FRAMES = 16000, 64
IDS = ["u0", "u1", "u2"]
TEXTS = {"u0": "hello </h3><script>window.hurt = 1</script>", "u1": 'two "words" & more', "u2": "ö"}
NAN = float("nan")
# of u0, u1, u2 in the systems a and b, the latter of which lacks u2
MCD = {"a": [2.0, 3.0, 7.0], "b": [4.0, 9.0]}
WER = {"a": [0.5, 0.0, 0.75], "b": [NAN, 0.25]}


def sounds(number: int, frames: int = FRAMES) -> dict[str, np.ndarray]:
    """A buzz with noise, at 16 ms a frame."""
    rng = np.random.default_rng(number)
    time = np.arange(frames * 256) / RATE
    buzz = np.cumsum(np.sin(2 * np.pi * 120 * time) > 0.95) % 7 + rng.normal(size=len(time))
    return {id: (300 * (at + 1) * buzz).astype(np.int16) for at, id in enumerate(IDS)}


def write_corpus_of(path: Path, clips: dict, texts: dict = TEXTS, skipped=None) -> Path:
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": RATE}) as writer:
        for id, audio in clips.items():
            writer.append(Corpus(id=id, speaker="", text=texts[id], audio=audio))
        writer.seal(list(clips), skipped)
    return path


def write_words(path: Path, frames: dict[str, list[int]]) -> Path:
    """An Alignment of a pause and two words, and how many frames each has."""
    records = [
        Alignment(
            id=id,
            speaker="",
            text=TEXTS[id],
            language="en-us",
            tokens=np.array([SYMBOLS.index(token) for token in ("#", "h", "l")]),
            token_word=np.array([-1, 0, 1]),
            words=np.array(["<i>one", "two"], dtype=object),
            spans=np.array([[0, 0], [0, 0]]),
            durations=np.array(durations),
            token_score=np.zeros(3),
            score=np.array(0.0),
        )
        for id, durations in frames.items()
    ]
    return write_alignment(path, *records)


def write_scores(
    path: Path, own: Path, against: Path, mcd: list, wer: list, settings: str = '{"order": 24}'
) -> Path:
    """What `evaluate` would have said of a Corpus against another; NaN is unknown."""
    readers = [Reader(one, Corpus) for one in (against, own)]
    ids = readers[1].ids
    measures = ["mcd", "wer"]
    tables = {
        "measures": measures,
        "hashes": [judge.hash_of(name, json.loads(settings)) for name in measures],
        "settings": [settings, settings],
        "libraries": ["numpy 2"],
    }
    provenance = {"stage": "evaluate", "revision": 1, "options": {}}
    provenance["inputs"] = [reader.digest for reader in readers]
    columns = judge.columns(measures)
    with Writer(path, Scores, provenance=provenance, tables=tables, numbers=columns) as writer:
        for id, distortion, errors in zip(ids, mcd, wer, strict=True):
            numbers = {"mcd": distortion, "mcd_plain": NAN, "mcd_trimmed": NAN, "wer": errors}
            numbers |= {"cer": NAN, "words": 4.0, "characters": 9.0}
            heard = "<b>nothing & all"
            writer.append(Scores(id=id, speaker="", text=TEXTS[id], heard=heard, numbers=numbers))
        writer.seal(ids)
    return path


def fill(folder: Path) -> Path:
    """ref.h5; a.h5, as long; b.h5, half as long again and without u2; words and scores of them."""
    write_corpus_of(folder / "ref.h5", sounds(0))
    write_corpus_of(folder / "a.h5", sounds(1))
    longer = sounds(2, FRAMES * 3 // 2)
    write_corpus_of(folder / "b.h5", {id: longer[id] for id in IDS[:2]}, skipped={"u2": "too long"})
    write_words(folder / "words.h5", {id: [0, 32, 32] for id in IDS})
    write_words(folder / "words-b.h5", {id: [16, 64, 16] for id in IDS[:2]})
    for name in "ab":
        own, out = folder / f"{name}.h5", folder / f"scores-{name}.h5"
        write_scores(out, own, folder / "ref.h5", MCD[name], WER[name])
    return folder
