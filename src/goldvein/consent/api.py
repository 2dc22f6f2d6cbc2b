from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from goldvein.consent import ledger, notices, service
from goldvein.consent.tables import NoticePublication
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField
from goldvein.identity import service as identity
from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.identity.service import need_revision
from goldvein.paging import CursorParam, LimitParam, decode_cursor, encode_cursor
from goldvein.schemas import ExpectedRevision, Page, RequestBody

router = APIRouter(prefix="/api", tags=["settings"])

_FEWEST: Final = 5  # a smaller count of people would point at them
_MAX_SEQ_DIGITS = 18
_MAX_SEQ = 10**_MAX_SEQ_DIGITS


class SettingsChange(RequestBody):
    """One field to change."""

    name: str | None = None
    training_data_capture_enabled: bool | None = None
    pending_retention_days: int | None = None
    event_retention_days: int | None = None


class SettingsOut(BaseModel):
    """The settings of the tenant. The switch is derived from its latest event; any change makes a higher revision.

    How long something is kept is null where the installation's own setting holds.
    """

    tenant_id: str
    name: str
    training_data_capture_enabled: bool
    pending_retention_days: int | None
    event_retention_days: int | None
    revision: int


class NoticeOut(BaseModel):
    """The text a choice is about (Markdown), the purposes it asks for, and its edition."""

    version: str
    language: str
    text: str
    purposes: list[str]
    edition: int


class NoticeTextOut(BaseModel):
    """A notice that is or was in force."""

    version: str
    language: str
    text: str


class NewNotice(RequestBody):
    """A notice to put in force. `wider`: it asks for more than the one before, so everybody has to choose again."""

    language: str
    text: str
    purposes: list[str]
    wider: bool


class PublicationOut(BaseModel):
    """A notice was put in force; the latest of a language is in force, unless another language asks for more."""

    number: int
    version: str
    language: str
    purposes: list[str]
    edition: int
    published_by: str
    channel: str
    published_at: datetime


class InvalidatedOut(BaseModel):
    """How many people have to choose again; under five it is only said that they are fewer."""

    people: str


class LedgerEntryOut(BaseModel):
    """One entry: the text that was hashed, byte for byte, and the hash of the complete subtree that ends with it."""

    seq: int
    entry: str
    hash: str


class PublicKeysOut(BaseModel):
    """The public keys of this server in hexadecimal digits by id, the one in use first."""

    public_keys: dict[str, str]


class CheckpointOut(PublicKeysOut):
    """The signed state of the ledger; with `since`, the proof that it begins with its first entries of then."""

    checkpoint: dict[str, Any]
    consistency: list[str] | None = None


def _show(session: TenantSession) -> SettingsOut:
    tenant = identity.tenant_of(session)
    event = service.switch_event(session)
    return SettingsOut(
        tenant_id=tenant.id,
        name=tenant.name,
        training_data_capture_enabled=service.capture_is_on(session),
        pending_retention_days=tenant.pending_retention_days,
        event_retention_days=tenant.event_retention_days,
        revision=tenant.revision - 1 + (event.seq if event else 0),
    )


@router.get("/settings")
def get_settings(actor: ActorDep, runtime: RuntimeDep, response: Response) -> SettingsOut:
    """Read the settings of the tenant. Admin only."""
    actor.need_admin()
    with runtime.database.read(actor.tenant_id) as session:
        settings = _show(session)
    response.headers["ETag"] = f'"{settings.revision}"'
    return settings


