"""Preferences: consent, display, keys, browsers, and what was captured from me."""

from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field

from goldvein.consent import service as consent
from goldvein.consent.api import languages_of
from goldvein.consent.decision import (
    Coverage,
    can_be_withdrawn,
    coverage_of,
    covers_simple_purposes,
    is_in_force,
    leaves_consent,
)
from goldvein.consent.notices import (
    edition_in_force,
    notice_in_force,
    notices_in_force,
    record_shown,
    requests_to,
)
from goldvein.consent.tables import ConsentEvent, ConsentRequest
from goldvein.datasets.versions import versions_holding
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField, NotAllowed, NotFound, StaleRevision
from goldvein.examples import service as examples
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, RuntimeDep
from goldvein.identity.actor import Actor, scopes_of
from goldvein.identity.keys import SCOPES
from goldvein.identity.service import NewKey, key_is_live
from goldvein.identity.tables import ApiKey
from goldvein.me import endings
from goldvein.me.api import choose, data_of, erase, get_receipt, refuse
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
    held_in: dict[str, list[str]]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _SkillChoice:
    """One skill, with whether the consent in force is for it and how much is held that was captured at it."""

    id: str
    name: str
    count: int
    is_covered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _HistoryRow:
    """One consent event as a person reads it."""

    action: str
    at: datetime
    channel: str
    notice: str
    record: str | None = None
    purposes: list[str] = field(default_factory=list)
    only: list[str] | None = None
    but: list[str] | None = None
    until: datetime | None = None


class _ConsentForm(SentForm):
    """A choice about consent, with what the page it was made on had shown."""

    training_data_consent: str = ""
    consent_revision: str = ""
    notice_version: str = ""


class _PurposesForm(_ConsentForm):
    """The same choice, purpose by purpose."""

    purposes: list[str] = Field(default_factory=list)


class _DeletionForm(SentForm):
    """The address of the account that is to be deleted."""

    confirm: str = ""


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
    deletion_form: FilledForm | None = None,
) -> Response:
    actor, now = viewer.actor, runtime.now()
    with runtime.database.read(actor.tenant_id) as session:
        notice = notice_in_force(session, languages_of(request))
        consented, revision = consent.person_state(session, actor.person_id, now)
        latest = consent.consent_event(session, actor.person_id)
        values = {
            "capture_is_on": consent.capture_is_on(session),
            "display": identity.member(session, actor.person_id).display,
            "keys": [_KeyView(row=key, is_live=key_is_live(key, now)) for key in _keys(session, viewer)],
            "sessions": identity.sessions_of(session, actor.person_id, now),
            "captured": _captured(session, actor.person_id, page),
            "skill_choices": _skill_choices(session, actor, latest, now),
            "covered_skills": _names_of(session, latest.skill_ids if latest else None),
            "excepted_skills": _names_of(session, latest.excepted_skill_ids if latest else None),
            "history": _history(session, actor),
            "can_withdraw": can_be_withdrawn(consent.consent_history(session, actor.person_id)),
        }
    record_shown(runtime.database, actor, notice, now)
    return render(
        request,
        "preferences.html",
        status=status,
        conflict=conflict,
        notice=notice,
        notice_text=notice_html(notice.text),
        consented=consented,
        consent_revision=revision,
        consent_event=latest,
        standing=_standing(latest, now, notice.edition),
        key_form=key_form or FilledForm(),
        deletion_form=deletion_form or FilledForm(),
        scopes=[scope for scope in SCOPES if scope in scopes_of(actor.role)],
        **values,
    )


def _standing(latest: ConsentEvent | None, at: datetime, edition: int) -> str:
    """Where a consent stands, in one word of the page's."""
    if latest is None:
        return "never"
    if not leaves_consent(latest):
        return latest.action
    if is_in_force(latest, at, edition):
        return "in_force"
    return "outdated" if covers_simple_purposes(latest, at) else "expired"


def _keys(session: TenantSession, viewer: Viewer) -> list[ApiKey]:
    return identity.keys_of(session, viewer.actor.person_id)


def _skill_choices(
    session: TenantSession, actor: Actor, event: ConsentEvent | None, at: datetime
) -> list[_SkillChoice]:
    """The skills a choice was made for, or from which something is held, each with what can be done about it."""
    counts = examples.count_held(session, actor.person_id)
    coverage = coverage_of(event) if event is not None else Coverage()
    named = {*counts, *(coverage.skill_ids or ()), *coverage.excepted}
    in_force = is_in_force(event, at, edition_in_force(session))
    rows = [
        _SkillChoice(id=one, name=name, count=counts.get(one, 0), is_covered=in_force and coverage.holds(one))
        for one, name in _skill_names(session, sorted(named)).items()
    ]
    return sorted(rows, key=lambda row: row.name.casefold())


