"""Many clients of `ttskit serve` at once: latency, throughput, memory, and whether each is served.

    python benchmarks/serve_load.py [--clients 100] [--rounds 2] [--workers 1] [--voice NAME]

It starts a server at a free port, and asks it for a text of its own by each client, for wav.  One
in ten reads slowly, one in ten goes away after the first audio, one in ten sends what is no
request; the others read all, and what they get is compared with what `say` makes of their text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HEADER = 44  # bytes of a wav before its samples
WORDS = "river stone window garden letter silver market morning".split()
BROKEN = (b"{", b'{"input": 5}', b'{"input": "..."}', b'{"input": "Hello.", "voice": "nobody"}')


@dataclass
class Outcome:
    """What a client got."""

    kind: str
    first: float = float("nan")  # seconds to the first audio
    total: float = float("nan")  # seconds to the last
    audio: bytes = b""
    status: int = 0


def text_of(client: int) -> str:
    """Return the text of a client, which no other one has."""
    word = WORDS[client % len(WORDS)]
    return f"Client number {client} asks for the {word}. It is a {word} of its own. Thank you."


def kind_of(client: int) -> str:
    """Return how a client behaves."""
    return {7: "slow", 8: "leaves", 9: "broken"}.get(client % 10, "reads")


async def ask(host: str, port: int, client: int) -> Outcome:
    """Be one client."""
    outcome, started = Outcome(kind_of(client)), time.monotonic()
    body = json.dumps({"input": text_of(client), "response_format": "wav"}).encode()
    if outcome.kind == "broken":
        body = BROKEN[client // 10 % len(BROKEN)]
    head = (
        f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 14)
    writer.write(head.encode() + body)
    outcome.status = int((await reader.readline()).split()[1])
    while (await reader.readline()).strip():
        pass
    if outcome.status == 200:
        await receive(reader, outcome, started)
    writer.close()
    return outcome


async def receive(reader: asyncio.StreamReader, outcome: Outcome, started: float) -> None:
    """Read the chunks of an answer, as the client does."""
    audio = bytearray()
    while size := int(await reader.readline(), 16):
        left = size + 2
        while left:
            part = await reader.read(min(left, 1 << 14))
            left -= len(part)
            audio += part if left >= 2 else part[: len(part) - (2 - left)]
            if outcome.kind == "slow":
                await asyncio.sleep(0.05)
        if np.isnan(outcome.first):
            outcome.first = time.monotonic() - started
        if outcome.kind == "leaves":
            return
    outcome.total, outcome.audio = time.monotonic() - started, bytes(audio)


def memory(pid: int) -> float:
    """Return the memory of a process, in MB."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def storm(port: int, clients: int) -> list[Outcome]:
    """Let all clients ask at once."""
    return await asyncio.gather(*(ask("127.0.0.1", port, client) for client in range(clients)))


def mixed_up(outcomes: list[Outcome], voice: str) -> int:
    """Return how many clients got other samples than `say` makes of their texts."""
    from ttskit import Voice
    from ttskit.dsp.samples import to_int16

    speaker, wrong = Voice(voice), 0
    for client, outcome in enumerate(outcomes):
        if outcome.audio:
            expected = to_int16(speaker.say(text_of(client)))[0].astype("<i2").tobytes()
            wrong += outcome.audio[HEADER:] != expected
    return wrong


def report(outcomes: list[Outcome], seconds: float, rate: int = 22_050) -> None:
    """Print what clients waited for, and how much was spoken."""
    whole = [one for one in outcomes if one.audio]
    first = np.array([one.first for one in outcomes if one.first == one.first])
    spoken = sum(len(one.audio) - HEADER for one in whole) / 2 / rate
    statuses = sorted({(one.kind, one.status) for one in outcomes})
    print(f"  first audio: median {np.median(first):.2f} s, 95 % {np.quantile(first, 0.95):.2f} s")
    print(f"  {len(whole)} whole answers, {spoken:.0f} s of audio in {seconds:.1f} s", end=", ")
    print(f"{spoken / seconds:.1f} times real time; {statuses}")


def main() -> None:
    """Start a server, and let clients ask it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--voice", default="kathleen")
    wanted = parser.parse_args()
    options = ["--port", "0", "--voice", wanted.voice, "--queue", str(wanted.clients)]
    server = subprocess.Popen(
        [sys.executable, "-m", "ttskit", "serve", *options, "--workers", str(wanted.workers)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr
    port = int(server.stderr.readline().split(":")[-1].split(";")[0])
    alone = asyncio.run(ask("127.0.0.1", port, 0))
    alone = asyncio.run(ask("127.0.0.1", port, 0))
    print(f"one client: first audio {alone.first:.2f} s, all {alone.total:.2f} s")
    for number in range(wanted.rounds):
        started, before = time.monotonic(), memory(server.pid)
        outcomes = asyncio.run(storm(port, wanted.clients))
        took = time.monotonic() - started
        print(f"{wanted.clients} clients, round {number + 1}: memory before {before:.0f} MB")
        report(outcomes, took)
    print(f"memory after: {memory(server.pid):.0f} MB")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        figures = answer.read().decode()
    print(
        *(line for line in figures.splitlines() if re.match("ttskit_(aband|req)", line)), sep="\n"
    )
    server.send_signal(signal.SIGINT)
    print(f"exit status {server.wait()}, last line {server.stderr.read().strip()!r}")
    print(f"other samples than say makes: {mixed_up(outcomes, wanted.voice)}")


if __name__ == "__main__":
    main()
