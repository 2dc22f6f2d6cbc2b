from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from goldvein import failpoints
from goldvein.consent import ledger
from goldvein.consent import service as consent
from goldvein.consent.notices import notice_in_force, requests_to
from goldvein.consent.receipt import make_receipt
from goldvein.consent.tables import ConsentEvent
from goldvein.datasets.versions import versions_holding
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
    """Give consent to a notice in force, refuse it, or withdraw it; for all, or for the skills or purposes named."""

    decision: Literal["give", "refuse", "withdraw"]
    purposes: list[str] | None = None
    notice_version: str | None = None
    skills: list[str] | None = None


class ConsentRecord(BaseModel):
    """One consent event of mine: what was done, and what is consented to after it.

    `actor_id` is me, an admin (revoked, invalidated) or nobody (expired).
    """

    id: str
    revision: int
    action: str
    actor_id: str | None
    channel: str
    notice_version: str
    notice_edition: int | None
    purposes: list[str]
    skill_ids: list[str] | None
    excepted_skill_ids: list[str] | None
    expires_at: datetime | None
    occurred_at: datetime


class RequestRecord(BaseModel):
    """The consent event `requested`: a notice that I was shown, by itself or to be asked about a skill."""

    id: str
    notice_version: str
    skill_id: str | None
    channel: str
    occurred_at: datetime


class ConsentOut(BaseModel):
    """My consent: how it reads now, the notice to give one to, and every event, newest first."""

    training_data_consent: bool
    revision: int
    purposes: list[str]
    notice_version: str
    notice_edition: int
    records: list[ConsentRecord]
    requests: list[RequestRecord]


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
    dataset_versions: list[str]


class DataOut(BaseModel):
    """Everything that is kept about me and capture: the examples, and every consent event."""

    captured_examples: list[CapturedOut]
    consent_records: list[ConsentRecord]
    consent_requests: list[RequestRecord]


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
    erased = 0
    with runtime.database.write(actor.tenant_id) as session:
        event: ConsentEvent | None
        if give:
            event = consent.give_consent(
                session, actor, now=now, lifetime=lifetime, expected_seq=expected_seq, **options
            )
        else:
            removed = withdrawal.withdraw(session, actor, now=now, expected_seq=expected_seq, **options)
            event, erased = removed.event, removed.erased_examples
    if erased:
        failpoints.reach("withdrawal.clearing")
        runtime.database.clear_log()
    _count(runtime, event)
    return erased


def refuse(
    runtime: Runtime, actor: Actor, *, notice_version: str | None = None, expected_seq: int | None = None
) -> None:
    """Say no to the notice in force, in a transaction of its own: nobody asks again until a wider one."""
    with runtime.database.write(actor.tenant_id) as session:
        event = consent.refuse_consent(
            session, actor, now=runtime.now(), notice_version=notice_version, expected_seq=expected_seq
        )
    _count(runtime, event)


def _count(runtime: Runtime, event: ConsentEvent | None) -> None:
    if event is not None:
        runtime.metrics.consent_changes.labels(action=event.action).inc()


def _consent(session: TenantSession, actor: Actor, now: datetime) -> dict[str, Any]:
    consented, revision = consent.person_state(session, actor.person_id, now)
    latest = consent.consent_event(session, actor.person_id)
    notice = notice_in_force(session)
    return {
        "training_data_consent": consented,
        "revision": revision,
        "purposes": latest.purposes if consented and latest is not None else [],
        "notice_version": notice.version,
        "notice_edition": notice.edition,
        "records": _records(session, actor),
        "requests": _requests(session, actor),
    }


def _records(session: TenantSession, actor: Actor) -> list[ConsentRecord]:
    return [_record(event) for event in reversed(consent.consent_history(session, actor.person_id))]


def _record(event: ConsentEvent) -> ConsentRecord:
    fields = {name: getattr(event, name) for name in ConsentRecord.model_fields if name != "revision"}
    return ConsentRecord(**fields, revision=event.seq)


def _requests(session: TenantSession, actor: Actor) -> list[RequestRecord]:
    found = reversed(requests_to(session, actor.person_id))
    return [RequestRecord.model_validate(row, from_attributes=True) for row in found]


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
    """Give consent (session, or a key with scope `me`), refuse it, or withdraw it (any key), which erases.

    Naming skills gives or withdraws for these alone, and erases what was captured at them. Withdrawing for a purpose
    erases nothing: what is stored no longer counts for it.
    """
    erased = 0
    match body.decision:
        case "give":
            skill_ids = _skill_ids(runtime, actor, body.skills)
            options = {"purposes": body.purposes, "notice_version": body.notice_version, "skill_ids": skill_ids}
            choose(runtime, actor, give=True, expected_seq=if_match, **options)
        case "refuse":
            _need_none(body, "purposes", "skills")
            refuse(runtime, actor, notice_version=body.notice_version, expected_seq=if_match)
        case "withdraw":
            _need_none(body, *(["purposes"] if body.skills is not None else []))
            skill_ids = _skill_ids(runtime, actor, body.skills)
            options = {"skill_ids": skill_ids, "purposes": body.purposes}
            erased = choose(runtime, actor, give=False, expected_seq=if_match, **options)
    with runtime.database.read(actor.tenant_id) as session:
        return ConsentAnswer(**_consent(session, actor, runtime.now()), erased_examples=erased)


def _need_none(body: ConsentChoice, *names: str) -> None:
    for name in names:
        if getattr(body, name) is not None:
            raise InvalidField(field=name, reason="does not go with this decision")


def _skill_ids(runtime: Runtime, actor: Actor, named: list[str] | None) -> list[str] | None:
    if named is None:
        return None
    if not 1 <= len(named) <= 100:  # noqa: PLR2004 (a list a person can read)
        raise InvalidField(field="skills", reason="1 to 100 skills, or leave it out for all")
    with runtime.database.read(actor.tenant_id) as session:
        return sorted({skills.find_skill(session, name).id for name in named})


@router.get("/data")
def get_data(actor: ActorDep, runtime: RuntimeDep) -> DataOut:
    """Read every example captured from me as it is stored (a withdrawn one has no text left), and my consent events."""
    actor.need("me")
    with runtime.database.read(actor.tenant_id) as session:
        return data_of(session, actor)


def data_of(session: TenantSession, actor: Actor) -> DataOut:
    """All that is kept about a person and capture, for the API and for the download."""
    held_in = versions_holding(session, actor.person_id)
    captured = [_captured(row, held_in.get(row.id, [])) for row in examples.captured_from(session, actor.person_id)]
    return DataOut(
        captured_examples=captured, consent_records=_records(session, actor), consent_requests=_requests(session, actor)
    )


def _captured(example: TrainingExample, dataset_versions: list[str]) -> CapturedOut:
    kept = {name: getattr(example, name) for name in CapturedOut.model_fields if name != "dataset_versions"}
    return CapturedOut(**kept, dataset_versions=dataset_versions)


@router.delete("/data")
def erase_data(actor: ActorDep, runtime: RuntimeDep) -> ErasedOut:
    """Erase everything captured from me. Not a withdrawal: the consent stays as it is, and the answer says so."""
    return erase(runtime, actor)


@router.delete("/data/{example_id}")
def erase_example(example_id: str, actor: ActorDep, runtime: RuntimeDep) -> ErasedOut:
    """Erase one example captured from me; the consent stays as it is."""
    return erase(runtime, actor, example_id)


def erase(runtime: Runtime, actor: Actor, example_id: str | None = None) -> ErasedOut:
    """Erase what was captured from a person, all of it or one example; the same for the page and the API."""
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
