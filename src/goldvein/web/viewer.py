"""Who looks at a page, and where a page may send them."""

from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from goldvein.errors import NotAuthenticated
from goldvein.identity import service as identity
from goldvein.identity.access import ActorDep, Runtime, RuntimeDep
from goldvein.identity.actor import Actor

HOME: Final = "/skills"


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """A signed-in person with the names that stand in the header of every page."""

    actor: Actor
    person_name: str
    tenant_name: str


def viewer_of(runtime: Runtime, actor: Actor) -> Viewer:
    """The names that belong to an actor."""
    with runtime.database.read(actor.tenant_id) as session:
        person = identity.person_of(session, actor.person_id)
        return Viewer(actor=actor, person_name=person.name, tenant_name=identity.tenant_of(session).name)


def current_viewer(request: Request, actor: ActorDep, runtime: RuntimeDep) -> Viewer:
    """The person of this page. Pages are for browsers: an API key opens none."""
    if actor.channel != "web":
        raise NotAuthenticated
    viewer = viewer_of(runtime, actor)
    request.state.viewer = viewer
    return viewer


ViewerDep = Annotated[Viewer, Depends(current_viewer)]


def local_path(target: str) -> str:
    r"""The path when it stays on this server, else the first page.

    Browsers read `//host`, `/\host` and either with a tab or line end inside as another server's address.
    """
    stays = target.startswith("/") and not target.startswith("//") and "\\" not in target
    if not stays or not target.isprintable() or " " in target:
        return HOME
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc else target


def see_other(path: str, *, fragment: str = "", **query: str | int) -> RedirectResponse:
    """Send the browser on with GET, so that reloading the answer does not send the form again."""
    known = urlsplit(path)
    kept = "&".join(part for part in known.query.split("&") if part and not part.startswith(("done=", "count=")))
    added = urlencode(query)
    joined = "&".join(part for part in (kept, added) if part)
    address = known.path + (f"?{joined}" if joined else "") + (f"#{fragment}" if fragment else "")
    return RedirectResponse(address, status_code=303)
