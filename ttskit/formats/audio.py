"""Audio files: reading any that libsndfile reads, and writing wav, flac, ogg, opus and mp3."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ttskit.artifacts import atomic
from ttskit.errors import AudioError, at
from ttskit.formats import ffmpeg

if TYPE_CHECKING:
    import numpy as np
    import soundfile
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

TOLERANCE = 0.1  # seconds by which a given time may lie behind the end of its file
LACKS = "cannot be written as a whole: make room"
BLOCK = 1 << 16  # samples that are encoded at a time
LONGEST = 3600  # seconds of an utterance
MOST = LONGEST * 48_000  # samples of an utterance, of one channel
DECODED = 1 << 20  # samples of all channels that are decoded at a time
UNKNOWN = (1 << 63) - 1  # frames, where the header does not say how many
PREROLL = 16 * 1152  # samples of mp3 decoded before a start, so that its bit reservoir is full


class Kind(NamedTuple):
    """A kind of file, as libsndfile names it."""

    format: str
    subtype: str
    rates: tuple[int, ...] = ()  # Hz that it can have; none: any

    def rate(self, wanted: int) -> int:
        """Return the lowest rate that it can have and that loses nothing, else its highest."""
        if not self.rates or wanted in self.rates:
            return wanted
        return min((rate for rate in self.rates if rate > wanted), default=self.rates[-1])


KINDS = {  # suffix -> what is written
    ".wav": Kind("WAV", "PCM_16"),
    ".flac": Kind("FLAC", "PCM_16"),
    ".ogg": Kind("OGG", "VORBIS"),
    ".opus": Kind("OGG", "OPUS", (8000, 12000, 16000, 24000, 48000)),
    ".mp3": Kind(
        "MP3",
        "MPEG_LAYER_III",
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    ),
}
WRITABLE = tuple(KINDS)


class Info(NamedTuple):
    """What the header of an audio file says."""

    rate: int  # Hz
    channels: int
    frames: int  # samples of one channel


def info(path: Path) -> Info:
    """Read the header of an audio file, without decoding it."""
    with at(path), _open(path) as file:
        return Info(file.samplerate, file.channels, file.frames)


def read(path: Path, start: float | None = None, end: float | None = None) -> tuple[Samples, int]:
    """Return the samples of a recording, or of a part of it, and its sample rate.

    Any file that libsndfile reads will do, and m4a and aac where ffmpeg is installed; several
    channels become their mean.  A part is found by seeking, so one second of an hour costs one
    second (of m4a and aac, the whole file is decoded first).  Seeking is exact to the sample in
    every format; mp3 is decoded from a little before the start, without which the
    first frame after a seek is garbled (with it, the samples are those of a full decode).

    Parameters
    ----------
    path : Path
    start, end : float
        Seconds within the file; without them, its beginning and its end.

    Returns
    -------
    (sample,) float32 within [-1, 1] unless the file holds louder floats, and Hz
    """
    import numpy as np

    with at(path):
        with _open(path) as file:
            first, last = _span(file, start, end)
            rate = file.samplerate
            if last - first > min(MOST, LONGEST * rate):
                raise AudioError(
                    f"lasts {(last - first) / rate:.0f} s at {rate} Hz, longer than an utterance "
                    "can be (an hour, at 48000 Hz); cut it up"
                )
            samples, sounds = np.empty(last - first, np.float32), False
            filled = 0
            for frames in _blocks(file, path.suffix.lower() == ".mp3", first, last):
                sounds = sounds or bool(frames.any())
                mono = frames[:, 0] if frames.shape[1] == 1 else frames.mean(1, dtype=np.float32)
                samples[filled : filled + len(mono)] = mono
                filled += len(mono)
        if not np.isfinite(samples).all():
            place = first + int(np.flatnonzero(~np.isfinite(samples))[0])
            raise AudioError(f"NaN or infinity at {place / rate:.4f} s; export it again as 16 bit")
        if not samples.any():
            why = "its channels cancel each other" if sounds else "entirely silent"
            whole = start is None and end is None
            part = "" if whole else f" from {first / rate} to {last / rate} s"
            raise AudioError(f"{why}{part}; needs a recording of speech")
    return samples, rate


def _blocks(file: soundfile.SoundFile, is_mp3: bool, first: int, last: int) -> Iterator[Samples]:
    """Yield the samples from `first` to `last` of a file in blocks of (sample, channel)."""
    import soundfile

    most = max(1, DECODED // file.channels)
    try:
        for start in range(first, last, most):
            wanted, before = min(most, last - start), min(start, PREROLL) if is_mp3 else 0
            file.seek(start - before)
            frames = file.read(before + wanted, dtype="float32", always_2d=True)[before:]
            yield frames
            if len(frames) < wanted:
                missing = (last - start - len(frames)) / file.samplerate
                raise AudioError(f"cut short: its last {missing:.2f} s are missing; copy it again")
    except soundfile.LibsndfileError as error:
        raise AudioError(f"damaged or cut short ({error}); copy it again") from error


def write(path: Path, samples: Samples | NDArray[np.int16], rate: int) -> int:
    """Write a file of one of `KINDS`, by suffix; return how many samples clipped.

    The same samples make the same bytes.  The file takes its name only once it is whole.
    """
    with at(path):
        content, clipped = encode(samples, rate, path.suffix)
    try:
        with atomic.replacing(path) as unfinished:
            unfinished.write_bytes(content)
    except OSError as error:
        raise AudioError(f"cannot be written: {error.strerror}", file=path) from error
    return clipped


def encode(samples: Samples | NDArray[np.int16], rate: int, suffix: str) -> tuple[bytes, int]:
    """Return an audio file's bytes and how many samples clipped; `suffix` says which format."""
    import numpy as np
    import soundfile

    from ttskit.dsp.samples import resample, to_int16

    kind = kind_of(suffix)
    coded, clipped = to_int16(samples)
    if kind.rate(rate) != rate:
        coded = to_int16(resample((coded / 32768).astype(np.float32), rate, kind.rate(rate)))[0]
    with atomic.unnamed() as out:  # not an object of Python, which libsndfile would call back
        try:
            with create(out.fileno(), kind, rate) as file:
                write_blocks(file, coded)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"cannot write {suffix} at {rate} Hz: {error.error_string}") from error
        check_written(Path(f"/dev/fd/{out.fileno()}"), len(coded))
        out.seek(0)
        content = out.read()
    return (same_serial(content) if kind.format == "OGG" else content), clipped


