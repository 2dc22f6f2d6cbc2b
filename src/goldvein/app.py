"""The application: every slice's routes, the hot path before them, one shape for every error."""

import contextlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goldvein import background
from goldvein.capture import api as capture_api
from goldvein.capture.hot_path import Doors
from goldvein.consent import api as consent_api
from goldvein.datasets import api as datasets_api
from goldvein.db.migrate import current_revision, newest_revision, refuse_unsafe_store
from goldvein.errors import (
    Conflict,
    GoldveinError,
    InvalidField,
    NotConfigured,
    NotFound,
    NotSanitized,
    StoreUnavailable,
)
from goldvein.examples import api as examples_api
from goldvein.feedback import api as feedback_api
from goldvein.identity import api as identity_api
from goldvein.identity.access import WHOLE_BODY, Runtime, bearer_token, client_address
from goldvein.jobs.worker import shown as jobs_shown
from goldvein.me import api as me_api
from goldvein.me import endings
from goldvein.policy import api as policy_api
from goldvein.reports import api as reports_api
from goldvein.results import api as results_api
from goldvein.sanitizer import MAX_TEXT_CHARS, NamesUnavailable, SanitizerFailed, TextTooLong, need_names
from goldvein.settings import VERSION
from goldvein.skills import api as skills_api
from goldvein.web import pages
from goldvein.webhooks import api as webhooks_api
from goldvein.wire import (
    INTERNAL_ERROR,
    SECURITY_HEADERS,
    error_object,
    headers_of,
    read_body,
    send_json,
    status_of,
)

MAX_BODY_BYTES = 1024 * 1024
log = structlog.get_logger()


def _load_names() -> None:
    """Load the language models now: what an operator asks for and is not there must not show at the first capture."""
    try:
        need_names()
    except NamesUnavailable as error:
        raise NotConfigured(what='GOLDVEIN_SANITIZER_NAMES needs `pip install "goldvein[ner]"`') from error


def create_app(runtime: Runtime) -> FastAPI:
    """Build the application on an open runtime; refuses a store that is not safe to serve from."""
    refuse_unsafe_store(runtime.database.engine, allow_owner=runtime.settings.allow_database_owner)
    if runtime.settings.sanitizer_names:
        _load_names()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if runtime.settings.worker_in_serve:
            jobs = background.worker(runtime)
            runtime.at_close(jobs.stop)
            jobs.start()
        yield
        runtime.close()

    app = FastAPI(
        title="goldvein",
        version=VERSION,
        description="Golden datasets from real use of AI skills, with consent.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would redirect to whatever host the request names
    )
    app.state.runtime = runtime
    for slice_api in (
        identity_api,
        policy_api,
        skills_api,
        consent_api,
        feedback_api,
        examples_api,
        capture_api,
        datasets_api,
        results_api,
        me_api,
        endings,
        reports_api,
        webhooks_api,
    ):
        app.include_router(slice_api.router)
    _add_operations(app, runtime)
    pages.mount(app)
    for kind in (
        GoldveinError,
        RequestValidationError,
        HTTPException,
        IntegrityError,
        TextTooLong,
        SanitizerFailed,
        Exception,
    ):
        app.add_exception_handler(kind, _answer_error)
    _describe(app)
    app.add_middleware(Edge, runtime=runtime)
    return app


def _add_operations(app: FastAPI, runtime: Runtime) -> None:
    @app.get("/healthz", tags=["operations"])
    def healthz() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "ok", "version": VERSION}

    @app.get("/readyz", tags=["operations"])
    def readyz() -> JSONResponse:
        """Tell whether the store answers and has this release's schema."""
        try:
            with runtime.database.engine.connect() as connection:
                ready = current_revision(connection) == newest_revision()
        except Exception:  # noqa: BLE001 (whatever is wrong with the store, the answer is: not ready)
            ready = False
        return JSONResponse({"status": "ready" if ready else "not ready"}, status_code=200 if ready else 503)

    @app.get("/metrics", tags=["operations"], response_class=Response)
    def metrics(request: Request) -> Response:
        """Counters in the Prometheus text format, over all tenants: for the operator, by address or by token."""
        if not _is_operator(request, runtime):
            raise NotFound(what="page or route")
        text = runtime.metrics.shown()
        with contextlib.suppress(StoreUnavailable):  # the counters of this process are shown without the store, too
            text += jobs_shown(runtime.database)
        return Response(text, media_type="text/plain; version=0.0.4")


