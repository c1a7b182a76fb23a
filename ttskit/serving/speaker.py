"""A speaker: a voice that is loaded once, and speaks for every request that names it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ttskit.dsp.samples import to_int16
from ttskit.errors import TextError
from ttskit.formats.audio import encode, kind_of
from ttskit.formats.labels import TIMES
from ttskit.serving.encoding import MEDIA, Encoder
from ttskit.serving.refusal import Refusal
from ttskit.speaking.chain import NO_WORD, Piece
from ttskit.speaking.passages import MARKUP, TextSource
from ttskit.speaking.speech import Speech
from ttskit.speaking.voice import Company, Voice
from ttskit.voices.voice import describe

if TYPE_CHECKING:
    from ttskit.serving.request import SpeechRequest


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
        self.voice = Voice(path, device=device)
        self.facts = describe(self.voice.chain.voice)
        self.most = most
        self.seconds = 0.0  # of audio that were spoken so far
        self._spelling, self._counting = Lock(), Lock()
        self._beside: Mapping[str, Speaker] = {}

    @property
    def rate(self) -> int:
        """Hz."""
        return self.voice.sample_rate

    def meet(self, speakers: Mapping[str, Speaker]) -> None:
        """Let a text of SSML change to any of these speakers, by their names."""
        self._beside = speakers

    def speech(self, request: SpeechRequest) -> Speech:
        """Return the text of a request, ready to be spoken; refuse what cannot be."""
        ssml = request.ssml or bool(MARKUP.match(request.input))
        with ExitStack() as spelling:  # spellers keep what they have looked up
            for speaker in self._beside.values() if ssml and self._beside else (self,):
                spelling.enter_context(speaker._spelling)
            source = TextSource((request.input,), ssml=ssml)
            company = Company(self._named)
            speech = self.voice.speech(source, company=company, **request.options)
            speech.check()
            lines = list(speech.lines)
        if not any(line.words for line in lines):
            raise TextError(NO_WORD)
        self._check(sum(line.pause for line in lines))
        return replace(speech, lines=lines)

    def _named(self, name: str) -> Voice:
        """Return the voice of another speaker."""
        if name not in self._beside:
            raise TextError(f"no voice {name!r:.60}; there is {', '.join(self._beside) or 'none'}")
        return self._beside[name].voice

    def pieces(self, speech: Speech) -> Iterator[Piece]:
        """Speak line by line, each when it is asked for."""
        samples = 0
        for piece in speech.pieces():
            length = piece.silence + len(piece.audio)
            samples += length
            self._check(samples / self.rate)
            with self._counting:
                self.seconds += length / self.rate
            yield piece

    def blocks(self, request: SpeechRequest) -> Iterator[np.ndarray]:
        """Yield the samples of a request, (sample,) float32, as they are made."""
        for piece in self.pieces(self.speech(request)):
            yield from piece.blocks()

    def audio(self, request: SpeechRequest, name: str) -> Iterator[bytes]:
        """Yield the same as the bytes of a format."""
        with closing(Encoder(name, self.rate)) as encoder:
            for block in self.blocks(request):
                yield encoder(block)
            yield encoder.end()

    def times(self, request: SpeechRequest, each: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the times of a request once all is spoken, and nothing for each line before.

        Where the request names a format the audio is there too, as a whole file in base64.  With
        `each` also the times of each line, counted from the pause before it, and its samples.
        """
        suffix = f".{request.response_format}" if request.response_format else ""
        if suffix:
            kind_of(suffix)
        speech, spoken = self.speech(request), list[Piece]()
        for piece in self.pieces(speech):
            spoken.append(piece)
            yield self._line(speech, piece) if each else {}
        answer = _times(speech, spoken)
        if suffix:
            samples = np.concatenate([block for piece in spoken for block in piece.blocks()])
            content, _ = encode(samples, self.rate, suffix)
            media = MEDIA[request.response_format]
            answer |= {"media_type": media, "audio": b64encode(content).decode()}
        yield answer

    def _line(self, speech: Speech, piece: Piece) -> dict[str, Any]:
        """Return the times of one line, and its samples: 16 bit, little endian, in base64."""
        samples = to_int16(np.concatenate([np.zeros(0, np.float32), *piece.blocks()]))[0]
        coded = b64encode(samples.astype("<i2").tobytes()).decode()
        return {**_times(speech, [piece]), "sample_rate": self.rate, "samples": coded}

    def _check(self, seconds: float) -> None:
        if seconds > self.most:
            raise Refusal(
                f"it would last more than {self.most:g} s: send the text in parts", param="input"
            )


def _times(speech: Speech, spoken: Sequence[Piece]) -> dict[str, Any]:
    lines = [(piece.line, piece.durations) for piece in spoken]
    times: dict[str, Any] = json.loads(TIMES["json"].text(speech.timeline(lines)))
    return times
