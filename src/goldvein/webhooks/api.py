from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.schemas import Page, RequestBody
from goldvein.webhooks import service
from goldvein.webhooks.tables import Webhook, WebhookDelivery

router = APIRouter(prefix="/api/me/webhooks", tags=["me"])


class NewWebhook(RequestBody):
    """Where to tell me."""

    url: str


class DeliveryOut(BaseModel):
    """A message that has not arrived: it is `waiting` for its next attempt, or `dead`."""

    id: str
    event_type: str
    state: str
    attempts: int
    last_error: str | None
    last_status: int | None
    created_at: datetime
    updated_at: datetime


class WebhookOut(BaseModel):
    """One of my webhooks, with its latest deliveries that have not arrived."""

    id: str
    url: str
    created_at: datetime
    failures: list[DeliveryOut]


class NewWebhookOut(WebhookOut):
    """A webhook at the only moment its signing secret is shown."""

    signing_secret: str


def _shown(webhook: Webhook, failures: list[WebhookDelivery]) -> WebhookOut:
    return WebhookOut(
        id=webhook.id,
        url=webhook.url,
        created_at=webhook.created_at,
        failures=[DeliveryOut.model_validate(row, from_attributes=True) for row in failures],
    )


@router.get("")
def list_webhooks(actor: ActorDep, runtime: RuntimeDep) -> Page[WebhookOut]:
    """List where I am told, with what could not be delivered."""
    with runtime.database.read(actor.tenant_id) as session:
        return Page(items=[_shown(*row) for row in service.list_webhooks(session, actor)])


@router.post("", status_code=201)
def add_webhook(body: NewWebhook, actor: ActorDep, runtime: RuntimeDep) -> NewWebhookOut:
    """Be told at this https URL. Its signing secret is shown in this answer and never again."""
    actor.need("me")
    service.check_url(body.url, runtime.settings)
    with runtime.database.write(actor.tenant_id) as session:
        webhook, secret = service.add_webhook(session, runtime.server_key, actor, body.url, runtime.now())
        return NewWebhookOut(**_shown(webhook, []).model_dump(), signing_secret=secret)


@router.delete("/{webhook_id}", status_code=204)
def remove_webhook(webhook_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Be told there no more."""
    with runtime.database.write(actor.tenant_id) as session:
        service.remove_webhook(session, actor, webhook_id)


@router.post("/{webhook_id}/deliveries/{delivery_id}/retry", status_code=202)
def retry_delivery(webhook_id: str, delivery_id: str, actor: ActorDep, runtime: RuntimeDep) -> DeliveryOut:
    """Try a delivery that was given up again."""
    with runtime.database.write(actor.tenant_id) as session:
        delivery = service.retry_delivery(session, actor, webhook_id, delivery_id, runtime.now())
        return DeliveryOut.model_validate(delivery, from_attributes=True)
