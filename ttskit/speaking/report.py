"""What was spoken: how much and how fast, when each word was, and by which choices."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.artifacts import atomic
from ttskit.formats.labels import TIMES, named
from ttskit.speaking import takes
from ttskit.speaking.lines import account

if TYPE_CHECKING:
    import numpy as np

    from ttskit.speaking.chain import Piece
    from ttskit.speaking.lines import Line
    from ttskit.speaking.speech import Speech


@dataclass
class Report:
    """What was spoken, and how long it took."""

    speech: Speech
    started: float  # when the command was
    keep: bool = True  # whether the lines are kept, for their times
    begun: float = field(default_factory=time.monotonic)  # when the voice was loaded
    first: float = 0.0  # when the first audio was out
    last: float = 0.0  # and the last
    samples: int = 0
    sentences: int = 0
    words: int = 0
    spoken: list[tuple[Line, np.ndarray]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)  # where there were any
    codes: list[np.ndarray] = field(default_factory=list)  # of each line, where they are drawn

    def add(self, piece: Piece) -> None:
        """Take a piece that is out."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.samples += piece.silence + len(piece.audio)
        self.sentences, self.words = piece.line.sentence, self.words + len(piece.line.words)
        if self.keep:
            self.spoken.append((piece.line, piece.durations))
            if piece.account is not None:
                self.choices.append({"sentence": piece.line.sentence, **piece.account})
        if piece.take is not None:
            self.codes.append(piece.take)

    def code(self) -> str:
        """Return the code of the take that was spoken."""
        model = takes.taker(self.speech.chain.cascade.models)
        return takes.Take(takes.fingerprint(model), self.codes).code()

    def summary(self) -> dict[str, Any]:
        """Return how much was spoken, and how fast."""
        seconds = self.samples / self.speech.rate
        return {
            "seconds": round(seconds, 6),
            "sample_rate": self.speech.rate,
            "sentences": self.sentences,
            "words": self.words,
            "load_seconds": round(self.begun - self.started, 3),
            "first_audio_seconds": round(self.first - self.started, 3),
            "real_time_factor": round((self.last - self.begun) / seconds, 4),
            **({"take": self.code()} if self.codes else {}),
        }

    def write_times(self, timing: Path | None, manifest: Path | None) -> None:
        """Write the times of what was spoken, and the account of every word."""
        if timing is None and manifest is None:
            return
        timeline = self.speech.timeline(self.spoken)
        rows: list[dict[str, Any]] = [*self.choices, *account(timeline, self.spoken)]
        rows += [{"mark": mark.label, "time": round(mark.start, 6)} for mark in timeline.marks]
        if timing is not None:
            atomic.write_text(timing, TIMES[named(timing)].text(timeline))
        if manifest is not None:
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            atomic.write_text(manifest, "".join(lines))
