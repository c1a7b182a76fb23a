"""`ttskit serve --wyoming`, by the client of the package wyoming."""

import asyncio
import socket

import numpy as np
import pytest
import soundfile
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
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

from tests.factory import run
from tests.serving.running import running
from ttskit.serving import server
from ttskit.serving.desk import Desk, Limits
from ttskit.serving.wyoming import answering

TEXT = "Hello there, world. It cost five dollars. That is all there is to it."
LAST = ("audio-stop", "synthesize-stopped", "error", "info", "pong")


@pytest.fixture
def address(speaker):
    desk = Desk({"tiny": speaker}, Limits(characters=200), threads=1)
    with running(server.streams, answering(desk)) as address:
        yield address


@pytest.fixture
def ask(address):
    """Send events over one connection; return those that come back, up to some last one."""

    async def asked(events, last):
        async with AsyncTcpClient(*address) as client:
            for event in events:
                await client.write_event(event if isinstance(event, Event) else event.event())
            answers = list[Event]()
            while not answers or answers[-1].type not in last:
                answers.append(await asyncio.wait_for(client.read_event(), 30))
            return answers

    return lambda *events, last=LAST: asyncio.run(asked(events, last))


def samples(answers):
    chunks = [AudioChunk.from_event(one) for one in answers if AudioChunk.is_type(one.type)]
    assert {(chunk.rate, chunk.width, chunk.channels) for chunk in chunks} == {(22_050, 2, 1)}
    return np.frombuffer(b"".join(chunk.audio for chunk in chunks), "<i2")


def said(path, text, tmp_path, *options):
    run("say", text, "--voice", path, "-o", tmp_path / "said.wav", *options)
    return soundfile.read(tmp_path / "said.wav", dtype="int16")[0]


def test_it_describes_the_voices(ask):
    (program,) = Info.from_event(ask(Describe())[0]).tts
    (voice,) = program.voices
    assert (voice.name, voice.languages, voice.installed) == ("tiny", ["en-us"], True)
    assert program.supports_synthesize_streaming


def test_it_answers_a_ping(ask):
    assert Pong.from_event(ask(Ping("x"))[0]).text == "x"


@pytest.mark.parametrize(
    "voice", [None, SynthesizeVoice(name="tiny"), SynthesizeVoice(language="en_US")]
)
def test_a_text_has_the_samples_that_say_writes(ask, path, tmp_path, voice):
    answers = ask(Synthesize(TEXT, voice))
    assert AudioStart.from_event(answers[0]).rate == 22_050
    assert AudioStop.is_type(answers[-1].type)
    assert samples(answers).tolist() == said(path, TEXT, tmp_path).tolist()


def test_ssml_is_spoken(ask, path, tmp_path):
    markup = '<speak>One<break time="300ms"/> two.</speak>'
    answers = ask(Synthesize(markup, text_format=SynthesizeTextFormat.SSML))
    assert samples(answers).tolist() == said(path, markup, tmp_path, "--ssml").tolist()


def test_sentences_of_chunks_are_spoken_as_they_are_complete(ask, path, tmp_path):
    before = ask(SynthesizeStart(), SynthesizeChunk("Hello there, wor"), SynthesizeChunk("ld. It "),
                 last=("audio-chunk",))  # fmt: skip
    assert [event.type for event in before] == ["audio-start", "audio-chunk"]
    chunks = [SynthesizeChunk(TEXT[start : start + 7]) for start in range(0, len(TEXT), 7)]
    answers = ask(
        SynthesizeStart(), *chunks, Synthesize(TEXT), SynthesizeStop(), last=("synthesize-stopped",)
    )
    assert SynthesizeStopped.is_type(answers[-1].type)
    assert [event.type for event in answers].count("audio-start") == 1
    pause = np.zeros(round(0.25 * 22_050), np.int16)
    one, two, three = (said(path, text, tmp_path) for text in TEXT.replace(". ", ".|").split("|"))
    expected = np.concatenate([one, pause, two, pause, three])
    assert samples(answers).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        (Synthesize("..."), "has no word to speak"),
        (Synthesize("a" * 201), "201 characters, at most 200"),
        (Synthesize("Hello.", SynthesizeVoice(name="bob")), "no voice 'bob'; there is tiny"),
        (Synthesize("Hello.", SynthesizeVoice(language="nl")), "no voice speaks 'nl'"),
        (Event("synthesize", {"text": 5}), "synthesize: its text is not a string"),
        (Event("synthesize", {"text": "a", "voice": 5}), "synthesize: cannot be read"),
        (Event("synthesize", {}), "synthesize: cannot be read"),
    ],
)
def test_what_cannot_be_spoken_is_an_error(ask, event, complaint):
    (answer,) = ask(event)
    assert complaint in Error.from_event(answer).text


def test_a_broken_connection_disturbs_nobody(address, ask):
    for broken in (
        b"{",
        b"[]\n",
        b"\xff\n",
        b'{"type": "synthesize", "data_length": 99}\nx',
        b"5\n",
    ):
        with socket.create_connection(address) as connection:
            connection.sendall(broken)
    assert ask(Describe())[0].type == "info"
