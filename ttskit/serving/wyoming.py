"""The Wyoming protocol, by which Home Assistant has texts spoken."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_read_event, async_write_event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice, TtsVoiceSpeaker
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeTextFormat,
    SynthesizeVoice,
)

from ttskit import __version__
from ttskit.dsp.samples import to_int16
from ttskit.errors import TtskitError
from ttskit.serving.desk import Desk, in_time
from ttskit.serving.refusal import Refusal
from ttskit.serving.request import SpeechRequest
from ttskit.text.sentences import sentences

if TYPE_CHECKING:
    from ttskit.serving.speaker import Speaker

WIDTH, CHANNELS = 2, 1  # bytes of a sample
ANSWERED: tuple[type[Eventable], ...] = (
    Describe,
    Ping,
    SynthesizeStart,
    SynthesizeChunk,
    SynthesizeStop,
    Synthesize,
)
BLOCK = 4096  # samples of a chunk of audio


class Connection:
    """One client: it is told of the voices, and sends texts, whole or in chunks."""

    def __init__(self, desk: Desk, writer: StreamWriter) -> None:
        self._desk, self._writer = desk, writer
        self._script: Script | None = None  # of a text that comes in chunks

    async def answer(self, event: Event) -> None:
        """Answer one event; those that are for others than speakers are passed over."""
        try:
            await self._answer(parsed(event))
        except TtskitError as error:
            self._script = None
            await self._send(Error(str(error), type(error).__name__))

    async def _answer(self, event: Eventable | None) -> None:
        match event:
            case Describe():
                await self._send(info(self._desk))
            case Ping(text):
                await self._send(Pong(text))
            case SynthesizeStart(voice, text_format):
                self._script = Script(self._desk, voice, text_format)
            case SynthesizeChunk(text) if self._script:
                await self._speak(self._script.add(text))
            case SynthesizeStop() if self._script:
                await self._speak(self._script.rest())
                self._script = None
                await self._send(AudioStop())
                await self._send(SynthesizeStopped())
            case Synthesize(text, voice, text_format) if not self._script:  # else said in chunks
                self._script = Script(self._desk, voice, text_format)
                await self._speak([self._script.request(text)])
                self._script = None
                await self._send(AudioStop())

    async def _speak(self, requests: list[SpeechRequest]) -> None:
        for request in requests:
            with self._desk.place():
                await in_time(self._desk.limits.timeout, self._sound(request))

    async def _sound(self, request: SpeechRequest) -> None:
        """Send the audio of a request, after a pause if others were before it."""
        assert self._script is not None
        _, speaker = self._desk.speaker(request)
        async with aclosing(self._desk.each(speaker.blocks(request))) as blocks:
            async for block in blocks:
                if not self._script.begun:
                    await self._send(AudioStart(speaker.rate, WIDTH, CHANNELS))
                elif not self._script.sounding:
                    await self._send_samples(silence(request.pause, speaker), speaker)
                self._script.begun = self._script.sounding = True
                await self._send_samples(block, speaker)
        self._script.sounding = False

    async def _send_samples(self, samples: np.ndarray, speaker: Speaker) -> None:
        content = to_int16(samples)[0].astype("<i2").tobytes()
        for start in range(0, len(content), WIDTH * BLOCK):
            part = content[start : start + WIDTH * BLOCK]
            await self._send(AudioChunk(speaker.rate, WIDTH, CHANNELS, part))

    async def _send(self, event: Eventable) -> None:
        await async_write_event(event.event(), self._writer)


class Script:
    """A text that comes in chunks: its sentences are requests as soon as they are complete."""

    def __init__(self, desk: Desk, voice: SynthesizeVoice | None, form: str | None) -> None:
        self._desk, self._pending = desk, ""
        self._ssml = form == SynthesizeTextFormat.SSML
        self._voice = chosen(desk, voice)
        self._speaker = (voice.speaker if voice else None) or ""
        self.begun = False  # whether any audio was sent
        self.sounding = False  # whether some of the sentence at hand was

    def request(self, text: str) -> SpeechRequest:
        """Return the request for a text."""
        return SpeechRequest(text, voice=self._voice, speaker=self._speaker, ssml=self._ssml)

    def add(self, text: str) -> list[SpeechRequest]:
        """Take the next chunk; return what is complete by it: of SSML, nothing before its end."""
        self._pending += text
        _, speaker = self._desk.speaker(self.request(self._pending))
        if self._ssml:
            return []
        *complete, self._pending = sentences(self._pending, speaker.voice.language) or [""]
        return [self.request(sentence) for sentence in complete]

    def rest(self) -> list[SpeechRequest]:
        """Return what is left at the end."""
        wanted = self._pending.strip() or not self.begun
        return [self.request(self._pending)] if wanted else []


def chosen(desk: Desk, voice: SynthesizeVoice | None) -> str:
    """Return the name of the voice that is asked for, by name or by language."""
    if voice is None or voice.name or not voice.language:
        return (voice.name if voice else None) or ""
    speak = {name: speaker.voice.language for name, speaker in desk.speakers.items()}
    for name, language in speak.items():
        if language == voice.language.lower().replace("_", "-"):
            return name
    raise Refusal(f"no voice speaks {voice.language!r:.60}; there is {', '.join(speak.values())}")


def silence(seconds: float, speaker: Speaker) -> np.ndarray:
    """Return samples of silence."""
    return np.zeros(round(seconds * speaker.rate), np.float32)


def info(desk: Desk) -> Info:
    """Return what Home Assistant lists of the voices."""
    maker = Attribution("ttskit", "")
    voices = [
        TtsVoice(
            name=name,
            attribution=maker,
            installed=True,
            description=str(speaker.facts["name"]),
            version=None,
            languages=[speaker.voice.language],
            speakers=[TtsVoiceSpeaker(one) for one in speaker.voice.speakers if one] or None,
        )
        for name, speaker in desk.speakers.items()
    ]
    program = TtsProgram(
        name="ttskit",
        attribution=maker,
        installed=True,
        description="Composable text-to-speech stages",
        version=__version__,
        voices=voices,
        supports_synthesize_streaming=True,
    )
    return Info(tts=[program])


def answering(desk: Desk) -> Callable[[StreamReader, StreamWriter], Awaitable[None]]:
    """Return a function that answers a connection until it ends."""

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        connection = Connection(desk, writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):  # the client is gone
            while event := await received(reader):
                await connection.answer(event)

    return answer


async def received(reader: StreamReader) -> Event | None:
    """Return the next event; None at the end of a connection, and where it is none."""
    try:
        return await async_read_event(reader)
    except (AttributeError, KeyError, TypeError, RecursionError):
        return None


def parsed(event: Event) -> Eventable | None:
    """Return an event as one of those that a speaker answers, if it is one."""
    try:
        known = next((kind for kind in ANSWERED if kind.is_type(event.type)), None)
        one = None if known is None else known.from_event(event)
    except (AttributeError, KeyError, TypeError) as error:
        raise Refusal(f"{event.type}: cannot be read: {error!r}") from None
    if not isinstance(getattr(one, "text", None) or "", str):
        raise Refusal(f"{event.type}: its text is not a string")
    return one
