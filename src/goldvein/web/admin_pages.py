"""The organisation: capture switch, notices, name, members, sanitizer rules, keys. No captured text."""

from dataclasses import dataclass
from datetime import UTC
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import Field

from goldvein.consent import notices
from goldvein.consent import service as consent
from goldvein.consent.decision import PURPOSES
from goldvein.errors import Conflict, InvalidField, NotFound, StaleRevision
from goldvein.examples import service as examples
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, RuntimeDep
from goldvein.identity.api import show_member
from goldvein.identity.service import key_is_live, need_revision
from goldvein.identity.tables import ApiKey
from goldvein.me import endings
from goldvein.policy import service as policy
from goldvein.reports.api import answer, audit_of
from goldvein.web.forms import FilledForm, SentForm, Text, day_of, need_id, plain, refused, revision_of
from goldvein.web.rendering import notice_html, render
from goldvein.web.viewer import Viewer, ViewerDep, see_other

router = APIRouter()

_CHANGES: Final[dict[str, tuple[str | None, bool | None]]] = {
    "make_admin": ("admin", None),
    "make_member": ("member", None),
    "deactivate": (None, False),
    "reactivate": (None, True),
}
"""What a button at a member does: the new role, or whether they may act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _KeyView:
    """A key of the organisation with the name of its owner."""

    row: ApiKey
    owner: str | None
    is_live: bool


_First = Annotated[str, Query(alias="from")]
_Last = Annotated[str, Query(alias="to")]


class _InvitationForm(SentForm):
    """Whom to invite."""

    email: str = ""
    name: str = ""
    role: str = "member"


class _DeletionForm(SentForm):
    """The name of the organisation that is to be deleted."""

    confirm: str = ""


class _NoticeForm(SentForm):
    """A notice to put in force."""

    revision: str = ""
    language: str = ""
    text: str = ""
    purposes: list[str] = Field(default_factory=list)
    wider: str = ""


class _RuleForm(SentForm):
    """A rule to add to the sanitizer."""

    type: str = ""
    pattern: str = ""
    example: str = ""


@router.get("/admin")
def show_admin(request: Request, viewer: ViewerDep, runtime: RuntimeDep) -> Response:
    """Show the settings of the organisation."""
    return _admin_page(request, viewer, runtime)


def _admin_page(
    request: Request,
    viewer: Viewer,
    runtime: Runtime,
    *,
    status: int = 200,
    name_form: FilledForm | None = None,
    invitation_form: FilledForm | None = None,
    rule_form: FilledForm | None = None,
    notice_form: FilledForm | None = None,
    deletion_form: FilledForm | None = None,
    audit_form: FilledForm | None = None,
    conflict: str = "",
) -> Response:
    viewer.actor.need_admin()
    with runtime.database.read(viewer.actor.tenant_id) as session:
        tenant = identity.tenant_of(session)
        switched = consent.switch_event(session)
        capture_is_on = consent.capture_is_on(session)
        members = [show_member(membership, person) for membership, person in identity.members(session)]
        keys = identity.keys_of(session)
        rules = policy.list_rules(session)
        published = notices.publications(session)
        in_force = notices.notices_in_force(session)
        incidents = examples.incidents(session, viewer.actor)
    names = {member.person_id: member.name or member.email for member in members}
    return render(
        request,
        "admin.html",
        status=status,
        tenant=tenant,
        capture_is_on=capture_is_on,
        switched=switched,
        members=members,
        keys=[_KeyView(row=key, owner=_owner(key, names), is_live=key_is_live(key, runtime.now())) for key in keys],
        name_form=name_form or FilledForm(values={"name": tenant.name}),
        rules=rules,
        most_rules=policy.MAX_RULES,
        invitation_form=invitation_form or FilledForm(),
        rule_form=rule_form or FilledForm(),
        deletion_form=deletion_form or FilledForm(),
        audit_form=audit_form or FilledForm(values=_this_year(runtime)),
        incidents=incidents,
        conflict=conflict,
        published=published,
        notices=[(notice, notice_html(notice.text)) for notice in in_force],
        notice_form=notice_form or _filled_with(in_force[0]),
        purposes=PURPOSES,
        others=[member for member in members if member.person_id != viewer.actor.person_id],
    )


def _this_year(runtime: Runtime) -> dict[str, str]:
    today = runtime.now().astimezone(UTC).date()
    return {"from": today.replace(month=1, day=1).isoformat(), "to": today.isoformat()}


def _filled_with(notice: notices.NoticeInForce) -> FilledForm:
    ticked = {f"purpose_{purpose}": "on" for purpose in notice.purposes}
    return FilledForm(values={"language": notice.language, "text": notice.text, "wider": "yes", **ticked})


def _owner(key: ApiKey, names: dict[str, str]) -> str | None:
    return names.get(key.person_id) if key.person_id is not None else None


@router.post("/admin/capture")
def switch_capture(viewer: ViewerDep, runtime: RuntimeDep, capture: Text = "", revision: Text = "") -> Response:
    """Switch capture on or off, if it still is as the page showed it."""
    viewer.actor.need_admin()
    if capture not in {"on", "off"}:
        raise InvalidField(field="capture", reason="on or off")
    with runtime.database.write(viewer.actor.tenant_id) as session:
        changed = consent.switch_capture(
            session, viewer.actor, on=capture == "on", now=runtime.now(), expected_seq=revision_of(revision)
        )
    if changed is not None:
        runtime.metrics.consent_changes.labels(action=changed.action).inc()
    return see_other("/admin", done=f"capture_{capture}")


@router.post("/admin/name")
def rename(request: Request, viewer: ViewerDep, runtime: RuntimeDep, name: Text = "", revision: Text = "") -> Response:
    """Change the organisation's name."""
    viewer.actor.need_admin()
    expected = revision_of(revision)
    try:
        with runtime.database.write(viewer.actor.tenant_id) as session:
            tenant = identity.tenant_of(session)
            need_revision(tenant.revision, expected, {"name": tenant.name})
            identity.rename_tenant(session, viewer.actor, name)
    except InvalidField as error:
        form = refused({"name": name}, error)
        return _admin_page(request, viewer, runtime, status=422, name_form=form)
    return see_other("/admin", done="name_changed")


