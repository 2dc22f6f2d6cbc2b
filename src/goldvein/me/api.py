from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from goldvein import failpoints
from goldvein.consent import ledger
from goldvein.consent import service as consent
from goldvein.consent.decision import SIMPLE_PURPOSES
from goldvein.consent.receipt import make_receipt
from goldvein.consent.tables import ConsentEvent
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField
from goldvein.examples import service as examples
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.access import ActorDep, Runtime, RuntimeDep
from goldvein.identity.actor import Actor
from goldvein.identity.api import KeyOut, NewKeyOut, NewKeyRequest, show_key, show_new_key
from goldvein.me import withdrawal
from goldvein.schemas import ExpectedRevision, Page, RequestBody
from goldvein.skills import service as skills

router = APIRouter(prefix="/api/me", tags=["me"])


class MeOut(BaseModel):
    """Who I am here."""

    person_id: str
    tenant_id: str
    tenant: str
    name: str
    email: str
    role: str
    scopes: list[str]


class PreferencesOut(BaseModel):
    """My preferences with the defaults filled in. The consent is derived from its latest event, number `revision`.

    The number is that of `/api/me/consent` too, and of the consent alone: how I am displayed has none.
    """

    training_data_consent: bool
    display: str
    revision: int


class PreferencesChange(RequestBody):
    """One field to change."""

    training_data_consent: bool | None = None
    display: str | None = None


class ConsentChoice(RequestBody):
    """Give consent to the notice in force, or withdraw it."""

    decision: Literal["give", "withdraw"]
    purposes: list[str] | None = None
    notice_version: str | None = None
    skills: list[str] | None = None


class ConsentRecord(BaseModel):
    """One consent event of mine."""

    id: str
    revision: int
    action: str
    channel: str
    notice_version: str
    purposes: list[str]
    skill_ids: list[str] | None
    expires_at: datetime | None
    occurred_at: datetime


class ConsentOut(BaseModel):
    """My consent: how it reads now, and every event, newest first."""

    training_data_consent: bool
    revision: int
    notice_version: str
    records: list[ConsentRecord]


class ConsentAnswer(ConsentOut):
    """The same after a choice, with what the choice erased."""

    erased_examples: int


class ReceiptOut(BaseModel):
    """A signed receipt, and the public keys that this server has signed with."""

    receipt: dict[str, Any]
    public_keys: dict[str, str]


class CapturedOut(BaseModel):
    """One example captured from me, as it is stored."""

    id: str
    skill_id: str
    tool_name: str | None
    status: str
    example_input: str | None
    example_output: str | None
    expected_output: str | None
    findings: dict[str, int] | None
    sanitizer_version: str | None
    person_consent_id: str | None
    created_at: datetime


class DataOut(BaseModel):
    """Every example captured from me."""

    captured_examples: list[CapturedOut]


class ErasedOut(BaseModel):
    """What an erasure did. It does not change the consent: later uses may be captured again."""

    erased_examples: int
    training_data_consent: bool


class SessionOut(BaseModel):
    """One browser I am signed in with."""

    id: str
    created_at: datetime
    expires_at: datetime


@router.get("")
def get_me(actor: ActorDep, runtime: RuntimeDep) -> MeOut:
    """Read who I am in this tenant, and what this key or session may do."""
    with runtime.database.read(actor.tenant_id) as session:
        person = identity.person_of(session, actor.person_id)
        tenant = identity.tenant_of(session)
    return MeOut(
        person_id=person.id,
        tenant_id=tenant.id,
        tenant=tenant.name,
        name=person.name,
        email=person.email,
        role=actor.role,
        scopes=sorted(actor.scopes),
    )


def _preferences(session: TenantSession, actor: Actor, now: datetime) -> PreferencesOut:
    consented, revision = consent.person_state(session, actor.person_id, now)
    display = identity.member(session, actor.person_id).display
    return PreferencesOut(training_data_consent=consented, display=display, revision=revision)


@router.get("/preferences")
def get_preferences(actor: ActorDep, runtime: RuntimeDep, response: Response) -> PreferencesOut:
    """Read my preferences."""
    with runtime.database.read(actor.tenant_id) as session:
        preferences = _preferences(session, actor, runtime.now())
    response.headers["ETag"] = f'"{preferences.revision}"'
    return preferences


