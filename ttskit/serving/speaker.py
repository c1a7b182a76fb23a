"""A speaker: a voice that is loaded once, and speaks for every request that names it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.errors import TextError
from ttskit.formats.audio import encode, kind_of
from ttskit.formats.labels import TIMES
from ttskit.serving.encoding import MEDIA, Encoder
from ttskit.serving.refusal import Refusal
from ttskit.speaking.chain import NO_WORD, Chain, Piece, pieces
from ttskit.speaking.lines import to_lines
from ttskit.speaking.passages import MARKUP, TextSource, passages
from ttskit.voices import voice as voices

if TYPE_CHECKING:
    from ttskit.serving.request import SpeechRequest
    from ttskit.speaking.lines import Line


class Speaker:
    """A voice with its models in memory; several threads may use it at once.

    Parameters
    ----------
    path : file of a Voice
    device : str
    most : float
        Seconds of audio that a request may come to.
    """

    def __init__(self, path: Path, device: str = "cpu", most: float = 600.0) -> None:
        self.voice = voices.read(path)
        self.chain = Chain(self.voice, device)
        self.most = most
        self.seconds = 0.0  # of audio that were spoken so far
        self._speller, self._spelling, self._counting = self.voice.speller(), Lock(), Lock()

    @property
    def rate(self) -> int:
        """Hz."""
        return self.voice.sample_rate

    def lines(self, request: SpeechRequest) -> list[Line]:
        """Return the lines of a request; refuse what cannot be spoken, before anything is."""
        self.chain.check(request.style)
        ssml = request.ssml or bool(MARKUP.match(request.input))
        english = self.voice.language == "en-us"
        source = passages(TextSource((request.input,), ssml=ssml), english)
        with self._spelling:  # it keeps what it has looked up
            lines = list(to_lines(source, self._speller, pause=request.style.between))
        if not any(line.words for line in lines):
            raise TextError(NO_WORD)
        self._check(sum(line.pause for line in lines))
        return lines

    def pieces(self, request: SpeechRequest, lines: Sequence[Line]) -> Iterator[Piece]:
        """Speak lines, each when it is asked for."""
        samples = 0
        for piece in pieces(self.chain, lines, request.style):
            length = piece.silence + len(piece.audio)
            samples += length
            self._check(samples / self.rate)
            with self._counting:
                self.seconds += length / self.rate
            yield piece

    def blocks(self, request: SpeechRequest) -> Iterator[np.ndarray]:
        """Yield the samples of a request, (sample,) float32, as they are made."""
        for piece in self.pieces(request, self.lines(request)):
            yield from piece.blocks()

    def audio(self, request: SpeechRequest, name: str) -> Iterator[bytes]:
        """Yield the same as the bytes of a format."""
        with closing(Encoder(name, self.rate)) as encoder:
            for block in self.blocks(request):
                yield encoder(block)
            yield encoder.end()

    def times(self, request: SpeechRequest) -> Iterator[bytes]:
        """Yield nothing for each line that is spoken, and then the times of all as JSON.

        Where the request names a format the audio is there too, as a whole file in base64.
        """
        suffix = f".{request.response_format}" if request.response_format else ""
        if suffix:
            kind_of(suffix)
        spoken: list[Piece] = []
        for piece in self.pieces(request, self.lines(request)):
            spoken.append(piece)
            yield b""
        answer: dict[str, Any] = json.loads(self._times(spoken, request))
        if suffix:
            samples = np.concatenate([block for piece in spoken for block in piece.blocks()])
            content, _ = encode(samples, self.rate, suffix)
            media = MEDIA[request.response_format]
            answer |= {"media_type": media, "audio": b64encode(content).decode()}
        yield json.dumps(answer, ensure_ascii=False).encode()

    def _times(self, spoken: Sequence[Piece], request: SpeechRequest) -> str:
        lines = [(piece.line, piece.durations) for piece in spoken]
        return TIMES["json"].text(self.chain.timeline(lines, request.style))

    def _check(self, seconds: float) -> None:
        if seconds > self.most:
            raise Refusal(
                f"it would last more than {self.most:g} s: send the text in parts", param="input"
            )
