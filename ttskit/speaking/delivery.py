"""Pieces on their way to a file, a player or standard output, and to the report of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ttskit.speaking.chain import Piece, quiet
from ttskit.speaking.output import is_file, open_sound, quietly
from ttskit.speaking.report import Report


class Sound(NamedTuple):
    """Where audio goes."""

    output: Path | None = None
    raw: bool = False
    play: bool = False


def deliver(pieces: Iterator[Piece], report: Report, sound: Sound, seconds: float) -> None:
    """Write pieces as they are made, and silence until they last `seconds`.

    The reader of standard output may stop early.
    """
    report.chain.check(report.style)  # before a file is opened
    go: Callable[[], None] = partial(_write, pieces, report, sound, seconds)
    go() if sound.play or is_file(sound.output) else quietly(go)


def _write(pieces: Iterator[Piece], report: Report, sound: Sound, seconds: float) -> None:
    with open_sound(sound.output, report.rate, sound.raw, sound.play) as out:
        for piece in pieces:
            for block in piece.blocks():
                out(block)
            report.add(piece)
        for block in quiet(round(seconds * report.rate) - report.samples):
            out(block)
            report.samples += len(block)