def kind_of(suffix: str) -> Kind:
    """Return the kind of file that a suffix names."""
    if suffix.lower() not in KINDS:
        raise AudioError(
            f"cannot write {suffix or 'a file without suffix'}: give one of {', '.join(WRITABLE)}"
        )
    return KINDS[suffix.lower()]


def create(file: Path | int, kind: Kind, rate: int) -> soundfile.SoundFile:
    """Open a file, or the descriptor of one, for samples at `kind.rate(rate)`."""
    import soundfile

    return soundfile.SoundFile(
        file, "w", kind.rate(rate), 1, kind.subtype, format=kind.format, closefd=False
    )


def write_blocks(file: soundfile.SoundFile, coded: NDArray[np.int16]) -> None:
    """Write samples in blocks: the Vorbis encoder keeps one on its stack."""
    for start in range(0, len(coded), BLOCK):
        block = coded[start : start + BLOCK]
        try:
            file.write(block)
        except AssertionError as error:  # fewer were written
            raise AudioError(LACKS) from error


def check_written(path: Path, frames: int) -> None:
    """Refuse a file that lacks a part: libsndfile does not report every write that fails."""
    import soundfile

    if not frames:
        return
    try:
        with _quiet(silence=True), _open(path) as file:
            file.seek(frames - 1)
            whole = file.frames == frames and len(file.read()) == 1
            whole = whole and not re.search("should be|closed properly", file.extra_info)  # its log
    except (AudioError, soundfile.LibsndfileError) as error:
        raise AudioError(LACKS) from error
    if not whole:
        raise AudioError(LACKS)