@router.post("/admin/members/{person_id}")
def change_member(
    viewer: ViewerDep, runtime: RuntimeDep, person_id: str, change: Text = "", revision: Text = ""
) -> Response:
    """Change a role, deactivate or reactivate: one button each."""
    viewer.actor.need_admin()
    if change not in _CHANGES:
        raise InvalidField(field="change", reason=f"one of {', '.join(_CHANGES)}")
    role, active = _CHANGES[change]
    with runtime.database.write(viewer.actor.tenant_id) as session:
        identity.change_member(
            session,
            viewer.actor,
            need_id(person_id, "member"),
            role=role,
            active=active,
            now=runtime.now(),
            expected_revision=revision_of(revision),
        )
    return see_other("/admin", fragment="members", done="member_changed")


@router.post("/admin/members/{person_id}/erase")
def erase_member(viewer: ViewerDep, runtime: RuntimeDep, person_id: str) -> Response:
    """Delete the account of a deactivated member, without reading anything of it."""
    endings.erase(runtime, viewer.actor, need_id(person_id, "member"))
    return see_other("/admin", fragment="members", done="member_erased")


@router.post("/admin/delete-organisation")
def delete_tenant(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_DeletionForm, Form()]
) -> Response:
    """Delete the organisation, when its name was typed."""
    try:
        endings.end_tenant(runtime, viewer.actor, sent.confirm)
    except InvalidField as error:
        return _admin_page(request, viewer, runtime, status=422, deletion_form=refused(sent.typed(), error))
    return see_other("/sign-in", done="tenant_deleted")


@router.get("/admin/audit-report")
def download_audit(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, first: _First = "", last: _Last = ""
) -> Response:
    """Download the auditor's report; what is wrong with the days stands at the form."""
    viewer.actor.need_admin()
    try:
        return answer(audit_of(runtime, viewer.actor, day_of("from", first), day_of("to", last)))
    except InvalidField as error:
        form = refused({"from": first, "to": last}, error)
        return _admin_page(request, viewer, runtime, status=422, audit_form=form)


@router.post("/admin/invitations")
def invite(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_InvitationForm, Form()]
) -> Response:
    """Invite a person and show the link, this once: the answer is a page of its own and no redirect."""
    viewer.actor.need_admin()
    try:
        with runtime.database.write_across_tenants() as session:
            membership = identity.invite(
                session,
                tenant_id=viewer.actor.tenant_id,
                now=runtime.now(),
                actor_id=viewer.actor.person_id,
                **sent.model_dump(),
            )
            token = identity.make_link(session, runtime.server_key, membership, "invitation", now=runtime.now())
    except InvalidField as error:
        form = refused(sent.typed(), error)
        return _admin_page(request, viewer, runtime, status=422, invitation_form=form)
    return _show_invitation(request, runtime, token, sent.email)