def _is_operator(request: Request, runtime: Runtime) -> bool:
    """With GOLDVEIN_METRICS_TOKEN set, whoever has it; without, whoever asks from this machine."""
    token = runtime.settings.metrics_token
    if token:
        given = bearer_token(request.headers.get("authorization")) or ""
        return hmac.compare_digest(given.encode(), token.encode())
    return client_address(request) in {"127.0.0.1", "::1"}


def _answer_error(request: Request, error: Exception) -> Response:
    status, content, headers = _describe_error(error)
    if isinstance(error, SanitizerFailed):
        request.app.state.runtime.metrics.sanitizer_failures.inc()
    if status >= 500:  # noqa: PLR2004
        log.error("request_failed", method=request.method, status=status, exc_info=error)
    if pages.wants_page(request):
        return pages.error_page(request, status, content["error"])
    return JSONResponse(content, status_code=status, headers=headers)


def _describe_error(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    ours = _as_ours(error)
    if ours is not None:
        return status_of(ours), error_object(ours), headers_of(ours)
    if isinstance(error, HTTPException):
        content = {"code": "http_error", "message": str(error.detail), "details": {}}
        return error.status_code, {"error": content}, dict(error.headers or {})
    return 500, INTERNAL_ERROR, {}


def _as_ours(error: Exception) -> GoldveinError | None:
    """What the framework's, the driver's and the sanitizer's errors mean in our words; None for a bug of ours."""
    ours: GoldveinError | None = None
    match error:
        case GoldveinError():
            ours = error
        case RequestValidationError():
            ours = _invalid_field(error.errors()[0])
        case TextTooLong():
            ours = InvalidField(field="body", reason=f"a text of more than {MAX_TEXT_CHARS} characters")
        case SanitizerFailed():
            ours = NotSanitized()
        case HTTPException(status_code=404):
            ours = NotFound(what="page or route")
        case HTTPException(status_code=400):
            ours = InvalidField(field="body", reason="a JSON object in UTF-8, not nested too deeply")
        case IntegrityError() if "unique" in str(error.orig).lower():
            ours = Conflict()  # two at once made the same thing; the other one has committed
    return ours


def _invalid_field(problem: dict[str, Any]) -> InvalidField:
    if problem["type"] == "extra_forbidden":  # its place is a name from outside: not repeated
        return InvalidField(field="body", reason="has a field that this route does not know")
    if problem["type"] == "json_invalid":
        return InvalidField(field="body", reason="not valid JSON")
    place = ".".join(str(part) for part in problem["loc"][1:]) or "body"
    return InvalidField(field=place, reason=str(problem["msg"]))  # pydantic's words, which never quote the value


def _describe(app: FastAPI) -> None:
    standard: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = standard()
            document["paths"].update(capture_api.describe_doors())
            document.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


class Edge:
    """The outermost layer: the doors of the hot path, body limits, security headers, measurements.

    Every request is measured; the doors do so themselves, and write no log line: hooks fire on every tool call.
    """

    def __init__(self, app: ASGIApp, *, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime
        self._doors = Doors(runtime).by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        door = self._doors.get(scope["path"]) if scope["method"] == "POST" else None
        if door is not None:
            await door(scope, receive, send)
            return
        started, seen = time.perf_counter(), {"status": 500}
        watched = self._with_headers(send, seen)
        try:
            body = await read_body(scope, receive, limit_bytes=MAX_BODY_BYTES)
            scope[WHOLE_BODY] = body
            await self._app(scope, _replay(body, receive), watched)
        except GoldveinError as error:  # of reading the body; those of the application are answered inside it
            await send_json(watched, status_of(error), error_object(error), headers_of(error))
        finally:
            self._observe(scope, seen["status"], time.perf_counter() - started)

    def _with_headers(self, send: Send, seen: dict[str, int]) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in SECURITY_HEADERS.items() if name not in given),
                ]
            await send(message)

        return send_with_headers

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern: never the path itself, which may hold a one-time token.
        route = str(getattr(scope.get("route"), "path", "other"))
        self._runtime.metrics.requests.labels(route=route, status=str(status)).observe(seconds)
        log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 1),
            request_id=secrets.token_hex(8),
        )


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already to the application, then whatever comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_replayed() -> Message:
        return pending.pop() if pending else await receive()

    return receive_replayed
