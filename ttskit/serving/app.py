"""The routes: OpenAI's interface of speech, times, voices, health, figures, and the page."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ttskit import progress
from ttskit.errors import TtskitError
from ttskit.serving import refusal, request
from ttskit.serving.desk import Desk, in_time, while_there
from ttskit.serving.encoding import MEDIA
from ttskit.serving.figures import Figures
from ttskit.serving.gate import Gate

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from ttskit.serving.request import SpeechRequest
    from ttskit.serving.speaker import Speaker

MOST_BODY = 1 << 20  # bytes
FILES = {  # what the page consists of: path -> package, file, type
    "/": ("ttskit.serving", "page.html", "text/html"),
    "/base.css": ("ttskit.pages", "page.css", "text/css"),
    "/page.css": ("ttskit.serving", "page.css", "text/css"),
    "/page.js": ("ttskit.serving", "page.js", "text/javascript"),
    "/stream.js": ("ttskit.serving", "stream.js", "text/javascript"),
}
OPEN = (*FILES, "/health")  # paths that need no token
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def app(desk: Desk, token: str = "", hosts: tuple[str, ...] = ()) -> Starlette:
    """Return the application: `hosts` are the names that it answers to, any without them."""
    figures = Figures()
    lookups = Lookups(desk, figures)
    routes = [
        Route("/v1/audio/speech", Speaking(desk, figures, speech), methods=["POST"]),
        Route("/v1/timing", Speaking(desk, figures, timing), methods=["POST"]),
        Route("/v1/models", lookups.models),
        Route("/v1/models/{model}", lookups.model),
        Route("/v1/voices", lookups.voices),
        Route("/v1/voices/{voice}", lookups.voice),
        Route("/health", lookups.health),
        Route("/metrics", lookups.metrics),
        *(Route(path, _file(*file)) for path, file in FILES.items()),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Gate, figures=figures, token=token, hosts=hosts, free=OPEN)],
        exception_handlers={TtskitError: refused, HTTPException: misplaced},
        lifespan=_closing(desk),
    )


class Lookups:
    """What can be asked without anything being spoken."""

    def __init__(self, desk: Desk, figures: Figures) -> None:
        self._desk, self._figures = desk, figures

    async def models(self, _: Request) -> Response:
        """List the names that a request may give as its model."""
        return JSONResponse({"object": "list", "data": [_model(name) for name in request.MODELS]})

    async def model(self, asked: Request) -> Response:
        """Describe one of them."""
        if (name := asked.path_params["model"]) not in request.MODELS:
            raise refusal.Unknown(f"no model {name!r:.60}; there is {', '.join(request.MODELS)}")
        return JSONResponse(_model(name))

    async def voices(self, _: Request) -> Response:
        """List the voices with their cards."""
        data = [_voice(name, speaker) for name, speaker in self._desk.speakers.items()]
        return JSONResponse({"object": "list", "data": data})

    async def voice(self, asked: Request) -> Response:
        """Describe one of them."""
        speakers, name = self._desk.speakers, asked.path_params["voice"]
        if name not in speakers:
            raise refusal.Unknown(f"no voice {name!r:.60}; there is {', '.join(speakers)}")
        return JSONResponse(_voice(name, speakers[name]))

    async def health(self, _: Request) -> Response:
        """Say that the server is there."""
        return JSONResponse({"status": "ok", "voices": list(self._desk.speakers)})

    async def metrics(self, _: Request) -> Response:
        """Return the figures for Prometheus."""
        seconds = {name: speaker.seconds for name, speaker in self._desk.speakers.items()}
        text = self._figures.text(self._desk.present, seconds)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


Making = Callable[["Speaker", "SpeechRequest"], tuple[str, Iterator[bytes]]]


def speech(speaker: Speaker, asked: SpeechRequest) -> tuple[str, Iterator[bytes]]:
    """Return the type of the audio of a request, and its bytes as they are made."""
    name = asked.response_format or request.USUAL_FORMAT
    audio = speaker.audio(asked, name)
    if asked.stream_format == "sse":
        return "text/event-stream", _events(audio)
    return MEDIA[name], audio


def timing(speaker: Speaker, asked: SpeechRequest) -> tuple[str, Iterator[bytes]]:
    """Return the times of words and phonemes as JSON; the audio too, where a format is named.

    As events there is one for each line, and then one with that JSON.
    """
    if asked.stream_format == "sse":
        return "text/event-stream", _timing_events(speaker.times(asked, each=True))
    answers = speaker.times(asked)
    return "application/json", (_json(answer) if answer else b"" for answer in answers)


class Speaking:
    """A route that speaks: it streams what is made, for as long as the client stays."""

    def __init__(self, desk: Desk, figures: Figures, making: Making) -> None:
        self._desk, self._figures, self._making = desk, figures, making

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with self._desk.place():
            answer = Answer(send)
            try:
                await in_time(self._desk.limits.timeout, self._answer(scope, receive, answer))
            except TtskitError as error:
                if not answer.begun:
                    raise
                progress.note(f"{scope['path']}: {error}")  # the client sees that it is cut short

    async def _answer(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        started, asked = time.monotonic(), Request(scope, receive)
        wanted = request.read(await _body(asked))
        name, speaker = self._desk.speaker(wanted)
        media, chunks = self._making(speaker, wanted)

        def begun() -> None:
            self._figures.waited(time.monotonic() - started)
            self._figures.count("ttskit_characters_total", len(wanted.input), voice=name)

        if not await while_there(_gone(asked), answer(media, self._desk.each(chunks), begun)):
            self._figures.count("ttskit_abandoned_total")


class Answer:
    """A response that begins with its first bytes: until then an error can take its place."""

    def __init__(self, send: Send) -> None:
        self._send, self.begun = send, False

    async def __call__(
        self, media: str, chunks: AsyncGenerator[bytes], begun: Callable[[], None]
    ) -> None:
        """Send chunks as they come, the empty ones left out; call `begun` before the first one."""
        async with aclosing(chunks) as made:
            async for chunk in made:
                if chunk and not self.begun:
                    begun()
                    await self._begin(media)
                if chunk:
                    await self._send(_part(chunk, more=True))
        await self._send(_part(b"", more=False))

    async def _begin(self, media: str) -> None:
        self.begun = True
        kind, kept = (b"content-type", media.encode()), (b"cache-control", b"no-store")
        head = {"type": "http.response.start", "status": 200, "headers": [kind, kept]}
        await self._send(head)


def _part(chunk: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _gone(asked: Request) -> None:
    """Wait until the client goes away."""
    while (await asked.receive())["type"] != "http.disconnect":
        pass


async def _body(asked: Request) -> bytes:
    """Return the body of a request; refuse what is none of JSON, or too large."""
    if asked.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise refusal.NotJson("needs JSON: send the header Content-Type: application/json")
    body = bytearray()
    async for chunk in asked.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise refusal.TooLarge(f"the body has more than {MOST_BODY} bytes")
    return bytes(body)


def _events(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield audio as the events that OpenAI's interface streams."""
    for chunk in chunks:
        if chunk:
            yield _event({"type": "speech.audio.delta", "audio": b64encode(chunk).decode()})
    yield _event({"type": "speech.audio.done"})


