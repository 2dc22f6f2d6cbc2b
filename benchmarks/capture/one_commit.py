"""The baseline: `goldvein serve` whose /api/track does what comes to mind first, one transaction for each request.

It is this project's own first hot path, kept to be measured against: a worker thread looks the key up, decodes, asks
for the consents, sanitizes, and stores event, measurement and example through the ORM, with a commit of their own.
"""

from datetime import timedelta
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy import select
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from goldvein import server
from goldvein.app import create_app
from goldvein.capture.formats import CapturedUse, read_track
from goldvein.capture.prices import PRICES_AS_OF, estimate_cost
from goldvein.capture.tables import KnownEvent, TokenMeasurement, UsageEvent
from goldvein.cli import store
from goldvein.consent import service as consent
from goldvein.consent.decision import Decision, Use
from goldvein.db.ids import new_id
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import NotAuthenticated
from goldvein.examples.findings import count_findings
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, bearer_token
from goldvein.identity.actor import Reporter
from goldvein.identity.keys import parse_token
from goldvein.sanitizer import Sanitized, sanitize_many
from goldvein.skills import service as skills
from goldvein.wire import read_body, send_json

MAX_BODY_BYTES = 256 * 1024
WORKER_THREADS = 16


class OneCommitForEach:
    """The production application with another /api/track."""

    def __init__(self, application: ASGIApp, runtime: Runtime) -> None:
        self._application = application
        self._runtime = runtime
        self._threads = anyio.CapacityLimiter(WORKER_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != "/api/track":
            await self._application(scope, receive, send)
            return
        text = bearer_token(Headers(scope=scope).get("authorization")) or ""
        token = parse_token(text)
        if token is None:
            raise NotAuthenticated
        self._runtime.limiter.count_track(token.public_id)
        body = await read_body(scope, receive, limit_bytes=MAX_BODY_BYTES)
        answer = await anyio.to_thread.run_sync(record, self._runtime, text, body, limiter=self._threads)
        await send_json(send, 200, answer, {})


def record(runtime: Runtime, token: str, body: bytes) -> dict[str, Any]:
    """Store one use and say what became of it."""
    now = runtime.now()
    with runtime.database.read_across_tenants() as session:
        key = identity.find_key(session, runtime.server_key, token, now)
    if key is None:
        raise NotAuthenticated
    reporter = identity.reporter_of_key(key)
    use = read_track(body, received_at=now, oldest=now - timedelta(days=runtime.settings.event_retention_days))
    texts, expected = None, None
    if use.tool_input_snippet and use.tool_output_snippet:
        with runtime.database.read(reporter.tenant_id) as session:
            expected = _decide(session, reporter, skills.find_skill(session, use.skill or "").id, now)
        if expected.allowed:
            texts = sanitize_many([use.tool_input_snippet, use.tool_output_snippet])
    with runtime.database.write(reporter.tenant_id) as session:
        event = _store(session, runtime, reporter, use, texts=texts, expected=expected)
        capture = {"outcome": event.capture_outcome, "reason": event.capture_reason}
    return {"event_id": event.id, "outcome": "stored", "capture": capture}


def _decide(session: TenantSession, reporter: Reporter, skill_id: str, now: Any) -> Decision:
    use = Use(person_id=reporter.person_id, named_person_matches=True, skill_id=skill_id, opted_out=False, at=now)
    return consent.decide(session, use)


def _store(
    session: TenantSession,
    runtime: Runtime,
    reporter: Reporter,
    use: CapturedUse,
    *,
    texts: list[Sanitized] | None,
    expected: Decision | None,
) -> UsageEvent:
    lock_consent(session, exclusive=False)
    now = runtime.now()
    skill = skills.find_skill(session, use.skill or "")
    event_hash = runtime.server_key.digest("event-id", reporter.reporter_id, use.event_id or "")
    if session.scalar(select(KnownEvent).where(KnownEvent.event_hash == event_hash)) is not None:
        raise ValueError("the benchmark sends no event twice")
    decision = _decide(session, reporter, skill.id, now) if texts is not None else expected
    captured = texts is not None and decision is not None and decision.allowed
    reason = None if captured else decision.reason if decision is not None else "no_snippets"
    event = UsageEvent(
        id=new_id(),
        skill_id=skill.id,
        person_id=reporter.person_id,
        key_id=reporter.key_id,
        reporter_id=reporter.reporter_id,
        door="track",
        tool_name=use.tool_name,
        hook_event=use.hook_event,
        session_id=use.session_id,
        latency_ms=use.latency_ms,
        capture_outcome="captured" if captured else "denied" if decision is not None else "none",
        capture_reason=reason,
        occurred_at=use.occurred_at,
        received_at=now,
    )
    session.add(event)
    session.flush()
    session.add(
        KnownEvent(
            event_hash=event_hash,
            usage_event_id=event.id,
            person_id=reporter.person_id,
            body_hash=runtime.server_key.digest("event-body", use.event_id or ""),
            capture_outcome=event.capture_outcome,
            capture_reason=event.capture_reason,
            received_at=now,
        )
    )
    cost = estimate_cost(use.model_name or "", use.input_tokens, use.output_tokens)
    session.add(
        TokenMeasurement(
            usage_event_id=event.id,
            model_name=use.model_name or "",
            input_tokens=use.input_tokens,
            output_tokens=use.output_tokens,
            estimated_cost_usd=cost,
            prices_as_of=PRICES_AS_OF if cost is not None else None,
        )
    )
    if captured and texts is not None and decision is not None and reporter.person_id is not None:
        session.add(
            TrainingExample(
                skill_id=skill.id,
                user_id=reporter.person_id,
                usage_event_id=event.id,
                status="pending",
                source="usage_capture",
                example_input=texts[0].text,
                example_output=texts[1].text,
                sanitizer_version=texts[0].version,
                findings=count_findings(texts),
                tool_name=use.tool_name,
                tenant_consent_id=decision.tenant_record_id,
                person_consent_id=decision.person_record_id,
                created_at=now,
                updated_at=now,
            )
        )
    return event


def _with_baseline(runtime: Runtime) -> FastAPI:
    application = create_app(runtime)
    application.middleware_stack = OneCommitForEach(application.build_middleware_stack(), runtime)
    return application


def main() -> None:
    """Serve."""
    server.create_app = _with_baseline
    store.serve(host=None, port=None, workers=None)


if __name__ == "__main__":
    main()
