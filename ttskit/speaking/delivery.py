"""Pieces on their way to a file, a player or standard output, and to the report of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ttskit.speaking.chain import quiet
from ttskit.speaking.output import is_file, open_sound, quietly
from ttskit.speaking.report import Report
from ttskit.speaking.speech import Speech


class Sound(NamedTuple):
    """Where audio goes."""

    output: Path | None = None
    raw: bool = False
    play: bool = False


def deliver(speech: Speech, report: Report, sound: Sound) -> None:
    """Speak: write each piece as it is made, and silence until the speech is as long as asked for.

    The reader of standard output may stop early.
    """
    speech.chain.check(speech.style)  # before a file is opened
    go: Callable[[], None] = partial(_write, speech, report, sound)
    go() if sound.play or is_file(sound.output) else quietly(go)


def _write(speech: Speech, report: Report, sound: Sound) -> None:
    with open_sound(sound.output, speech.rate, sound.raw, sound.play) as out:
        for piece in speech.pieces():
            for block in piece.blocks():
                out(block)
            report.add(piece)
        for block in quiet(speech.samples - report.samples):
            out(block)
            report.samples += len(block)
