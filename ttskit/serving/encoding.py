"""Audio as bytes to send, while it is made: of each format, what is complete so far."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ttskit.artifacts import atomic
from ttskit.dsp.samples import resampling, to_int16
from ttskit.formats import audio
from ttskit.speaking.output import wav_header

if TYPE_CHECKING:
    from ttskit.dsp.samples import Samples

PCM_RATE = 24_000  # Hz, of bare samples: what clients of OpenAI's interface take them for
MEDIA = {  # types of content
    "pcm": f"audio/pcm;rate={PCM_RATE};channels=1",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
}


class Encoder:
    """Turns samples into the bytes of a format, block by block; the last call says so.

    Formats that libsndfile writes go into a file without a name, of which each call returns what
    has been added.  The header is sent before the length is known, and says so, or nothing.
    """

    def __init__(self, name: str, rate: int) -> None:
        kind = audio.KINDS.get(f".{name}")
        self.rate = PCM_RATE if kind is None else kind.rate(rate)
        self._resampled = resampling(rate, self.rate)
        self._code: _Samples | _File = (
            _File(kind, rate)
            if kind and name != "wav"
            else _Samples(wav_header(rate) if kind else b"")
        )

    def __call__(self, samples: Samples, last: bool = False) -> bytes:
        """Return the next bytes, perhaps none yet."""
        return self._code(to_int16(self._resampled(samples, last))[0], last)

    def end(self) -> bytes:
        """Return the bytes that are left."""
        return self(np.zeros(0, np.float32), last=True)

    def close(self) -> None:
        """Let go of what is left, wherever the audio has ended."""
        self._code.close()


class _Samples:
    """Samples of 16 bits, after a header if there is one."""

    def __init__(self, header: bytes) -> None:
        self._header = header

    def __call__(self, coded: np.ndarray, _: bool) -> bytes:
        header, self._header = self._header, b""
        return header + coded.astype("<i2").tobytes()

    def close(self) -> None:
        pass


class _File:
    """A format of libsndfile."""

    def __init__(self, kind: audio.Kind, rate: int) -> None:
        self._kind, self._sent = kind, 0
        self._out = atomic.unnamed()
        self._file = audio.create(self._out.fileno(), kind, rate)

    def __call__(self, coded: np.ndarray, last: bool) -> bytes:
        audio.write_blocks(self._file, coded)
        if last:
            self._file.close()
        size = os.fstat(self._out.fileno()).st_size
        content = os.pread(self._out.fileno(), size - self._sent, self._sent)
        self._sent = size
        return audio.same_serial(content) if self._kind.format == "OGG" else content

    def close(self) -> None:
        self._file.close()
        self._out.close()
