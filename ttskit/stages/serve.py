"""Serve: voices over the network, by OpenAI's interface of speech or the Wyoming protocol.

Reads Voices; answers requests by audio until it is stopped.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from ttskit.errors import TtskitError
from ttskit.options import VOICE, Device, Threads

if TYPE_CHECKING:
    from ttskit.serving.desk import Desk, Limits

LIMITS, NETWORK = "Limits", "Network"  # groups of options on the help page
HERE = ("localhost", "127.0.0.1", "[::1]")
PORT, WYOMING_PORT = 8000, 10200


def check(host: str, token: str, wyoming: bool, anyone: bool) -> None:
    """Refuse a server that is open by mistake, and one whose packages are missing."""
    if wyoming and token:
        raise typer.BadParameter("--wyoming has no way to send a token: leave --token out")
    if not local(host) and not token and not anyone:
        need = "add --anyone" if wyoming else "add --token, or --anyone"
        raise typer.BadParameter(f"--host {host}: whoever reaches it may have it speak: {need}")
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise typer.BadParameter("--token: needs letters, digits and signs without a space")
    if missing := [name for name in ("starlette", "uvicorn", "wyoming") if not find_spec(name)]:
        raise TtskitError(f"lacks {', '.join(missing)}: pip install 'ttskit[serve]'")


def local(host: str) -> bool:
    """Whether only this machine reaches a host."""
    return f"[{host}]" in HERE or host in HERE or host.startswith("127.")


def loaded(
    voices: list[str] | None, limits: Limits, most: float, workers: int, threads: int | None,
    device: str,
) -> Desk:  # fmt: skip
    """Return a desk with the voices that are named, or else with those that come with ttskit."""
    from ttskit.serving.desk import Desk
    from ttskit.serving.speaker import Speaker
    from ttskit.voices import embedded

    speakers: dict[str, Speaker] = {}
    names: list[str | None] = [*(voices or embedded.voices())]
    for path in [embedded.find(name) for name in names or [None]]:
        if path.stem in speakers:
            raise typer.BadParameter(f"--voice {path}: there is a {path.stem} already: rename it")
        speakers[path.stem] = Speaker(path, device, most)
    return Desk(speakers, limits, workers, threads)


Voices = Annotated[
    list[str] | None,
    typer.Option(
        "--voice",
        metavar="NAME|FILE",
        rich_help_panel=VOICE,
        help="Voice that comes with ttskit, or a Voice file, which is called by its name without "
        "suffix. May be repeated; the first one speaks where a request names none.",
        show_default="all that come with ttskit",
    ),
]
Host = Annotated[
    str,
    typer.Option(
        metavar="HOST",
        rich_help_panel=NETWORK,
        help="Address to listen at; 0.0.0.0 is every one of this machine.",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65_535,
        metavar="PORT",
        rich_help_panel=NETWORK,
        help="Port to listen at; 0 takes one that is free.",
        show_default="8000, with --wyoming 10200",
    ),
]
Token = Annotated[
    str,
    typer.Option(
        metavar="TOKEN",
        envvar="TTSKIT_TOKEN",
        show_envvar=False,
        rich_help_panel=NETWORK,
        help="What clients have to send as their API key; better kept in the environment as "
        "TTSKIT_TOKEN.",
    ),
]
Anyone = Annotated[
    bool,
    typer.Option(
        "--anyone",
        rich_help_panel=NETWORK,
        help="Serve other machines without a token, too.",
    ),
]
Wyoming = Annotated[
    bool,
    typer.Option(
        "--wyoming",
        rich_help_panel=NETWORK,
        help="Speak the Wyoming protocol of Home Assistant, instead of HTTP.",
    ),
]
Characters = Annotated[
    int,
    typer.Option(
        "--max-characters",
        min=1,
        metavar="N",
        rich_help_panel=LIMITS,
        help="Longest text of a request, in characters.",
    ),
]
Seconds = Annotated[
    float,
    typer.Option(
        "--max-seconds",
        min=1,
        metavar="SECONDS",
        rich_help_panel=LIMITS,
        help="Longest audio of a request, pauses included.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        min=0.1,
        metavar="SECONDS",
        rich_help_panel=LIMITS,
        help="Time that a request may take until its last byte is read.",
    ),
]
Queue = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        rich_help_panel=LIMITS,
        help="Requests at once, those that wait among them; further ones are sent away.",
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        min=1,
        max=256,
        metavar="N",
        rich_help_panel=LIMITS,
        help="Sentences that are spoken at the same time, each by --threads.",
    ),
]


def command(
    voice: Voices = None,
    host: Host = "127.0.0.1",
    port: Port = None,
    token: Token = "",
    anyone: Anyone = False,
    wyoming: Wyoming = False,
    max_characters: Characters = 4096,
    max_seconds: Seconds = 600.0,
    timeout: Timeout = 300.0,
    queue: Queue = 100,
    workers: Workers = 1,
    device: Device = "cpu",
    threads: Threads = None,
) -> None:
    """Serve voices to other programs and to browsers.

    Examples:
        ttskit serve
        ttskit serve --voice kathleen --voice mine.h5 --port 8080
    """
    check(host, token, wyoming, anyone)
    from ttskit.dsp.threads import limited, to_speak
    from ttskit.serving import server
    from ttskit.serving.desk import Limits

    limits = Limits(max_characters, timeout, queue)
    usual = WYOMING_PORT if wyoming else PORT
    number = to_speak(threads)
    with server.listen(host, usual if port is None else port) as listener, limited(number):
        desk = loaded(voice, limits, max_seconds, workers, number, device)
        if wyoming:
            from ttskit.serving.wyoming import answering

            server.run(partial(server.streams, answering(desk), listener))
            return
        from ttskit.serving.app import app

        names = HERE if local(host) and not token else ()
        server.run(partial(server.http, app(desk, token, names), listener))
