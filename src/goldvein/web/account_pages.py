"""Preferences: consent, display, keys, browsers, and what was captured from me."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field

from goldvein.consent import service as consent
from goldvein.consent.tables import ConsentEvent
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField, NotFound, StaleRevision
from goldvein.examples import service as examples
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, RuntimeDep
from goldvein.identity.actor import scopes_of
from goldvein.identity.keys import SCOPES
from goldvein.identity.service import NewKey, key_is_live
from goldvein.identity.tables import ApiKey
from goldvein.me import withdrawal
from goldvein.me.api import choose
from goldvein.skills import service as skills
from goldvein.web.forms import FilledForm, SentForm, Text, count_in, end_of_day, need_id, refused, whole_number
from goldvein.web.rendering import notice_html, render
from goldvein.web.viewer import Viewer, ViewerDep, see_other

router = APIRouter()

_CAPTURED_A_PAGE = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class _KeyView:
    """A key with the state it is in now."""

    row: ApiKey
    is_live: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Captured:
    """A page of what was captured from a person."""

    examples: list[TrainingExample]
    skill_names: dict[str, str]
    total: int
    page: int
    pages: int


class _ConsentForm(SentForm):
    """A choice about consent, with what the page it was made on had shown."""

    training_data_consent: str = ""
    consent_revision: str = ""
    notice_version: str = ""


class _KeyForm(SentForm):
    """A key to make."""

    name: str = ""
    scopes: list[str] = Field(default_factory=list)
    kind: str = "personal"
    expires_on: str = ""
    requires_signature: str = ""


@router.get("/preferences")
def show_preferences(request: Request, viewer: ViewerDep, runtime: RuntimeDep, page: str = "1") -> Response:
    """Show the notice before the choice, then everything else that is mine."""
    return _preferences_page(request, viewer, runtime, page=max(1, count_in(page)))


def _preferences_page(
    request: Request,
    viewer: Viewer,
    runtime: Runtime,
    *,
    status: int = 200,
    page: int = 1,
    conflict: str = "",
    key_form: FilledForm | None = None,
) -> Response:
    actor, now = viewer.actor, runtime.now()
    version, text = consent.builtin_notice()
    with runtime.database.read(actor.tenant_id) as session:
        consented, revision = consent.person_state(session, actor.person_id, now)
        latest = consent.consent_event(session, actor.person_id)
        values = {
            "capture_is_on": consent.capture_is_on(session),
            "display": identity.member(session, actor.person_id).display,
            "keys": [_KeyView(row=key, is_live=key_is_live(key, now)) for key in _keys(session, viewer)],
            "sessions": identity.sessions_of(session, actor.person_id, now),
            "captured": _captured(session, actor.person_id, page),
            "covered_skills": _covered_skills(session, latest),
        }
    return render(
        request,
        "preferences.html",
        status=status,
        conflict=conflict,
        notice=notice_html(text),
        notice_version=version,
        consented=consented,
        consent_revision=revision,
        consent_event=latest,
        key_form=key_form or FilledForm(),
        scopes=[scope for scope in SCOPES if scope in scopes_of(actor.role)],
        **values,
    )


def _keys(session: TenantSession, viewer: Viewer) -> list[ApiKey]:
    return identity.keys_of(session, viewer.actor.person_id)


def _covered_skills(session: TenantSession, event: ConsentEvent | None) -> list[str]:
    """The names of the skills a consent is limited to; empty when it is for all."""
    skill_ids = event.skill_ids if event is not None and event.skill_ids is not None else []
    return list(_skill_names(session, skill_ids).values())


def _skill_names(session: TenantSession, skill_ids: list[str]) -> dict[str, str]:
    return {skill_id: _skill_name(session, skill_id) for skill_id in skill_ids}


def _skill_name(session: TenantSession, skill_id: str) -> str:
    """The name of a skill; a consent may name one that was deleted since, and must still be shown and withdrawn."""
    try:
        return skills.find_skill(session, skill_id).name
    except NotFound:
        return "a deleted skill"


def _captured(session: TenantSession, person_id: str, page: int) -> _Captured:
    found = [example for example in examples.captured_from(session, person_id) if example.example_input is not None]
    pages = max(1, -(-len(found) // _CAPTURED_A_PAGE))
    page = min(page, pages)
    shown = found[(page - 1) * _CAPTURED_A_PAGE : page * _CAPTURED_A_PAGE]
    names = _skill_names(session, sorted({example.skill_id for example in shown}))
    return _Captured(examples=shown, skill_names=names, total=len(found), page=page, pages=pages)


# Consent


@router.post("/preferences/consent")
def choose_consent(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_ConsentForm, Form()]
) -> Response:
    """Store what the box says: ticked gives, unticked withdraws, and what is so already changes nothing.

    The form carries what it was made from: with another consent or another notice in force meanwhile, nothing is
    stored and the page shows what is so now.
    """
    give, expected = bool(sent.training_data_consent), _revision(sent.consent_revision)
    with runtime.database.read(viewer.actor.tenant_id) as session:
        consented, current = consent.person_state(session, viewer.actor.person_id, runtime.now())
    if give == consented and expected == current:
        return see_other("/preferences", done="consent_unchanged")
    options = {"notice_version": sent.notice_version} if give else {}
    try:
        erased = choose(runtime, viewer.actor, give=give, expected_seq=expected, **options)
    except StaleRevision as conflict:
        return _preferences_page(request, viewer, runtime, status=409, conflict=conflict.message)
    if give:
        return see_other("/preferences", done="consent_given")
    return see_other("/preferences", done="consent_withdrawn", count=erased)


@router.post("/preferences/consent/withdraw")
def withdraw(viewer: ViewerDep, runtime: RuntimeDep) -> Response:
    """Withdraw with one click. A no is never stale: it holds whatever has changed since the page was made."""
    erased = choose(runtime, viewer.actor, give=False)
    return see_other("/preferences", done="consent_withdrawn", count=erased)


@router.post("/preferences/consent/renew")
def renew(request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_ConsentForm, Form()]) -> Response:
    """Give the consent that is in force once more, for the same purposes and skills, so that it lasts longer."""
    expected = _revision(sent.consent_revision)
    with runtime.database.read(viewer.actor.tenant_id) as session:
        latest = consent.consent_event(session, viewer.actor.person_id)
        consented, _ = consent.person_state(session, viewer.actor.person_id, runtime.now())
    if latest is None or not consented:
        return _preferences_page(request, viewer, runtime, status=409, conflict=StaleRevision(current={}).message)
    options = {"purposes": latest.purposes, "skill_ids": latest.skill_ids, "notice_version": sent.notice_version}
    try:
        choose(runtime, viewer.actor, give=True, expected_seq=expected, **options)
    except StaleRevision as conflict:
        return _preferences_page(request, viewer, runtime, status=409, conflict=conflict.message)
    return see_other("/preferences", done="consent_renewed")


def _revision(text: str) -> int:
    revision = whole_number("consent_revision", text)
    if revision is None:
        raise InvalidField(field="consent_revision", reason="missing; open the page again")
    return revision


@router.post("/preferences/display")
def choose_display(viewer: ViewerDep, runtime: RuntimeDep, display: Text = "") -> Response:
    """Choose what authors see of me at captured examples."""
    with runtime.database.write(viewer.actor.tenant_id) as session:
        identity.choose_display(session, viewer.actor, display)
    return see_other("/preferences", fragment="display", done="display_chosen")


# What was captured from me


@router.post("/preferences/data/erase")
def erase_all(viewer: ViewerDep, runtime: RuntimeDep) -> Response:
    """Erase everything captured from me; the consent stays as it is, and the page says so."""
    return _erase(viewer, runtime, None)


@router.post("/preferences/data/{example_id}/erase")
def erase_one(viewer: ViewerDep, runtime: RuntimeDep, example_id: str) -> Response:
    """Erase one example captured from me."""
    return _erase(viewer, runtime, need_id(example_id, "training example captured from you"))


def _erase(viewer: Viewer, runtime: Runtime, example_id: str | None) -> Response:
    with runtime.database.write(viewer.actor.tenant_id) as session:
        removed = withdrawal.erase(session, viewer.actor, now=runtime.now(), example_id=example_id)
    return see_other("/preferences", fragment="captured", done="data_erased", count=removed.erased_examples)


# Keys and browsers


@router.post("/preferences/keys")
def create_key(request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_KeyForm, Form()]) -> Response:
    """Make a key and show it, this once: the answer is a page of its own and no redirect."""
    try:
        expires_at = end_of_day("expires_on", sent.expires_on)
        with runtime.database.write(viewer.actor.tenant_id) as session:
            new = identity.create_key(
                session,
                runtime.server_key,
                viewer.actor,
                name=sent.name,
                scopes=sent.scopes,
                now=runtime.now(),
                kind=sent.kind,
                expires_at=expires_at,
                requires_signature=bool(sent.requires_signature),
            )
    except InvalidField as error:
        ticked = {f"scope_{scope}": "on" for scope in sent.scopes}
        form = refused({**sent.typed(), **ticked}, _at_form_field(error))
        return _preferences_page(request, viewer, runtime, status=422, key_form=form)
    return _show_new_key(request, new)


def _at_form_field(error: InvalidField) -> InvalidField:
    """The form asks for a day where the service knows a moment."""
    return InvalidField(field="expires_on", reason="a day in the future") if error.field == "expires_at" else error


@router.post("/preferences/keys/{key_id}/rotate")
def rotate_key(request: Request, viewer: ViewerDep, runtime: RuntimeDep, key_id: str) -> Response:
    """Replace a key of mine and show the new one, this once."""
    with runtime.database.write(viewer.actor.tenant_id) as session:
        new = identity.rotate_key(session, runtime.server_key, viewer.actor, need_id(key_id, "key"), runtime.now())
    return _show_new_key(request, new, rotated=True)


def _show_new_key(request: Request, new: NewKey, *, rotated: bool = False) -> Response:
    return render(
        request,
        "new_key.html",
        status=201,
        key=new.row,
        text=new.token.text,
        signing_secret=new.signing_secret,
        rotated=rotated,
    )


@router.post("/preferences/keys/{key_id}/revoke")
def revoke_key(viewer: ViewerDep, runtime: RuntimeDep, key_id: str) -> Response:
    """Revoke a key of mine at once."""
    with runtime.database.write(viewer.actor.tenant_id) as session:
        identity.revoke_key(session, viewer.actor, need_id(key_id, "key"), runtime.now())
    return see_other("/preferences", fragment="keys", done="key_revoked")


@router.post("/preferences/sessions/{session_id}/end")
def end_session(viewer: ViewerDep, runtime: RuntimeDep, session_id: str) -> Response:
    """Sign out one browser of mine; this one too."""
    with runtime.database.write(viewer.actor.tenant_id) as session:
        identity.end_session(session, viewer.actor, need_id(session_id, "session"))
    if session_id == viewer.actor.credential_id:
        return see_other("/sign-in", done="signed_out")
    return see_other("/preferences", fragment="sessions", done="session_ended")