@router.patch("/preferences")
def change_preferences(
    body: PreferencesChange, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> PreferencesOut:
    """Change one preference. `training_data_consent` gives consent for evaluation and training, or withdraws all."""
    given = body.model_dump(exclude_none=True)
    if len(given) != 1:
        raise InvalidField(field="body", reason="exactly one of training_data_consent, display")
    if body.training_data_consent is not None:
        _choose_simply(runtime, actor, give=body.training_data_consent, if_match=if_match)
    if body.display is not None:
        with runtime.database.write(actor.tenant_id) as session:
            current = _preferences(session, actor, runtime.now())
            identity.need_revision(current.revision, if_match, current.model_dump())
            identity.choose_display(session, actor, body.display)
    with runtime.database.read(actor.tenant_id) as session:
        return _preferences(session, actor, runtime.now())


def _choose_simply(runtime: Runtime, actor: Actor, *, give: bool, if_match: int | None) -> None:
    """The one-box choice. A yes that already reads as yes changes nothing: it must not widen a narrower consent."""
    if give:
        actor.need("me")
    with runtime.database.read(actor.tenant_id) as session:
        current = _preferences(session, actor, runtime.now())
    identity.need_revision(current.revision, if_match, current.model_dump(exclude={"display"}))
    if not (give and current.training_data_consent):
        choose(runtime, actor, give=give, expected_seq=if_match)


def choose(
    runtime: Runtime,
    actor: Actor,
    *,
    give: bool,
    expected_seq: int | None = None,
    **options: Any,
) -> int:
    """Give or withdraw consent in a transaction of its own; returns how many examples it erased.

    The same for the web page, the API and the command line. A second yes renews the consent; a no without a consent
    changes nothing.
    """
    now, lifetime = runtime.now(), timedelta(days=runtime.settings.consent_days)
    removed = withdrawal.Removed(consent_changed=True, erased_examples=0)
    with runtime.database.write(actor.tenant_id) as session:
        if give:
            consent.give_consent(session, actor, now=now, lifetime=lifetime, expected_seq=expected_seq, **options)
        else:
            removed = withdrawal.withdraw(session, actor, now=now, expected_seq=expected_seq)
    if removed.erased_examples:
        failpoints.reach("withdrawal.clearing")
        runtime.database.clear_log()
    if removed.consent_changed:
        runtime.metrics.consent_changes.labels(action="given" if give else "withdrawn").inc()
    return removed.erased_examples


def _consent(session: TenantSession, actor: Actor, now: datetime) -> dict[str, Any]:
    consented, revision = consent.person_state(session, actor.person_id, now)
    records = [_record(event) for event in reversed(consent.consent_history(session, actor.person_id))]
    version, _ = consent.builtin_notice()
    return {
        "training_data_consent": consented,
        "revision": revision,
        "notice_version": version,
        "records": records,
    }


def _record(event: ConsentEvent) -> ConsentRecord:
    return ConsentRecord(
        id=event.id,
        revision=event.seq,
        action=event.action,
        channel=event.channel,
        notice_version=event.notice_version,
        purposes=event.purposes,
        skill_ids=event.skill_ids,
        expires_at=event.expires_at,
        occurred_at=event.occurred_at,
    )


@router.get("/consent")
def get_consent(actor: ActorDep, runtime: RuntimeDep, response: Response) -> ConsentOut:
    """Read my consent and its history."""
    with runtime.database.read(actor.tenant_id) as session:
        shown = ConsentOut(**_consent(session, actor, runtime.now()))
    response.headers["ETag"] = f'"{shown.revision}"'
    return shown


@router.get("/consent/{event_id}/receipt")
def get_receipt(event_id: str, actor: ActorDep, runtime: RuntimeDep) -> ReceiptOut:
    """Download the signed receipt of one choice of mine; `goldvein verify receipt` checks it without this server."""
    actor.need("me")
    with runtime.database.read(actor.tenant_id) as session:
        event = consent.own_event(session, actor.person_id, event_id)
        tenant = identity.tenant_of(session)
        receipt = make_receipt(session, runtime.server_key, tenant, event, runtime.now())
    return ReceiptOut(receipt=receipt, public_keys=ledger.public_keys(runtime.server_key))


@router.post("/consent")
def choose_consent(
    body: ConsentChoice, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> ConsentAnswer:
    """Give consent (session, or a key with scope `me`), or withdraw it (any key), which erases what was captured."""
    options: dict[str, Any] = {}
    if body.decision == "give":
        options["purposes"] = body.purposes if body.purposes is not None else SIMPLE_PURPOSES
        options["notice_version"] = body.notice_version
        options["skill_ids"] = _skill_ids(runtime, actor, body.skills)
    elif body.purposes is not None or body.skills is not None:
        raise InvalidField(
            field="purposes" if body.skills is None else "skills", reason="a withdrawal is for everything"
        )
    erased = choose(runtime, actor, give=body.decision == "give", expected_seq=if_match, **options)
    with runtime.database.read(actor.tenant_id) as session:
        return ConsentAnswer(**_consent(session, actor, runtime.now()), erased_examples=erased)


def _skill_ids(runtime: Runtime, actor: Actor, named: list[str] | None) -> list[str] | None:
    if named is None:
        return None
    if not 1 <= len(named) <= 100:  # noqa: PLR2004 (a list a person can read)
        raise InvalidField(field="skills", reason="1 to 100 skills, or leave it out for all")
    with runtime.database.read(actor.tenant_id) as session:
        return sorted({skills.find_skill(session, name).id for name in named})


@router.get("/data")
def get_data(actor: ActorDep, runtime: RuntimeDep) -> DataOut:
    """Read every example captured from me, as it is stored; a withdrawn one has no text left."""
    actor.need("me")
    with runtime.database.read(actor.tenant_id) as session:
        return DataOut(captured_examples=[_captured(row) for row in examples.captured_from(session, actor.person_id)])


def _captured(example: TrainingExample) -> CapturedOut:
    return CapturedOut.model_validate(example, from_attributes=True)


@router.delete("/data")
def erase_data(actor: ActorDep, runtime: RuntimeDep) -> ErasedOut:
    """Erase everything captured from me. Not a withdrawal: the consent stays as it is, and the answer says so."""
    return _erase(runtime, actor, None)


@router.delete("/data/{example_id}")
def erase_example(example_id: str, actor: ActorDep, runtime: RuntimeDep) -> ErasedOut:
    """Erase one example captured from me; the consent stays as it is."""
    return _erase(runtime, actor, example_id)


def _erase(runtime: Runtime, actor: Actor, example_id: str | None) -> ErasedOut:
    now = runtime.now()
    with runtime.database.write(actor.tenant_id) as session:
        erased = withdrawal.erase(session, actor, now=now, example_id=example_id).erased_examples
        consented, _ = consent.person_state(session, actor.person_id, now)
    runtime.database.clear_log()
    return ErasedOut(erased_examples=erased, training_data_consent=consented)


@router.get("/keys")
def list_keys(actor: ActorDep, runtime: RuntimeDep) -> Page[KeyOut]:
    """List my keys, without secrets."""
    actor.need("me")
    with runtime.database.read(actor.tenant_id) as session:
        return Page(items=[show_key(key) for key in identity.keys_of(session, actor.person_id)])


@router.post("/keys", status_code=201)
def create_key(body: NewKeyRequest, actor: ActorDep, runtime: RuntimeDep) -> NewKeyOut:
    """Make a key for me, or, as admin, a service key. Its secrets are shown in this answer and never again."""
    with runtime.database.write(actor.tenant_id) as session:
        new = identity.create_key(session, runtime.server_key, actor, now=runtime.now(), **body.model_dump())
        return show_new_key(new)


@router.post("/keys/{key_id}/rotate", status_code=201)
def rotate_key(key_id: str, actor: ActorDep, runtime: RuntimeDep) -> NewKeyOut:
    """Replace a key of mine; the old one works for 24 hours more."""
    with runtime.database.write(actor.tenant_id) as session:
        return show_new_key(identity.rotate_key(session, runtime.server_key, actor, key_id, runtime.now()))


@router.delete("/keys/{key_id}")
def revoke_key(key_id: str, actor: ActorDep, runtime: RuntimeDep) -> KeyOut:
    """Revoke a key of mine at once."""
    with runtime.database.write(actor.tenant_id) as session:
        return show_key(identity.revoke_key(session, actor, key_id, runtime.now()))


@router.get("/sessions")
def list_sessions(actor: ActorDep, runtime: RuntimeDep) -> Page[SessionOut]:
    """List the browsers I am signed in with."""
    actor.need("me")
    with runtime.database.read(actor.tenant_id) as session:
        found = identity.sessions_of(session, actor.person_id, runtime.now())
        return Page(items=[SessionOut.model_validate(row, from_attributes=True) for row in found])


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Sign out one browser."""
    actor.need("me")
    with runtime.database.write(actor.tenant_id) as session:
        identity.end_session(session, actor, session_id)
