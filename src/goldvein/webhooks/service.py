"""Telling people by webhooks: in Standard Webhooks form, again and again for three days, then it waits for them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField, JSONValue, NotFound
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.identity.actor import Actor
from goldvein.identity.keys import signature, signing_secret
from goldvein.identity.server_key import ServerKey
from goldvein.jobs import service as jobs
from goldvein.jobs.kinds import JobFailed, JobHopeless, Task
from goldvein.settings import Settings
from goldvein.webhooks import sending
from goldvein.webhooks.addresses import Place, read_url
from goldvein.webhooks.sending import NotSent
from goldvein.webhooks.tables import Webhook, WebhookDelivery

DELIVER: Final = "webhooks.deliver"
DELAYS: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Ten attempts in three days and four hours."""
MAX_WEBHOOKS: Final = 10
SHOWN_FAILURES: Final = 20
KEPT: Final = timedelta(days=90)
GONE: Final = 410
_FORGOTTEN_AT_ONCE: Final = 100
_SECRET: Final = "webhook"  # noqa: S105 (the purpose of a digest)


def check_url(url: str, settings: Settings) -> None:
    """Raise InvalidField for a URL that messages may not be sent to. Resolves its name: not within a transaction."""
    place = _read(url, settings)
    try:
        sending.resolve(place, allow_private=settings.webhooks_allow_private)
    except NotSent as refused:
        reason = "its host has no address" if refused.code == "no_address" else "its host is not on the public internet"
        raise InvalidField(field="url", reason=reason) from None


def _read(url: str, settings: Settings) -> Place:
    place = read_url(url, allow_http=settings.webhooks_allow_http)
    if isinstance(place, str):
        raise InvalidField(field="url", reason=place)
    return place


def add_webhook(
    session: TenantSession, server_key: ServerKey, actor: Actor, url: str, now: datetime
) -> tuple[Webhook, str]:
    """Register a URL that was checked; returns it with its signing secret, which is shown this once."""
    actor.need("me")
    identity.member(session, actor.person_id, to_change=True)  # two at once do not pass the limit
    own = select(func.count()).select_from(Webhook).where(Webhook.person_id == actor.person_id)
    if (session.scalar(own) or 0) >= MAX_WEBHOOKS:
        raise InvalidField(field="url", reason=f"you already have {MAX_WEBHOOKS} webhooks")
    webhook = Webhook(id=new_id(), person_id=actor.person_id, url=url, created_at=now)
    session.add(webhook)
    session.flush()
    return webhook, signing_secret(server_key.digest(_SECRET, webhook.id))


def list_webhooks(session: TenantSession, actor: Actor) -> list[tuple[Webhook, list[WebhookDelivery]]]:
    """The person's webhooks, oldest first, each with its latest deliveries that have not arrived, newest first."""
    actor.need("me")
    own = select(Webhook).where(Webhook.person_id == actor.person_id).order_by(Webhook.created_at, Webhook.id)
    return [(webhook, _troubled(session, webhook)) for webhook in session.scalars(own)]


def _troubled(session: TenantSession, webhook: Webhook) -> list[WebhookDelivery]:
    rows = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.state != "delivered")
    return list(session.scalars(rows.order_by(WebhookDelivery.id.desc()).limit(SHOWN_FAILURES)))


def _own(session: TenantSession, actor: Actor, webhook_id: str) -> Webhook:
    actor.need("me")
    here = select(Webhook).where(Webhook.id == webhook_id, Webhook.person_id == actor.person_id)
    webhook = session.scalar(here) if is_id(webhook_id) else None
    if webhook is None:
        raise NotFound(what="webhook of yours")
    return webhook


def remove_webhook(session: TenantSession, actor: Actor, webhook_id: str) -> None:
    """Remove a webhook with its deliveries; what is on its way to it is dropped."""
    session.delete(_own(session, actor, webhook_id))


def retry_delivery(
    session: TenantSession, actor: Actor, webhook_id: str, delivery_id: str, now: datetime
) -> WebhookDelivery:
    """Try a delivery that has not arrived again, from the beginning of its three days."""
    webhook = _own(session, actor, webhook_id)
    here = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id,
        WebhookDelivery.webhook_id == webhook.id,
        WebhookDelivery.state != "delivered",
    )
    delivery = session.scalar(here.with_for_update()) if is_id(delivery_id) else None
    if delivery is None:
        raise NotFound(what="delivery that has not arrived")
    delivery.state, delivery.attempts, delivery.updated_at = "waiting", 0, now
    jobs.enqueue(session, DELIVER, {"delivery": delivery.id}, now=now)
    return delivery


def forget_member(session: TenantSession, person_id: str) -> None:
    """Remove where a person wanted to be told, at the end of their account, with what is on its way."""
    for webhook in session.scalars(select(Webhook).where(Webhook.person_id == person_id)):
        session.delete(webhook)


