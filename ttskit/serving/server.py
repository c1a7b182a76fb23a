"""Servers: a socket, an application behind it, and an end in good order."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from ttskit import progress
from ttskit.artifacts import signals
from ttskit.errors import TtskitError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

GRACE = 5  # seconds that answers have to end once the server is to stop
TICK = 0.1  # seconds between looks at whether it is


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise TtskitError(
            f"{host}, port {port}: {error.strerror}: choose another one with --host or --port"
        ) from None


def address(listener: socket.socket) -> str:
    """Return host and port of a socket, as an address on the web has them."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def serve_http(app: ASGIApp, listener: socket.socket) -> None:
    """Serve an application until Ctrl-C or SIGTERM, which answers at hand may outlast a little."""
    logging.getLogger("uvicorn.error").addFilter(lambda record: bool(record.exc_info))  # bugs
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    note("http", listener)
    with signals.held() as stop:
        asyncio.run(_Server(config, stop).serve(sockets=[listener]))
    stop.obey("interrupted")


class _Server(uvicorn.Server):
    """A server that stops once a signal has been held."""

    def __init__(self, config: uvicorn.Config, stop: signals.Held) -> None:
        super().__init__(config)
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or bool(self._stop)


def serve_streams(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    listener: socket.socket,
) -> None:
    """Serve connections until Ctrl-C or SIGTERM."""
    note("tcp", listener)
    with signals.held() as stop:
        asyncio.run(_connections(answer, listener, stop))
    stop.obey("interrupted")


async def _connections(answer: Any, listener: socket.socket, stop: signals.Held) -> None:
    tasks = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await answer(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    async with await asyncio.start_server(connected, sock=listener):
        while not stop:
            await asyncio.sleep(TICK)
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def note(kind: str, listener: socket.socket) -> None:
    """Say where a server is."""
    progress.note(f"listening at {kind}://{address(listener)}; Ctrl-C ends it")