@router.post("/admin/members/{person_id}/invitation")
def invite_again(request: Request, viewer: ViewerDep, runtime: RuntimeDep, person_id: str) -> Response:
    """Make a new link for an invitation that was not accepted yet; the old link ends."""
    viewer.actor.need_admin()
    with runtime.database.write(viewer.actor.tenant_id) as session:
        membership = identity.member(session, need_id(person_id, "member"))
        email = identity.person_of(session, person_id).email
        if membership.accepted_at is not None:
            raise Conflict
        if membership.deactivated_at is not None:
            raise NotFound(what="open invitation")
        token = identity.make_link(session, runtime.server_key, membership, "invitation", now=runtime.now())
    return _show_invitation(request, runtime, token, email)


def _show_invitation(request: Request, runtime: Runtime, token: str, email: str) -> Response:
    link = f"{runtime.settings.base_url}/welcome/{token}"
    return render(request, "invitation.html", status=201, link=link, email=email)


@router.post("/admin/notices")
def publish_notice(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_NoticeForm, Form()]
) -> Response:
    """Put a notice in force, if no other was meanwhile; what was typed stays in the form when something is wrong."""
    viewer.actor.need_admin()
    ticked = {f"purpose_{purpose}": "on" for purpose in sent.purposes}
    form = FilledForm(values={**sent.typed(), **ticked})
    try:
        with runtime.database.write(viewer.actor.tenant_id) as session:
            consent.publish(
                session,
                viewer.actor,
                language=sent.language.strip(),
                text=plain(sent.text),
                purposes=sent.purposes,
                wider=_is_wider(sent.wider),
                now=runtime.now(),
                expected_number=revision_of(sent.revision),
            )
    except InvalidField as error:
        form = refused(form.values, error)
        return _admin_page(request, viewer, runtime, status=422, notice_form=form)
    except StaleRevision as error:
        return _admin_page(request, viewer, runtime, status=409, notice_form=form, conflict=error.message)
    return see_other("/admin", fragment="notices", done="notice_published")


def _is_wider(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise InvalidField(field="wider", reason="say whether it asks for more than before")
    return text == "yes"


@router.post("/admin/revoke-consent")
def revoke_consent(viewer: ViewerDep, runtime: RuntimeDep, person_id: Text = "") -> Response:
    """End a member's consent and erase what was captured from them; the page says the same if there was none."""
    viewer.actor.need_admin()
    endings.revoke(runtime, viewer.actor, person_id)
    return see_other("/admin", fragment="members", done="consent_revoked")


@router.post("/admin/keys/{key_id}/revoke")
def revoke_key(viewer: ViewerDep, runtime: RuntimeDep, key_id: str) -> Response:
    """Revoke any key of the organisation."""
    viewer.actor.need_admin()
    with runtime.database.write(viewer.actor.tenant_id) as session:
        identity.revoke_key(session, viewer.actor, need_id(key_id, "key"), runtime.now())
    return see_other("/admin", fragment="keys", done="key_revoked")


@router.post("/admin/sanitizer-rules")
def add_rule(request: Request, viewer: ViewerDep, runtime: RuntimeDep, sent: Annotated[_RuleForm, Form()]) -> Response:
    """Add a rule to the sanitizer; what is wrong with it stands at its field."""
    viewer.actor.need_admin()
    try:
        with runtime.database.write(viewer.actor.tenant_id) as session:
            policy.add_rule(
                session,
                viewer.actor,
                kind=sent.type,
                pattern=sent.pattern,
                example=plain(sent.example),
                now=runtime.now(),
            )
    except InvalidField as error:
        form = refused(sent.typed(), error)
        return _admin_page(request, viewer, runtime, status=422, rule_form=form)
    return see_other("/admin", fragment="rules", done="rule_added")


@router.post("/admin/sanitizer-rules/{rule_id}/delete")
def delete_rule(viewer: ViewerDep, runtime: RuntimeDep, rule_id: str) -> Response:
    """Take a rule of the organisation back."""
    viewer.actor.need_admin()
    with runtime.database.write(viewer.actor.tenant_id) as session:
        policy.delete_rule(session, viewer.actor, rule_id, now=runtime.now())
    return see_other("/admin", fragment="rules", done="rule_deleted")
