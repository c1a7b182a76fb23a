"""Takes: the choices of a decoder that draws them, as codes that give the same sound again.

A code is a line of text.  It names the model whose choices it holds and has a checksum, so neither
a code of another model nor a damaged one is spoken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ttskit.errors import TtskitError
from ttskit.wording import count

if TYPE_CHECKING:
    from ttskit.voices.model import Model

VERSION = 1
LONGEST_NAME = 250  # characters of a file's name
MOST_LINES, MOST_CHOICES = 1 << 20, 1 << 26
HEADER = struct.Struct("<B4sI")  # version, model, lines
LINE = struct.Struct("<HIB")  # share in hundredths, choices, bits of each
OTHER = "it is of another text"
DAMAGED = "is damaged: copy it whole, as it was printed"


@dataclass(frozen=True)
class Take:
    """The choices of each line of a text, and the fingerprint of the model that they are of.

    The first number of a line is the noise scale in hundredths.
    """

    model: str
    lines: Sequence[np.ndarray]  # (1 + choices,) each

    def line(self, number: int) -> np.ndarray:
        """Return the choices of a line by its number from 0."""
        if number >= len(self.lines):
            raise TtskitError(f"the take ends after {count(len(self.lines), 'sentence')}: {OTHER}")
        return self.lines[number]

    def check_end(self, spoken: int) -> None:
        """Refuse a take of more lines than were spoken."""
        if spoken < len(self.lines):
            sentences = count(len(self.lines), "sentence")
            raise TtskitError(f"the take has {sentences}, the text {spoken}: {OTHER}")

    def code(self) -> str:
        """Return the take as text."""
        parts = [HEADER.pack(VERSION, bytes.fromhex(self.model), len(self.lines))]
        for line in self.lines:
            choices = line[1:].astype(np.int64)
            width = max(1, int(choices.max(initial=0)).bit_length())
            bits = (choices[:, None] >> np.arange(width) & 1).astype(np.uint8)
            header = LINE.pack(int(line[0]), len(choices), width)
            parts += [header, np.packbits(bits).tobytes()]
        body = b"".join(parts)
        packed = body + struct.pack("<I", zlib.crc32(body))
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def parsed(code: str) -> Take:
    """Return the take that a code stands for."""
    text = code.strip()
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TtskitError(f"the take {_short(text)} {DAMAGED}") from error
    body, checksum = packed[:-4], packed[-4:]
    whole = base64.urlsafe_b64encode(packed).decode().rstrip("=") == text
    if not whole or len(body) < HEADER.size or struct.pack("<I", zlib.crc32(body)) != checksum:
        raise TtskitError(f"the take {_short(text)} {DAMAGED}")
    version, model, there = HEADER.unpack_from(body)
    if version != VERSION:
        raise TtskitError(
            f"the take {_short(text)} is of format {version}, needs {VERSION}: use a newer ttskit"
        )
    try:
        lines = _lines(body, there)
    except (struct.error, ValueError) as error:
        raise TtskitError(f"the take {_short(text)} {DAMAGED}") from error
    return Take(model.hex(), lines)


def read(code: str) -> Take:
    """Return the take of a code, or of a file that holds one."""
    if len(code) > LONGEST_NAME or not Path(code).is_file():
        return parsed(code)
    try:
        return parsed(Path(code).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise TtskitError(f"{code}: is no text, needs the code of a take") from error


def _lines(body: bytes, there: int) -> list[np.ndarray]:
    at, lines = HEADER.size, []
    if there > MOST_LINES:
        raise ValueError
    for _ in range(there):
        share, choices, width = LINE.unpack_from(body, at)
        at += LINE.size
        size = -(-choices * width // 8)
        if choices > MOST_CHOICES or not 1 <= width <= 16 or at + size > len(body):
            raise ValueError
        bits = np.unpackbits(np.frombuffer(body, np.uint8, size, at), count=choices * width)
        numbers = (bits.reshape(choices, width).astype(np.int64) << np.arange(width)).sum(1)
        lines.append(np.concatenate([[share], numbers]))
        at += size
    if at != len(body):
        raise ValueError
    return lines


def _short(code: str) -> str:
    return repr(code if len(code) <= 20 else f"{code[:16]} ...")


def fingerprint(model: Model) -> str:
    """Return eight digits that tell models apart, but not a model from itself in a Voice.

    The weights count as far as 16 bits hold them: as `voice pack` writes them.
    """
    digest = hashlib.sha256(model.family.encode())
    for name, value in sorted(model.weights().items()):
        with np.errstate(over="ignore"):
            digest.update(name.encode() + value.float().numpy().astype(np.float16).tobytes())
    return digest.hexdigest()[:8]


def taker(models: Sequence[Model]) -> Model:
    """Return the model whose choices are a take."""
    for model in models:
        if "take" in model.makes:
            return model
    decoders = [model for model in models if model.role == "decoder"]
    names = ", ".join(model.name for model in decoders or models) or "--engine onnx"
    raise TtskitError(f"{names}: makes no takes; a decoder of the family ddn does")


def check(take: str, model: Model, what: str) -> None:
    """Refuse the take of another model, by its fingerprint."""
    own = fingerprint(model)
    if take != own:
        raise TtskitError(f"{what}: is a take of the model {take}, not of {model.name}, {own}")
