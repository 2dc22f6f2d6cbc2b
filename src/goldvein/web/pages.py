"""The web pages: where they are mounted, and what a page says when something went wrong."""

from os import PathLike, stat_result
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from goldvein.errors import GoldveinError
from goldvein.identity.access import runtime_of, session_actor
from goldvein.web import account_pages, admin_pages, api_reference, sign_in, skill_pages, training_pages
from goldvein.web.rendering import STATIC_FOLDER, render
from goldvein.web.viewer import HOME, see_other, viewer_of

_NOT_PAGES: Final = frozenset({"api", "v1", "static", "healthz", "readyz", "metrics", "openapi.json"})
_A_YEAR, _AN_HOUR = "public, max-age=31536000, immutable", "public, max-age=3600"
_TITLES: Final = {
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Changed meanwhile",
    413: "Too large",
    422: "Not valid",
    429: "Too many tries",
    503: "Not available now",
}
_UNAUTHENTICATED, _BROKEN = 401, 500


class _StaticFiles(StaticFiles):
    """Files that a browser may keep: for long where the address holds their version."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file with how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = _A_YEAR if scope["query_string"].startswith(b"v=") else _AN_HOUR
        return response


def mount(app: FastAPI) -> None:
    """Add the pages and their static files to the application; they are no part of the API's description."""

    @app.get("/", include_in_schema=False)
    def first_page(request: Request) -> Response:
        signed_in = session_actor(request, runtime_of(request)) is not None
        return RedirectResponse(HOME if signed_in else "/sign-in", status_code=303)

    for part in (sign_in, skill_pages, training_pages, account_pages, admin_pages, api_reference):
        app.include_router(part.router, include_in_schema=False)
    app.mount("/static", _StaticFiles(directory=STATIC_FOLDER), name="static")


def wants_page(request: Request) -> bool:
    """Whether the request is one for a page, so that an error is shown as a page too."""
    return request.url.path.lstrip("/").split("/", 1)[0] not in _NOT_PAGES


def error_page(request: Request, status: int, error: dict[str, Any]) -> Response:
    """What went wrong, calmly, and where to go next. Who is not signed in is asked to, and comes back here."""
    if status == _UNAUTHENTICATED and request.method == "GET":
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return see_other("/sign-in", next=here)
    if status < _BROKEN:
        _recognise(request)
    current = error["details"].get("current", {})
    title = _TITLES.get(status, "Something went wrong")
    response = render(request, "error.html", status=status, title=title, message=error["message"], current=current)
    if "retry_after_seconds" in error["details"]:
        response.headers["retry-after"] = str(error["details"]["retry_after_seconds"])
    return response


def _recognise(request: Request) -> None:
    """Put the person's own navigation on the page, if the request did not get as far as finding out who it is."""
    if hasattr(request.state, "viewer"):
        return
    runtime = runtime_of(request)
    try:
        actor = session_actor(request, runtime)
        if actor is not None:
            request.state.viewer = viewer_of(runtime, actor)
    except GoldveinError:
        return  # the page is about another error and does not need to know
