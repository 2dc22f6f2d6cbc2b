"""Signing in: by password, by a one-time link, by an invitation; and signing out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response

from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField, NotAllowed, NotFound
from goldvein.identity import service
from goldvein.identity.access import (
    SESSION_COOKIE,
    Runtime,
    RuntimeDep,
    client_address,
    need_same_origin,
    session_actor,
)
from goldvein.identity.tables import Membership
from goldvein.web.forms import FilledForm, Text, refused
from goldvein.web.rendering import render
from goldvein.web.viewer import HOME, local_path, see_other

router = APIRouter()

_NEXT = Annotated[str, Form(alias="next")]
_WRONG: Final = "The e-mail address or the password is not right."
_LINK: Final = "link, or it has been used or is too old"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    """An organisation a person may sign in to, with the link that does it."""

    tenant_name: str
    link: str


@router.get("/sign-in")
def show_sign_in(request: Request) -> Response:
    """The form; whoever is signed in already may sign in again, as someone else."""
    next_path = local_path(request.query_params.get("next", HOME))
    return render(request, "sign_in.html", form=FilledForm(), wrong="", next_path=next_path)


@router.post("/sign-in")
def sign_in(
    request: Request, runtime: RuntimeDep, email: Text = "", password: Text = "", next_path: _NEXT = HOME
) -> Response:
    """Sign in by password. An unknown person and a wrong password get the same answer and cost the same time."""
    _need_own_form(request, runtime)
    next_path = local_path(next_path)
    runtime.limiter.count_sign_in(client_address(request), email)
    with runtime.database.read_across_tenants() as session:
        memberships = service.check_password(session, email, password)
    if not memberships:
        form = FilledForm(values={"email": email})
        return render(request, "sign_in.html", status=401, form=form, wrong=_WRONG, next_path=next_path)
    names = [_tenant_name(runtime, membership) for membership in memberships]
    with runtime.database.write_across_tenants() as session:
        if len(memberships) == 1:
            return _signed_in(runtime, session, memberships[0], next_path)
        links = [_choice_link(runtime, session, membership) for membership in memberships]
    choices = [_Choice(tenant_name=name, link=link) for name, link in zip(names, links, strict=True)]
    return render(request, "choose_organisation.html", choices=choices, next_path=next_path)


@router.post("/sign-in/organisation")
def choose_organisation(request: Request, runtime: RuntimeDep, link: Text = "", next_path: _NEXT = HOME) -> Response:
    """Sign in to one of several organisations; the choice carries a one-time link instead of the password."""
    _need_own_form(request, runtime)
    return _follow_link(runtime, link, "choice", local_path(next_path))


@router.post("/sign-out")
def sign_out(request: Request, runtime: RuntimeDep) -> Response:
    """End this browser's session; without one, there is nothing to end."""
    _need_own_form(request, runtime)
    actor = session_actor(request, runtime)
    if actor is not None:
        with runtime.database.write(actor.tenant_id) as session:
            service.end_session(session, actor, actor.credential_id)
    response = see_other("/sign-in", done="signed_out")
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@router.get("/login/{token}")
def follow_login_link(request: Request, runtime: RuntimeDep, token: str) -> Response:
    """Sign in by a link that works once. A browser that only looks ahead gets nothing and leaves the link as it is."""
    if _only_looks_ahead(request):
        return Response(status_code=204)
    return _follow_link(runtime, token, "login", local_path(request.query_params.get("next", HOME)))


@router.get("/welcome/{token}")
def show_welcome(request: Request, runtime: RuntimeDep, token: str) -> Response:
    """Ask for the password an invitation or a reset needs; looking does not use the link up."""
    return _welcome_page(request, runtime, token, FilledForm())


@router.post("/welcome/{token}")
def welcome(request: Request, runtime: RuntimeDep, token: str, password: Text = "") -> Response:
    """Accept an invitation or set a new password, and sign in. A refused password leaves the link as it is."""
    _need_own_form(request, runtime)
    runtime.limiter.count_sign_in(client_address(request), token)
    try:
        with runtime.database.write_across_tenants() as session:
            link, membership = service.open_link(session, runtime.server_key, token, now=runtime.now(), use=True)
            if link.purpose == "invitation":
                service.accept_invitation(session, membership, password, runtime.now())
            elif link.purpose == "reset":
                service.reset_password(session, membership, password)
            else:
                raise NotFound(what=_LINK)
            return _signed_in(runtime, session, membership, HOME)
    except InvalidField as error:
        return _welcome_page(request, runtime, token, refused({}, error))


def _welcome_page(request: Request, runtime: Runtime, token: str, form: FilledForm) -> Response:
    with runtime.database.read_across_tenants() as session:
        link, membership = service.open_link(session, runtime.server_key, token, now=runtime.now(), use=False)
        if link.purpose not in {"invitation", "reset"}:
            raise NotFound(what=_LINK)
        email = service.person_of(session, membership.person_id).email
    tenant_name = _tenant_name(runtime, membership)
    values = {"token": token, "purpose": link.purpose, "email": email, "tenant_name": tenant_name, "form": form}
    return render(request, "welcome.html", status=422 if form.errors else 200, **values)


def _follow_link(runtime: Runtime, token: str, purpose: str, next_path: str) -> Response:
    with runtime.database.write_across_tenants() as session:
        link, membership = service.open_link(session, runtime.server_key, token, now=runtime.now(), use=True)
        if link.purpose != purpose:
            raise NotFound(what=_LINK)
        return _signed_in(runtime, session, membership, next_path)


def _signed_in(runtime: Runtime, session: TenantSession, membership: Membership, next_path: str) -> Response:
    """Start a session and send its cookie. The response leaves after the transaction has committed."""
    if not service.is_active(membership):
        raise NotAllowed(rule="This person is not an active member of the organisation")
    lifetime = timedelta(days=runtime.settings.session_days)
    token = service.start_session(session, runtime.server_key, membership, now=runtime.now(), lifetime=lifetime)
    response = see_other(next_path)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=runtime.settings.base_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return response


def _tenant_name(runtime: Runtime, membership: Membership) -> str:
    with runtime.database.read(membership.tenant_id) as session:
        return service.tenant_of(session).name


def _choice_link(runtime: Runtime, session: TenantSession, membership: Membership) -> str:
    return service.make_link(session, runtime.server_key, membership, "choice", now=runtime.now())


def _need_own_form(request: Request, runtime: Runtime) -> None:
    """Refuse a form that another site sent: it could sign a person in as someone else without their knowing."""
    need_same_origin(request.method, request.headers, runtime.settings.base_url, str(request.base_url))


def _only_looks_ahead(request: Request) -> bool:
    purposes = (request.headers.get(name, "").lower() for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    return any(word in purpose for purpose in purposes for word in ("prefetch", "prerender", "preview"))
