from fastapi import APIRouter, Response
from pydantic import BaseModel

from goldvein.consent import service
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField
from goldvein.identity import service as identity
from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.identity.service import need_revision
from goldvein.schemas import ExpectedRevision, RequestBody

router = APIRouter(prefix="/api", tags=["settings"])


class SettingsChange(RequestBody):
    """One field to change."""

    name: str | None = None
    training_data_capture_enabled: bool | None = None


class SettingsOut(BaseModel):
    """The settings of the tenant. The switch is derived from its latest event; any change makes a higher revision."""

    tenant_id: str
    name: str
    training_data_capture_enabled: bool
    revision: int


class NoticeOut(BaseModel):
    """The text a choice is about."""

    version: str
    language: str
    text: str


def _show(session: TenantSession) -> SettingsOut:
    tenant = identity.tenant_of(session)
    event = service.switch_event(session)
    return SettingsOut(
        tenant_id=tenant.id,
        name=tenant.name,
        training_data_capture_enabled=service.capture_is_on(session),
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
    """Change one setting: the organisation's name, or the capture switch. Admin only."""
    given = body.model_dump(exclude_none=True)
    if len(given) != 1:
        raise InvalidField(field="body", reason="exactly one of name, training_data_capture_enabled")
    changed = None
    with runtime.database.write(actor.tenant_id) as session:
        service.hold_switch(session)
        shown = _show(session)
        need_revision(shown.revision, if_match, shown.model_dump())
        if body.name is not None:
            identity.rename_tenant(session, actor, body.name)
        if body.training_data_capture_enabled is not None:
            on = body.training_data_capture_enabled
            changed = service.switch_capture(session, actor, on=on, now=runtime.now())
        session.flush()
        settings = _show(session)
    if changed is not None:
        runtime.metrics.consent_changes.labels(action=changed.action).inc()
    return settings


@router.get("/notice")
def get_notice(actor: ActorDep) -> NoticeOut:
    """Read the notice in force: the text consent is asked with."""
    del actor  # any signed-in person
    version, text = service.builtin_notice()
    return NoticeOut(version=version, language="en", text=text)
