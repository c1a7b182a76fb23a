"""Pieces on their way to a file, a player or standard output, and to the report of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ttskit.speaking.chain import Piece, quiet
from ttskit.speaking.kept import kept
from ttskit.speaking.output import is_file, open_sound, quietly
from ttskit.speaking.report import Report
from ttskit.speaking.speech import Speech


class Sound(NamedTuple):
    """Where audio goes."""

    output: Path | None = None
    raw: bool = False
    play: bool = False


def deliver(speech: Speech, report: Report, sound: Sound, restart: bool = False) -> None:
    """Speak: write each piece as it is made, and silence until the speech is as long as asked for.

    On the way to a file pieces are kept, so that a stopped run goes on, unless it is to `restart`.
    The reader of standard output may stop early.
    """
    speech.check()  # before a file is opened
    if sound.play or sound.output is None or not is_file(sound.output):
        go: Callable[[], None] = partial(_write, speech.pieces(), speech, report, sound)
        go() if sound.play else quietly(go)
    else:
        with kept(speech, sound.output, restart) as pieces:
            _write(pieces, speech, report, sound)


def _write(pieces: Iterator[Piece], speech: Speech, report: Report, sound: Sound) -> None:
    with open_sound(sound.output, speech.rate, sound.raw, sound.play) as out:
        for piece in pieces:
            for block in piece.blocks():
                out(block)
            report.add(piece)
        for block in quiet(speech.samples - report.samples):
            out(block)
            report.samples += len(block)
