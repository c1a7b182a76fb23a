"""Pieces that are kept beside an unfinished output, from which a stopped run goes on.

`NAME.part/` has a row for each line: its samples as 16 bit, its durations, its take and the account
of its choice.  A row goes by the digest of all that the line is made of, so one of another text is
never mistaken for it.  The first line is kept with the second: a short text leaves no folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ttskit import progress
from ttskit.artifacts import unfinished
from ttskit.dsp.samples import to_int16
from ttskit.errors import Interrupted
from ttskit.speaking.chain import Piece
from ttskit.speaking.clips import weighted
from ttskit.speaking.lines import Line
from ttskit.speaking.speech import Speech
from ttskit.speaking.style import Style
from ttskit.wording import count

REVISION = 2  # increased by hand when the same text sounds otherwise
COLUMNS = ("id", "audio", "durations", "take", "account")


@contextmanager
def kept(speech: Speech, output: Path, restart: bool = False) -> Iterator[Iterator[Piece]]:
    """Yield the pieces of a speech, those of a stopped run as they were spoken then.

    What is finished stays beside the output until this context ends without an error.
    """
    keeper = _Keeper(speech, output, restart)
    try:
        yield keeper.pieces()
        keeper.remove()
    except KeyboardInterrupt:
        raise Interrupted(keeper.summary()) from None
    finally:
        keeper.close()


class _Keeper:
    """The unfinished work of one output; it is opened when there is something to keep."""

    def __init__(self, speech: Speech, output: Path, restart: bool) -> None:
        self.speech, self.output, self.restart = speech, output, restart
        self._first: tuple[str, Piece] | None = None  # until there is a second one
        self._part: unfinished.Unfinished | None = None
        self._after = self._total = 0  # the last sentence that was kept, and how many there are
        if unfinished.folder_of(output).exists():
            self._part = self._opened()

    def pieces(self) -> Iterator[Piece]:
        """Speak each line that is not kept, before the next one is asked for."""
        speech = self.speech
        if self._part is not None and self._part.rows:
            speech = replace(speech, lines=list(speech.lines))
            self._total = max((line.sentence for line in speech.lines), default=0)
        return speech.pieces(self.speak)

    def speak(
        self, line: Line, style: Style, durations: np.ndarray | None, take: np.ndarray | None
    ) -> Piece:
        """Return the piece of a line: the one that is kept, else a new one, which is kept."""
        id = _digest(line, style, durations, take)
        if self._part is not None and id in self._part.rows:
            self._after = line.sentence
            return _restored(self._part, id, line, self.speech.chain.facts.hop_length)
        self._note()
        piece = _rounded(self.speech.speak(line, style, durations, take))
        self._keep(id, piece)
        return piece

    def _note(self) -> None:
        """Note, once, after which sentence the run goes on."""
        if self._after:
            progress.note(f"{self.output}: goes on after sentence {self._after} of {self._total}")
        self._after = 0

    def _keep(self, id: str, piece: Piece) -> None:
        if self._part is None and self._first is None:
            self._first = (id, piece)
            return
        if self._part is None:
            self._part = self._opened()
        for each in ([self._first] if self._first else []) + [(id, piece)]:
            _append(self._part, *each)
        self._first = None

    def _opened(self) -> unfinished.Unfinished:
        header = {"kind": "audio", "version": 1, "provenance": _provenance(self.speech)}
        return unfinished.Unfinished(self.output, header, COLUMNS, restart=self.restart)

    def summary(self) -> str:
        """Return why the run ended, and where its finished lines are kept."""
        if self._part is None or not self._part.rows:
            return "interrupted"
        lines = count(len(self._part.rows), "finished line")
        return f"interrupted; {self._part.folder} keeps {lines}: the same command goes on"

    def close(self) -> None:
        """Close the files; what is finished stays."""
        if self._part is not None and self._part.rows:
            self._part.close()
        elif self._part is not None:
            self._part.remove()

    def remove(self) -> None:
        """Delete what was kept: the output is whole."""
        self._note()
        if self._part is not None:
            self._part.remove()
            self._part = None


def _provenance(speech: Speech) -> dict[str, Any]:
    """Return all that the sound of a line depends on, beside the line itself."""
    style, chain = speech.style, speech.chain
    choice = chain.judges.choice
    chosen = choice.options()
    if not choice.weights:  # the first take without a fault is spoken, however many there may be
        chosen.pop("candidates", None)
    chains = [chain, *speech.others.values()]
    clips = weighted(style.reference) if style.reference else {}
    files = [*clips, *([style.style] if style.style else [])]
    options = {
        **asdict(replace(style, style=None, reference=(), regenerate=())),
        "weights": list(clips.values()),
        "engine": chain.engine,
        **chosen,
    }
    inputs = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return {
        "stage": "say",
        "revision": REVISION,
        "options": {name: value for name, value in options.items() if value not in (None, "", ())},
        "inputs": [*(one.voice.container.digest for one in chains), *inputs],
    }


def _digest(line: Line, style: Style, durations: np.ndarray | None, take: np.ndarray | None) -> str:
    """Return what names a line with all that is given of its sound alone."""
    facts = [line.number, line.sentence, line.text, line.words, line.pause, line.voice]
    if again := style.regenerate.count(line.sentence):
        facts.append(again)
    if line.recording is not None:
        facts.append(hashlib.sha256(line.recording.read_bytes()).hexdigest())
    digest = hashlib.sha256(json.dumps(facts).encode())
    for values in (line.tokens, line.token_word, line.prosody, durations, take):
        given = b"" if values is None else np.ascontiguousarray(values).tobytes()
        digest.update(f"{len(given)} ".encode() + given)
    return digest.hexdigest()


def _rounded(piece: Piece) -> Piece:
    """Return a piece as 16 bits hold it, so that what is kept and what is new are alike."""
    return replace(piece, audio=_samples(to_int16(piece.audio)[0]))


def _samples(coded: np.ndarray) -> np.ndarray:
    return coded.astype(np.float32) / 32768


def _append(part: unfinished.Unfinished, id: str, piece: Piece) -> None:
    take = np.zeros(0) if piece.take is None else piece.take
    blobs = {
        "id": id.encode() + b"\0",
        "audio": to_int16(piece.audio)[0].astype("<i2").tobytes(),
        "durations": piece.durations.astype("<i8").tobytes(),
        "take": take.astype("<i8").tobytes(),
        "account": json.dumps(piece.account).encode(),
    }
    part.append(id, {}, blobs)


def _restored(part: unfinished.Unfinished, id: str, line: Line, hop_length: int) -> Piece:
    """Return a piece that was kept."""
    blobs = {name: part.read(name, *part.place(name, part.rows[id])) for name in COLUMNS}
    durations, take = (np.frombuffer(blobs[name], "<i8") for name in ("durations", "take"))
    return Piece(
        line,
        durations,
        int(durations[0]) * hop_length,
        _samples(np.frombuffer(blobs["audio"], "<i2")),
        take if len(take) else None,
        json.loads(blobs["account"]),
    )