def forget_old(session: TenantSession, now: datetime) -> int:
    """Remove some of the messages that are 90 days old, whatever became of them; returns how many."""
    rows = select(WebhookDelivery).where(WebhookDelivery.created_at < now - KEPT).order_by(WebhookDelivery.id)
    old = list(session.scalars(rows.limit(_FORGOTTEN_AT_ONCE)))
    for delivery in old:
        session.delete(delivery)
    return len(old)


def announce(
    session: TenantSession,
    tenant_id: str,
    person_ids: Sequence[str],
    event_type: str,
    data: Mapping[str, JSONValue],
    *,
    now: datetime,
) -> int:
    """Tell these people, by every webhook they have, if the caller's transaction commits; returns how many messages.

    `data` holds ids, words and numbers of ours: it is stored, and leaves the server.
    """
    if tenant_id != session.tenant_id:
        raise ValueError("people are told of their own tenant's data")
    people = sorted(set(person_ids))
    webhooks = list(session.scalars(select(Webhook).where(Webhook.person_id.in_(people)).order_by(Webhook.id)))
    for webhook in webhooks:
        delivery = WebhookDelivery(
            id=new_id(),
            webhook_id=webhook.id,
            event_type=event_type,
            data=dict(data),
            state="waiting",
            attempts=0,
            created_at=now,
            updated_at=now,
        )
        session.add(delivery)
        jobs.enqueue(session, DELIVER, {"delivery": delivery.id}, now=now)
    return len(webhooks)


def deliver(runtime: Runtime, task: Task) -> Iterator[None]:
    """Send one message: read it, send it outside of any transaction, write what became of it.

    It may arrive twice, with the same `webhook-id`: a process can end between the sending and the writing.
    """
    delivery_id, now = task.payload["delivery"], runtime.now()
    with runtime.database.read(task.tenant_id or "") as session:
        found = _waiting(session, delivery_id)
    if found is None:
        return  # removed, or delivered before its worker was killed
    delivery, webhook = found
    status: int | None = None
    error: str | None = None
    try:
        status = _send(runtime, delivery, webhook, now)
        if not 200 <= status < 300:  # noqa: PLR2004 (what HTTP calls a success)
            error = "redirected" if 300 <= status < 400 else "refused"  # noqa: PLR2004 (nor is a redirect followed)
    except NotSent as failed:
        error = failed.code
    is_over = error is not None and (task.is_last_attempt or status == GONE)
    with runtime.database.write(task.tenant_id or "") as session:
        _note(session, delivery_id, status, error, is_over=is_over, now=runtime.now())
    yield
    if error is not None:
        raise JobHopeless(error) if status == GONE else JobFailed(error)


def _waiting(session: TenantSession, delivery_id: str) -> tuple[WebhookDelivery, Webhook] | None:
    rows = select(WebhookDelivery, Webhook).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    row = session.execute(rows.where(WebhookDelivery.id == delivery_id, WebhookDelivery.state == "waiting")).first()
    if row is None or not identity.is_active(identity.member(session, row[1].person_id)):
        return None
    return row[0], row[1]


def _note(
    session: TenantSession, delivery_id: str, status: int | None, error: str | None, *, is_over: bool, now: datetime
) -> None:
    delivery = session.scalar(select(WebhookDelivery).where(WebhookDelivery.id == delivery_id).with_for_update())
    if delivery is None:
        return  # removed while it was on its way
    delivery.state = "delivered" if error is None else "dead" if is_over else "waiting"
    delivery.attempts, delivery.updated_at = delivery.attempts + 1, now
    delivery.last_status, delivery.last_error = status, error


def _send(runtime: Runtime, delivery: WebhookDelivery, webhook: Webhook, now: datetime) -> int:
    settings = runtime.settings
    place = read_url(webhook.url, allow_http=settings.webhooks_allow_http)
    if isinstance(place, str):  # the settings allow less than when it was registered
        raise NotSent("url_not_allowed")
    content = {"type": delivery.event_type, "timestamp": delivery.created_at.isoformat(), "data": delivery.data}
    body = json.dumps(content, separators=(",", ":")).encode()
    timestamp = str(int(now.timestamp()))
    secrets = runtime.server_key.digests(_SECRET, webhook.id)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "goldvein",
        "webhook-id": delivery.id,
        "webhook-timestamp": timestamp,
        # After a rotation of the server's key the receiver still holds what the older one derived.
        "webhook-signature": " ".join(signature(secret, delivery.id, timestamp, body) for secret in secrets),
    }
    return sending.post(place, sending.resolve(place, allow_private=settings.webhooks_allow_private), body, headers)