@contextmanager
def _open(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open a file for reading; refuse what is not a complete recording."""
    import soundfile

    try:
        if path.exists() and not path.is_file():
            raise AudioError("not a file; needs a recording")
        with path.open("rb") as raw:
            if not raw.read(1):
                raise AudioError("empty (0 bytes); copy or record it again")
    except OSError as error:
        what = "a link that leads nowhere" if path.is_symlink() else error.strerror
        raise AudioError(f"cannot be read: {what}") from error
    if path.suffix.lower() == ".raw":
        raise AudioError("has no header that tells its rate; convert it to wav or flac")
    decoded = ffmpeg.decode(path) if path.suffix.lower() in ffmpeg.SUFFIXES else None
    sound = decoded.path if decoded else path
    with _quiet(path.suffix.lower() == ".mp3"):
        try:
            file = soundfile.SoundFile(sound)
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"not audio that libsndfile reads (wav, flac, ogg, mp3, ...): "
                f"{error.error_string.rstrip('.')}"
            ) from error
        with file:
            _check_whole(sound, file)
            yield file


def _check_whole(path: Path, file: soundfile.SoundFile) -> None:
    """Refuse a file without samples, and one that is shorter than it says."""
    if file.frames == 0:
        raise AudioError("empty (a header, but no samples); copy or record it again")
    if file.frames == UNKNOWN:
        raise AudioError("its header does not say how long it is, as of a stream; convert it again")
    # libsndfile corrects sizes by the file's length and tells only its log; programs that write
    # to a pipe leave the largest size there is, and small errors are bad bookkeeping
    for size, real in re.findall(r": (\d+) \(should be (\d+)\)", file.extra_info):
        if int(real) + 64 < int(size) < 0x7FFF0000:
            raise AudioError(
                f"cut short: its header promises {size} bytes, {real} are there; copy it again"
            )
    if file.format == "OGG":
        with path.open("rb") as raw:
            raw.seek(max(0, path.stat().st_size - 70000))  # an ogg page has at most 65307 bytes
            tail = raw.read()
        page = tail[tail.rfind(b"OggS") :]
        ended = len(page) > 27 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
        if not (ended and page[5] & 4):
            raise AudioError("cut short: the last page of its stream is missing; copy it again")


def _span(file: soundfile.SoundFile, start: float | None, end: float | None) -> tuple[int, int]:
    """Return the first sample of a part and the one after its last."""
    rate, length = file.samplerate, file.frames
    first = 0 if start is None else round(start * rate)
    last = length if end is None else round(end * rate)
    if not 0 <= first < last:
        raise AudioError(f"from {start} to {end} s is not a part of it; needs 0 <= start < end")
    if first >= length or last > length + TOLERANCE * rate:
        raise AudioError(f"from {start} to {end} s is beyond its end at {length / rate:.3f} s")
    return first, min(last, length)


@contextmanager
def _quiet(silence: bool) -> Iterator[None]:
    """Suppress mpg123's messages to file descriptor 2 on every seek."""
    try:
        saved = os.dup(2) if silence else -1
    except OSError:  # there is none
        saved = -1
    if saved < 0:
        yield
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


def same_serial(ogg: bytes) -> bytes:
    """Replace the random serial number that libsndfile gives an Ogg stream by 1."""
    mirror = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    out, at = bytearray(ogg), 0
    while at < len(out):
        length = 27 + out[at + 26] + sum(out[at + 27 : at + 27 + out[at + 26]])
        out[at + 14 : at + 18] = (1).to_bytes(4, "little")
        out[at + 22 : at + 26] = bytes(4)
        # a page's checksum is CRC-32 without zlib's reflection and inversions (RFC 3533, section 6)
        crc = zlib.crc32(out[at : at + length].translate(mirror), 0xFFFFFFFF) ^ 0xFFFFFFFF
        out[at + 22 : at + 26] = crc.to_bytes(4, "little").translate(mirror)[::-1]
        at += length
    return bytes(out)
