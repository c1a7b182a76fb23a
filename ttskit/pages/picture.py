"""Small pictures within a page: spectrograms as PNG, pitch as SVG.

T frames, M mel bands.
"""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise

import numpy as np

SHADES = 16  # of grey: 4 bits a pixel
RANGE = 8.0  # nepers below the loudest: about 70 dB from paper to ink
HEIGHT = 240  # of the drawing of pitch, in its own units
GUIDES = (50, 100, 200, 400)  # Hz


def spectrogram(mel: np.ndarray, top: float) -> bytes:
    """Return a PNG of a log-mel spectrogram, (T, M): ink on paper, `top` being black."""
    share = np.clip((top - mel.T[::-1]) / RANGE, 0, 1)
    levels = np.rint(share * (SHADES - 1)).astype(np.uint8)
    height, width = levels.shape
    pairs = np.pad(levels, ((0, 0), (0, width % 2)))
    packed = pairs[:, ::2] << 4 | pairs[:, 1::2]
    rows = np.pad(packed, ((0, 0), (1, 0)))  # each row begins with its filter, which is none
    header = struct.pack(">IIBBBBB", width, height, 4, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


class Axis:
    """The logarithmic axis of pitch that several recordings share: an octave at least."""

    def __init__(self, f0: np.ndarray) -> None:
        octaves = np.log2(f0[f0 > 0]) if (f0 > 0).any() else np.log2([100.0])
        low, high = float(octaves.min()), float(octaves.max())
        room = max(0.1 * (high - low), (1 - (high - low)) / 2, 0.1)
        self.low, self.high = low - room, high + room

    def height(self, f0: np.ndarray) -> np.ndarray:
        """Return the distance of each pitch, in Hz, from the top of the drawing."""
        share = (self.high - np.log2(f0)) / (self.high - self.low)
        return np.rint(share * HEIGHT).astype(int)

    @property
    def guides(self) -> dict[int, int]:
        """The pitches that the axis labels, in Hz, and their distances from the top."""
        heights = zip(GUIDES, self.height(np.array(GUIDES, float)).tolist(), strict=True)
        return {hz: height for hz, height in heights if 0.13 < height / HEIGHT < 1}


def curve(f0: np.ndarray, axis: Axis) -> str:
    """Return the SVG path of a pitch track, (T,) Hz, 0 where unvoiced; x counts frames."""
    voiced = np.concatenate([[False], f0 > 0, [False]])
    edges = np.flatnonzero(np.diff(voiced.astype(np.int8)))
    path = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        heights = axis.height(f0[start:stop]).tolist()
        steps = "".join(f"l1 {b - a}" for a, b in pairwise(heights))
        path.append(f"M{start} {heights[0]}{steps or 'h0'}")
    return "".join(path)
