"""The gate: who may ask, and a count of how everybody was answered."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from ttskit.serving import refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ttskit.serving.figures import Figures


class Gate:
    """Lets requests pass to an application that bear its token, and call it by one of its names.

    A page of another site could have its own name lead to this machine, and so ask a server that
    answers to any name.
    """

    def __init__(
        self,
        app: ASGIApp,
        figures: Figures,
        token: str,
        hosts: Collection[str],
        free: Collection[str],
    ) -> None:
        self._app, self._figures = app, figures
        self._token, self._hosts, self._free = token.encode(), hosts, free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                status = message["status"]
                self._figures.count("ttskit_requests_total", route=route, status=status)
            await send(message)

        app: ASGIApp = self._app
        if error := self._refusal(Headers(scope=scope), scope["path"]):
            headers = {"WWW-Authenticate": "Bearer"} if error.code == 401 else None
            app = JSONResponse(refusal.as_json(error), error.code, headers)
        await app(scope, receive, counted)

    def _refusal(self, headers: Headers, path: str) -> refusal.Refusal | None:
        host = headers.get("host", "").rpartition("@")[2]
        name = host[: host.rfind("]") + 1] or host.partition(":")[0]
        if self._hosts and name not in self._hosts:
            return refusal.Refusal(f"no server of the name {name!r:.60}: ask {self._hosts}")
        kind, _, token = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(token.strip().encode(), self._token)
        if self._token and path not in self._free and not (kind.lower() == "bearer" and right):
            return refusal.Unauthorised("needs the header Authorization: Bearer TOKEN")
        return None
