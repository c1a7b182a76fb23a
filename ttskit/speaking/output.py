"""Audio written while it is generated: into a file, or to standard output."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ttskit import wording
from ttskit.errors import AudioError, UsageError, at
from ttskit.speaking.player import playing

if TYPE_CHECKING:
    from ttskit.dsp.samples import Samples

UNKNOWN = 0xFFFFFFFF  # bytes, in the header of a wav whose length is not known


@contextmanager
def open_sound(
    output: Path | None, rate: int, raw: bool = False, play: bool = False
) -> Iterator[Callable[[Samples], None]]:
    """Yield a function that writes the next samples; they are out when it returns.

    A file appears under its name only once it is complete.  Standard output gets a wav of unknown
    length; `raw` are samples alone (16 bit, little endian, one channel).  `play` needs no output.
    """
    if play:
        sound = playing(rate)
    elif output is None or not is_file(output):
        sound = _stream(rate, raw)
    else:
        sound = _samples(output) if raw else _file(output, rate)
    with sound as write:
        yield write


def is_file(output: Path | None) -> bool:
    """Whether the output is a file, not standard output."""
    return output is not None and str(output) != "-"


def quietly(write: Callable[[], None]) -> None:
    """Write, and end without an error where the reader of standard output ends (`| head`)."""
    try:
        write()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def wav_header(rate: int) -> bytes:
    """Return the header of a wav of unknown length: 16 bit, one channel."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", UNKNOWN, b"WAVE")
        + form
        + struct.pack("<4sI", b"data", UNKNOWN)
    )


@contextmanager
def _stream(rate: int, raw: bool) -> Iterator[Callable[[Samples], None]]:
    from ttskit.dsp.samples import to_int16

    out, header = sys.stdout.buffer, b"" if raw else wav_header(rate)

    def write(samples: Samples) -> None:
        nonlocal header
        out.write(header + to_int16(samples)[0].astype("<i2").tobytes())
        out.flush()
        header = b""

    yield write


@contextmanager
def _samples(output: Path) -> Iterator[Callable[[Samples], None]]:
    from ttskit.artifacts import atomic
    from ttskit.dsp.samples import to_int16

    with at(output), atomic.replacing(output) as unfinished, unfinished.open("wb") as file:

        def write(samples: Samples) -> None:
            file.write(to_int16(samples)[0].astype("<i2").tobytes())

        yield write


@contextmanager
def _file(output: Path, rate: int) -> Iterator[Callable[[Samples], None]]:
    import numpy as np
    import soundfile

    from ttskit.artifacts import atomic
    from ttskit.dsp.samples import resampling, to_int16
    from ttskit.formats import audio

    kind = audio.kind_of(output.suffix)
    resampled = resampling(rate, kind.rate(rate))
    try:
        with at(output), atomic.replacing(output) as unfinished:
            unfinished.touch()  # raises a clearer error than libsndfile where it can't be written
            frames = 0
            with audio.create(unfinished, kind, rate) as file:

                def write(samples: Samples, last: bool = False) -> None:
                    nonlocal frames
                    coded = to_int16(resampled(samples, last))[0]
                    audio.write_blocks(file, coded)
                    frames += len(coded)

                yield write
                write(np.zeros(0, np.float32), last=True)
            audio.check_written(unfinished, frames)
            if kind.format == "OGG":
                unfinished.write_bytes(audio.same_serial(unfinished.read_bytes()))
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{output}: cannot be written: {error.error_string}") from error


def check_sound(output: Path | None, raw: bool = False) -> None:
    """Refuse an output that cannot be written, before there is anything to write."""
    from ttskit.artifacts import remote
    from ttskit.formats.audio import WRITABLE

    if output is None or not is_file(output):
        if sys.stdout is None or sys.stdout.closed:
            raise UsageError("standard output is closed: name a file with -o")
        if sys.stdout.isatty():
            raise UsageError("audio is not for a terminal: name a file with -o, or use a pipe")
        return
    if not raw and output.suffix.lower() not in WRITABLE:
        suffix = output.suffix or "a file without suffix"
        raise UsageError(f"{output}: cannot write {suffix}: give one of {', '.join(WRITABLE)}")
    if wording.url(output):
        remote.check_writable(output)
        return
    if output.is_dir():
        raise AudioError(f"{output}: is a folder; needs the name of a file to write")
    if output.exists() and not output.is_file():
        raise AudioError(f"{output}: is a pipe or a device; use - and redirect it there")
    if not output.parent.is_dir():
        raise AudioError(f"{output}: the folder {output.parent} is not there; make it first")
