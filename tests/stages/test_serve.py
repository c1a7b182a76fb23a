"""The verb `ttskit serve`: what it refuses, and how it begins and ends as a process."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import ttskit as package
from tests.factory import run
from tests.tiny import write_voice
from ttskit.errors import TtskitError

ASKED = {
    "http": b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "wyoming": b'{"type": "describe"}\n',
}


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice"))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--host", "0.0.0.0"], "add --token, or --anyone"),
        (["--host", "192.168.0.1", "--wyoming"], "add --anyone"),
        (["--wyoming", "--token", "x"], "no way to send a token"),
        (["--token", "two words"], "without a space"),
        (["--voice", "kathleen", "--voice", "kathleen"], "there is a kathleen already"),
        (["--queue", "0"], "--queue"),
    ],
)
def test_a_server_that_cannot_be_is_wrong_usage(words, complaint):
    answer = run("serve", "--port", 0, *words)
    assert answer.exit_code == 2
    assert complaint in " ".join(answer.stderr.replace("│", " ").split())


def test_a_voice_that_is_not_there_is_named():
    with pytest.raises(TtskitError, match="nobody: no such file, nor an embedded voice"):
        run("serve", "--port", 0, "--voice", "nobody")


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TtskitError, match=f"127.0.0.1, port {port}: Address already in use: c"):
            run("serve", "--port", port)


@pytest.mark.parametrize(
    ("number", "status", "last"),
    [(signal.SIGINT, 130, "ttskit: interrupted\n"), (signal.SIGTERM, 143, "")],
)
@pytest.mark.parametrize("protocol", ["http", "wyoming"])
def test_a_signal_ends_it_in_good_order(voice, protocol, number, status, last):
    words = ["--voice", str(voice), "--port", "0"] + ["--wyoming"] * (protocol == "wyoming")
    process = subprocess.Popen(
        [sys.executable, "-m", "ttskit", "serve", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(package.__file__).parents[1],
    )
    try:
        assert process.stderr is not None
        port = int(re.findall(r"127\.0\.0\.1:(\d+); Ctrl-C", process.stderr.readline())[0])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as idle:
            idle.sendall(ASKED[protocol])
            answer = b""
            while b"voice" not in answer:
                answer += idle.recv(1 << 16)
            process.send_signal(number)
            output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, output, errors) == (status, "", last)