def _timing_events(answers: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Yield answers as events; only the last one is not of a line alone."""
    for answer in answers:
        kind = "line" if "samples" in answer else "done"
        yield _event({"type": f"speech.timing.{kind}", **answer})


def _json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()


def _event(values: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(values)}\n\n".encode()


async def refused(_: Request, error: Exception) -> Response:
    """Answer by an error that the client can mend."""
    assert isinstance(error, TtskitError)
    headers = {"Retry-After": "1"} if isinstance(error, refusal.Busy) else None
    return JSONResponse(refusal.as_json(error), refusal.code(error), headers)


async def misplaced(asked: Request, error: Exception) -> Response:
    """Answer that there is no such path, or not by this method."""
    assert isinstance(error, HTTPException)
    message = f"{asked.method} {asked.url.path}: {error.detail.lower()}"
    body = refusal.as_json(refusal.Refusal(message))
    return JSONResponse(body, error.status_code, error.headers)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": request.MODEL}


def _voice(name: str, speaker: Speaker) -> dict[str, Any]:
    facts = {key: value for key, value in speaker.facts.items() if key != "path"}
    pitch = "pitch" in speaker.voice.chain.cascade.takes
    return {"id": name, "object": "voice", **facts, "pitch": pitch}


def _file(package: str, name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = files(package).joinpath(name).read_text(encoding="utf-8")

    async def answer(_: Request) -> Response:
        return Response(content, media_type=kind, headers={"Content-Security-Policy": POLICY})

    return answer


def _closing(desk: Desk) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.close()

    return lifespan