def _history(session: TenantSession, actor: Actor) -> list[_HistoryRow]:
    """What happened to my consent and what I was shown, newest first."""
    events: list[ConsentEvent | ConsentRequest] = [*consent.consent_history(session, actor.person_id)]
    shown = sorted([*requests_to(session, actor.person_id), *events], key=lambda row: row.occurred_at)
    return [_history_row(session, row) for row in reversed(shown)]


def _history_row(session: TenantSession, row: ConsentEvent | ConsentRequest) -> _HistoryRow:
    if isinstance(row, ConsentRequest):
        asked = [_skill_name(session, row.skill_id)] if row.skill_id is not None else None
        return _HistoryRow(
            action="requested", at=row.occurred_at, channel=row.channel, notice=row.notice_version, only=asked
        )
    return _HistoryRow(
        action=row.action,
        at=row.occurred_at,
        channel=row.channel,
        notice=row.notice_version,
        record=row.id,
        purposes=row.purposes,
        only=_names_of(session, row.skill_ids),
        but=_names_of(session, row.excepted_skill_ids),
        until=row.expires_at,
    )


def _names_of(session: TenantSession, skill_ids: list[str] | None) -> list[str] | None:
    return None if skill_ids is None else list(_skill_names(session, skill_ids).values())


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
    held_in = versions_holding(session, person_id)
    return _Captured(examples=shown, skill_names=names, held_in=held_in, total=len(found), page=page, pages=pages)


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
    return _choose(request, viewer, runtime, sent, give=give)


def _choose(
    request: Request, viewer: Viewer, runtime: Runtime, sent: _ConsentForm, *, give: bool, **options: Any
) -> Response:
    """Give or withdraw what a form says, if all is as it was when the form was made."""
    if give:
        options["notice_version"] = sent.notice_version
    try:
        erased = choose(runtime, viewer.actor, give=give, expected_seq=_revision(sent.consent_revision), **options)
    except StaleRevision as conflict:
        return _preferences_page(request, viewer, runtime, status=409, conflict=_conflict(conflict))
    if give:
        return see_other("/preferences", done="consent_given")
    return see_other("/preferences", done="consent_withdrawn", count=erased)


def _conflict(conflict: StaleRevision) -> str:
    if "text" in conflict.current:
        return (
            "The notice was replaced while you read it. This is the one in force now; please read it and decide again."
        )
    return conflict.message


@router.post("/preferences/consent/purposes")
def choose_purposes(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_PurposesForm, Form()]
) -> Response:
    """Store a yes or no for each purpose; a no to all of them withdraws. The skills it is for stay as they are."""
    expected = _revision(sent.consent_revision)
    with runtime.database.read(viewer.actor.tenant_id) as session:
        consented, current = consent.person_state(session, viewer.actor.person_id, runtime.now())
        latest = consent.consent_event(session, viewer.actor.person_id)
    before = set(latest.purposes) if consented and latest is not None else set()
    if set(sent.purposes) == before and expected == current:
        return see_other("/preferences", done="consent_unchanged")
    if not sent.purposes:
        return _choose(request, viewer, runtime, sent, give=False)
    return _choose(request, viewer, runtime, sent, give=True, purposes=sent.purposes, same_skills=consented)


@router.post("/preferences/consent/refuse")
def refuse_consent(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_ConsentForm, Form()]
) -> Response:
    """Say no to the notice shown; nobody asks again until the organisation asks for more."""
    expected = _revision(sent.consent_revision)
    try:
        refuse(runtime, viewer.actor, notice_version=sent.notice_version, expected_seq=expected)
    except StaleRevision as conflict:
        return _preferences_page(request, viewer, runtime, status=409, conflict=_conflict(conflict))
    return see_other("/preferences", done="consent_refused")


@router.post("/preferences/consent/skills/{skill_id}/give")
def give_for_skill(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, skill_id: str, sent: Annotated[_ConsentForm, Form()]
) -> Response:
    """Give consent for one skill more."""
    return _choose(request, viewer, runtime, sent, give=True, skill_ids=[_skill_id(viewer, runtime, skill_id)])


@router.post("/preferences/consent/skills/{skill_id}/withdraw")
def withdraw_for_skill(viewer: ViewerDep, runtime: RuntimeDep, skill_id: str) -> Response:
    """Withdraw for one skill with one click, and erase what was captured at it."""
    erased = choose(runtime, viewer.actor, give=False, skill_ids=[_skill_id(viewer, runtime, skill_id)])
    return see_other("/preferences", fragment="by-skill", done="skill_withdrawn", count=erased)


def _skill_id(viewer: Viewer, runtime: Runtime, skill_id: str) -> str:
    with runtime.database.read(viewer.actor.tenant_id) as session:
        return skills.find_skill(session, need_id(skill_id, "skill")).id


