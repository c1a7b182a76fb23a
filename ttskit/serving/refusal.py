"""Errors that a client can mend, each with the status of HTTP that it is answered with."""

from __future__ import annotations

from typing import Any

from ttskit.errors import TtskitError


class Refusal(TtskitError):
    """A request that is not answered by speech; `param` is the field to blame, if it is one."""

    code, kind = 400, "invalid_request_error"

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class Unauthorised(Refusal):
    """The token is missing or wrong, or the server is asked for by another name."""

    code, kind = 401, "authentication_error"


class Unknown(Refusal):
    """There is no such model or page."""

    code = 404


class TooLarge(Refusal):
    """The body is larger than any request."""

    code = 413


class NotJson(Refusal):
    """The body is of another type."""

    code = 415


class Busy(Refusal):
    """More is asked for at once than the server takes; to be tried again."""

    code, kind = 503, "server_error"


class TooLong(Refusal):
    """The request takes longer than the server lets any."""

    code, kind = 504, "server_error"


def as_json(error: TtskitError) -> dict[str, Any]:
    """Return an error as OpenAI's interface words it."""
    kind, param = Refusal.kind, None
    if isinstance(error, Refusal):
        kind, param = error.kind, error.param
    message = str(error).encode("utf-8", "backslashreplace").decode()  # half a surrogate pair
    return {"error": {"message": message, "type": kind, "param": param, "code": None}}


def code(error: TtskitError) -> int:
    """Return the status of HTTP for an error: anything that the house refuses is a bad request."""
    return error.code if isinstance(error, Refusal) else Refusal.code