@router.patch("/settings")
def change_settings(
    body: SettingsChange, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> SettingsOut:
    """Change one setting: the organisation's name, the capture switch, or how long something is kept. Admin only."""
    given = body.model_dump(exclude_none=True)
    if len(given) != 1:
        raise InvalidField(field="body", reason=f"exactly one of {', '.join(SettingsChange.model_fields)}")
    changed = None
    with runtime.database.write(actor.tenant_id) as session:
        service.hold_switch(session)
        shown = _show(session)
        need_revision(shown.revision, if_match, shown.model_dump())
        if body.name is not None:
            identity.rename_tenant(session, actor, body.name)
        if body.pending_retention_days is not None or body.event_retention_days is not None:
            identity.change_retention(
                session, actor, pending_days=body.pending_retention_days, event_days=body.event_retention_days
            )
        if body.training_data_capture_enabled is not None:
            on = body.training_data_capture_enabled
            changed = service.switch_capture(session, actor, on=on, now=runtime.now())
        session.flush()
        settings = _show(session)
    if changed is not None:
        runtime.metrics.consent_changes.labels(action=changed.action).inc()
    return settings


@router.get("/notice")
def get_notice(request: Request, actor: ActorDep, runtime: RuntimeDep, language: str | None = None) -> NoticeOut:
    """Read the notice in force, the text consent is asked with, in this language or that of `Accept-Language`.

    That I was shown it is recorded, once for each version.
    """
    with runtime.database.read(actor.tenant_id) as session:
        notice = notices.notice_in_force(session, [language] if language else languages_of(request))
    notices.record_shown(runtime.database, actor, notice, runtime.now())
    return NoticeOut(**{name: getattr(notice, name) for name in NoticeOut.model_fields})


def languages_of(request: Request) -> list[str]:
    """What the browser or program says its person reads."""
    return notices.accepted_languages(request.headers.get("accept-language", ""))


@router.get("/notices")
def list_notices(actor: ActorDep, runtime: RuntimeDep, response: Response) -> Page[PublicationOut]:
    """List what was put in force and when, newest first, one page; none: the built-in notice. Admin only."""
    actor.need_admin()
    with runtime.database.read(actor.tenant_id) as session:
        found = notices.publications(session)
    response.headers["ETag"] = f'"{found[0].number if found else 0}"'
    return Page(items=[_show_publication(row) for row in found])


def _show_publication(row: NoticePublication) -> PublicationOut:
    return PublicationOut.model_validate(row, from_attributes=True)


@router.post("/notices", status_code=201)
def publish_notice(
    body: NewNotice, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> PublicationOut:
    """Put a notice in force in a language. Admin only; it gives nobody's consent."""
    with runtime.database.write(actor.tenant_id) as session:
        row = service.publish(session, actor, **body.model_dump(), now=runtime.now(), expected_number=if_match)
        return _show_publication(row)


@router.get("/notices/{version}")
def get_past_notice(version: str, actor: ActorDep, runtime: RuntimeDep) -> NoticeTextOut:
    """Read a notice that is or was in force, by its version: what a choice of mine points to."""
    with runtime.database.read(actor.tenant_id) as session:
        version, language, text = service.find_visible_notice(session, version)
    return NoticeTextOut(version=version, language=language, text=text)


@router.post("/notices/{version}/invalidate")
def invalidate_notice(version: str, actor: ActorDep, runtime: RuntimeDep) -> InvalidatedOut:
    """Say that consents to this text do not count. Admin only; what was captured under them is held back."""
    with runtime.database.write(actor.tenant_id) as session:
        people = service.invalidate_notice(session, actor, version, now=runtime.now())
    runtime.metrics.consent_changes.labels(action="invalidated").inc(people)
    return InvalidatedOut(people=f"<{_FEWEST}" if people < _FEWEST else str(people))


@router.get("/ledger/entries", tags=["ledger"])
def list_ledger_entries(
    actor: ActorDep, runtime: RuntimeDep, limit: LimitParam = 100, cursor: CursorParam = None
) -> Page[LedgerEntryOut]:
    """List the entries of the tenant's ledger, oldest first: people appear as commitments. Admin only."""
    actor.need_admin()
    after = _after(cursor)
    with runtime.database.read(actor.tenant_id) as session:
        rows = ledger.list_entries(session, limit=limit, after=after)
    items = [LedgerEntryOut(seq=row.seq, entry=row.entry, hash=ledger.entry_hash(row)) for row in rows]
    return Page(items=items, next_cursor=encode_cursor(str(rows[-1].seq)) if len(rows) == limit else None)


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    (digits,) = decode_cursor(cursor, 1)
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_SEQ_DIGITS:
        raise InvalidField(field="cursor", reason="not a cursor of this list")
    return int(digits)


@router.get("/ledger/checkpoint", tags=["ledger"])
def get_checkpoint(
    actor: ActorDep,
    runtime: RuntimeDep,
    since: Annotated[
        int | None, Query(ge=1, le=_MAX_SEQ, description="The size of an earlier checkpoint, for a consistency proof.")
    ] = None,
) -> CheckpointOut:
    """Read the signed state of the tenant's ledger: how many entries, and the root over them. Admin only.

    Keep it somewhere else: whoever has it can tell later that what it covers was changed or cut off.
    """
    actor.need_admin()
    with runtime.database.read(actor.tenant_id) as session:
        signed, proof = ledger.checkpoint(session, runtime.server_key, runtime.now(), since=since)
    return CheckpointOut(checkpoint=signed, public_keys=ledger.public_keys(runtime.server_key), consistency=proof)


@router.get("/ledger/keys", tags=["ledger"])
def get_public_keys(runtime: RuntimeDep) -> PublicKeysOut:
    """Read the public keys with which receipts and checkpoints of this server are verified. For everybody."""
    return PublicKeysOut(public_keys=ledger.public_keys(runtime.server_key))
