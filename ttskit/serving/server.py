"""Servers: a socket, an application behind it, and an end in good order."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
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
            f"{host}, port {port}: {os.strerror(error.errno or 0)}: choose another one with --host "
            "or --port"
        ) from None


def address(listener: socket.socket) -> str:
    """Return host and port of a socket, as an address on the web has them."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run(serve: Callable[[signals.Held], Coroutine[Any, Any, None]]) -> None:
    """Serve until Ctrl-C or SIGTERM, and end as either has it; a second one ends at once."""
    with signals.held() as stop:
        asyncio.run(serve(stop))
    stop.obey("interrupted")


async def http(app: ASGIApp, listener: socket.socket, stop: signals.Held) -> None:
    """Serve an application until a signal is held; what is being answered may outlast it a little.

    Parameters
    ----------
    app : ASGI application
    listener : socket
    stop : Held
    """
    logging.getLogger("uvicorn.error").addFilter(_is_bug)
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    progress.note(f"listening at http://{address(listener)}; Ctrl-C ends it")
    await _Server(config, stop).serve(sockets=[listener])


def _is_bug(record: logging.LogRecord) -> bool:
    """Whether a line of the log is a bug of ours, and not that a client was cut off."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is not None and not issubclass(kind, asyncio.CancelledError)


class _Server(uvicorn.Server):
    """A server that stops once a signal is held."""

    def __init__(self, config: uvicorn.Config, stop: signals.Held) -> None:
        super().__init__(config)
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or bool(self._stop)


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def streams(answer: Answer, listener: socket.socket, stop: signals.Held) -> None:
    """Serve connections until a signal is held, which ends them all."""
    tasks = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.wait([task])
        writer.close()

    progress.note(f"listening at tcp://{address(listener)}; Ctrl-C ends it")
    async with await asyncio.start_server(connected, sock=listener):
        while not stop:
            await asyncio.sleep(TICK)
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
