"""Servers that run in a thread of the tests, at a port that is free."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from ttskit.artifacts.signals import Held
from ttskit.serving import server

Serve = Callable[[Any, socket.socket, Held], Coroutine[Any, Any, None]]


@contextmanager
def running(serve: Serve, what: Any) -> Iterator[tuple[str, int]]:
    """Yield host and port of a server: `server.http` of an application, `server.streams` ..."""
    stop = Held()
    with server.listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        thread = Thread(target=lambda: asyncio.run(serve(what, listener, stop)))
        thread.start()
        try:
            yield address
        finally:
            stop.number = signal.SIGTERM
            thread.join()


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition holds; fail after some seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
