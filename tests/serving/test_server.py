"""`ttskit serve` over real sockets: clients that go away or read slowly, the client of OpenAI."""

import io
import socket
import time

import openai
import pytest
import soundfile

from tests.factory import run
from tests.serving.running import running, wait
from ttskit.serving import server
from ttskit.serving.app import app
from ttskit.serving.desk import Desk, Limits
from ttskit.speaking.chain import Chain

TEXT = "Hello there, world. It cost five dollars. That is all there is to it."
LONG = "One two three. " * 60
HEAD = (
    "POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\n\r\n"
)


@pytest.fixture
def desk(speaker):
    return Desk({"tiny": speaker}, Limits(timeout=60, queue=8), threads=1)


@pytest.fixture
def address(desk):
    with running(server.http, app(desk, token="secret")) as address:
        yield address


@pytest.fixture
def spoken(monkeypatch):
    """The lines that were spoken so far."""
    spoken, speak = [], Chain.speak

    def recorded(self, line, *words):
        spoken.append(line.number)
        time.sleep(0.01)
        return speak(self, line, *words)

    monkeypatch.setattr(Chain, "speak", recorded)
    return spoken


def request(address, text):
    """Send a request for a wav; return the connection."""
    body = f'{{"input": "{text}", "response_format": "wav"}}'
    head = HEAD.format(length=len(body)).replace("Host", "Authorization: Bearer secret\r\nHost")
    connection = socket.create_connection(address, timeout=60)
    connection.sendall((head + body).encode())
    return connection


def test_a_client_that_goes_away_stops_the_work(address, desk, spoken):
    with request(address, LONG) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert desk.present == 1
    wait(lambda: desk.present == 0)
    count = len(spoken)
    assert 1 <= count < 60
    time.sleep(0.1)
    assert len(spoken) <= count + 1  # the one that was at hand


def test_a_client_that_goes_away_before_the_first_audio_does_too(address, desk, spoken):
    with request(address, LONG):
        wait(lambda: spoken)
    wait(lambda: desk.present == 0)
    assert len(spoken) < 60


def test_a_slow_reader_holds_up_nobody_and_is_not_spoken_ahead_for(address, desk, spoken):
    with request(address, LONG * 4) as slow:
        slow.recv(1)
        before = -1
        while before < len(spoken):  # until what it does not read fills all buffers
            before = len(spoken)
            time.sleep(0.3)
        assert before < 240
        with request(address, TEXT) as quick:
            received = b""
            while not received.endswith(b"0\r\n\r\n"):
                received += quick.recv(1 << 16)
        wait(lambda: desk.present == 1)
    assert received.startswith(b"HTTP/1.1 200")


def test_a_broken_request_disturbs_nobody(address, desk):
    for broken in (
        b"\0\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
        HEAD.format(length=50).encode() + b"{",
    ):
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(broken)
    wait(lambda: desk.present == 0)
    with request(address, TEXT) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


@pytest.fixture
def client(address):
    url = f"http://{address[0]}:{address[1]}/v1"
    with openai.OpenAI(base_url=url, api_key="secret", max_retries=0) as client:
        yield client


def test_the_client_of_openai_speaks(client, path, tmp_path):
    run("say", TEXT, "--voice", path, "-o", tmp_path / "said.wav", "--rate", 1.25)
    expected, _ = soundfile.read(tmp_path / "said.wav", dtype="int16")
    options = {"model": "tts-1", "voice": "tiny", "input": TEXT, "speed": 1.25}
    whole = client.audio.speech.create(**options, response_format="wav").read()
    streaming = client.audio.speech.with_streaming_response
    with streaming.create(**options, response_format="wav") as stream:
        assert b"".join(stream.iter_bytes()) == whole
    header = 44
    assert whole[header:] == expected.astype("<i2").tobytes()
    ogg = client.audio.speech.create(**options, response_format="opus").read()
    assert soundfile.info(io.BytesIO(ogg)).subtype == "OPUS"
    assert next(model.id for model in client.models.list()) == "ttskit"


def test_the_client_of_openai_understands_errors(client):
    with pytest.raises(openai.BadRequestError, match="no voice 'alloy'") as caught:
        client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.")
    assert caught.value.param == "voice"
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="other").models.list()