@router.post("/preferences/consent/withdraw")
def withdraw(viewer: ViewerDep, runtime: RuntimeDep) -> Response:
    """Withdraw with one click. A no is never stale: it holds whatever has changed since the page was made."""
    erased = choose(runtime, viewer.actor, give=False)
    return see_other("/preferences", done="consent_withdrawn", count=erased)


@router.post("/preferences/consent/renew")
def renew(request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_ConsentForm, Form()]) -> Response:
    """Give the consent that is in force once more, for the same purposes and skills, so that it lasts longer."""
    with runtime.database.read(viewer.actor.tenant_id) as session:
        latest = consent.consent_event(session, viewer.actor.person_id)
        consented, _ = consent.person_state(session, viewer.actor.person_id, runtime.now())
        asked = {purpose for notice in notices_in_force(session) for purpose in notice.purposes}
    if latest is None or not consented:
        return _preferences_page(request, viewer, runtime, status=409, conflict=StaleRevision(current={}).message)
    purposes = [purpose for purpose in latest.purposes if purpose in asked]
    answer = _choose(request, viewer, runtime, sent, give=True, purposes=purposes, same_skills=True)
    return answer if answer.status_code != HTTPStatus.SEE_OTHER else see_other("/preferences", done="consent_renewed")


def _revision(text: str) -> int:
    revision = whole_number("consent_revision", text)
    if revision is None:
        raise InvalidField(field="consent_revision", reason="missing; open the page again")
    return revision


@router.get("/preferences/notices/{version}")
def show_notice(request: Request, viewer: ViewerDep, runtime: RuntimeDep, version: str) -> Response:
    """Show a notice that is or was in force: what a choice in the history points to."""
    with runtime.database.read(viewer.actor.tenant_id) as session:
        version, language, text = consent.find_visible_notice(session, version)
    return render(request, "notice.html", version=version, language=language, notice_text=notice_html(text))


@router.post("/preferences/display")
def choose_display(viewer: ViewerDep, runtime: RuntimeDep, display: Text = "") -> Response:
    """Choose what authors see of me at captured examples."""
    with runtime.database.write(viewer.actor.tenant_id) as session:
        identity.choose_display(session, viewer.actor, display)
    return see_other("/preferences", fragment="display", done="display_chosen")


# What was captured from me


@router.get("/preferences/data.json")
def download_data(viewer: ViewerDep, runtime: RuntimeDep) -> Response:
    """Download everything that is kept about me and capture, as JSON."""
    with runtime.database.read(viewer.actor.tenant_id) as session:
        content = data_of(session, viewer.actor).model_dump_json(indent=2)
    attached = {"content-disposition": 'attachment; filename="goldvein-my-data.json"'}
    return Response(content, media_type="application/json", headers=attached)


@router.post("/preferences/data/erase")
def erase_all(viewer: ViewerDep, runtime: RuntimeDep) -> Response:
    """Erase everything captured from me; the consent stays as it is, and the page says so."""
    return _erase(viewer, runtime, None)


@router.post("/preferences/data/{example_id}/erase")
def erase_one(viewer: ViewerDep, runtime: RuntimeDep, example_id: str) -> Response:
    """Erase one example captured from me."""
    return _erase(viewer, runtime, need_id(example_id, "training example captured from you"))


def _erase(viewer: Viewer, runtime: Runtime, example_id: str | None) -> Response:
    erased = erase(runtime, viewer.actor, example_id).erased_examples
    return see_other("/preferences", fragment="captured", done="data_erased", count=erased)


@router.post("/preferences/data/{example_id}/report-leak")
def report_leak(viewer: ViewerDep, runtime: RuntimeDep, example_id: str) -> Response:
    """Report that an example captured from me holds what should have been removed: it is erased."""
    incident = endings.report(runtime, viewer.actor, need_id(example_id, "training example captured from you"))
    return see_other("/preferences", fragment="captured", done="leak_reported", count=incident.erased_examples)


@router.get("/preferences/consent/{event_id}/receipt.json")
def download_receipt(viewer: ViewerDep, runtime: RuntimeDep, event_id: str) -> Response:
    """Download the signed receipt of one choice of mine."""
    content = get_receipt(event_id, viewer.actor, runtime).model_dump_json(indent=1)
    attached = {"content-disposition": f'attachment; filename="goldvein-receipt-{need_id(event_id, "choice")}.json"'}
    return Response(content, media_type="application/json", headers=attached)


@router.post("/preferences/delete-account")
def delete_account(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_DeletionForm, Form()]
) -> Response:
    """Delete my account, when its address was typed; what stands in the way is said at the form."""
    try:
        endings.delete_account(viewer.actor, runtime, sent.confirm)
    except (InvalidField, NotAllowed) as error:
        field_name = "confirm"
        reason = error.reason if isinstance(error, InvalidField) else error.message
        form = refused(sent.typed(), InvalidField(field=field_name, reason=reason))
        return _preferences_page(request, viewer, runtime, status=422, deletion_form=form)
    return see_other("/sign-in", done="account_deleted")


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
