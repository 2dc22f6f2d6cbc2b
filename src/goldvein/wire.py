"""What goes over the wire below the web framework: bodies within their size, and errors in one JSON shape.

This is the only place where an error has a number.
"""

import asyncio
import json
from typing import Final

from starlette.types import Receive, Scope, Send

from goldvein import errors

BODY_SECONDS: Final = 20  # a sender that stalls holds a connection, and nothing else, for this long

SECURITY_HEADERS: Final = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self';"
    b" form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_JSON_HEADERS: Final = [*SECURITY_HEADERS.items(), (b"content-type", b"application/json")]

_STATUS: dict[type[errors.GoldveinError], int] = {
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.VersionSuperseded: 410,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.InvalidInput: 422,
    errors.TooManyRequests: 429,
    errors.NotSanitized: 500,
    errors.NotConfigured: 500,
    errors.StoreUnavailable: 503,
}

INTERNAL_ERROR = {
    "error": {"code": "internal_error", "message": "Something went wrong on our side; it was logged.", "details": {}}
}


def status_of(error: errors.GoldveinError) -> int:
    """The HTTP status of an error: that of the nearest class in its ancestry."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def error_object(error: errors.GoldveinError) -> dict[str, object]:
    """The one shape of every error answer."""
    return {"error": {"code": error.code, "message": error.message, "details": error.details}}


def headers_of(error: errors.GoldveinError) -> dict[str, str]:
    """What a client needs beside the body: when to come back, and how to authenticate."""
    if isinstance(error, errors.TooManyRequests | errors.StoreUnavailable):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, errors.NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def encode(content: object) -> bytes:
    """Compact JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


async def read_body(scope: Scope, receive: Receive, *, limit_bytes: int) -> bytes:
    """The whole body; refused while it is read, as soon as it is too large or takes too long."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_body(scope, receive, limit_bytes)
    except TimeoutError:
        refusal = errors.InvalidField(field="body", reason=f"did not arrive within {BODY_SECONDS} seconds")
    raise refusal


async def _read_body(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    announced = dict(scope["headers"]).get(b"content-length", b"")
    if announced.isdigit() and int(announced[:20]) > limit_bytes:
        raise errors.TooLarge(what="body", limit_bytes=limit_bytes)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.InvalidField(field="body", reason="the client went away before it was complete")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit_bytes:
            raise errors.TooLarge(what="body", limit_bytes=limit_bytes)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def send_json(send: Send, status: int, content: object, headers: dict[str, str]) -> None:
    """Answer with JSON."""
    await send_bytes(send, status, encode(content), headers)


async def send_bytes(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    """Answer with JSON that is bytes already."""
    lines = [*_JSON_HEADERS, (b"content-length", str(len(body)).encode())]
    if headers:
        lines += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
