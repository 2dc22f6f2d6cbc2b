"""The doors through which uses are reported: plain ASGI, without the web framework's request model.

Each request: authenticate by form, limit, read the body within its size, then in a worker thread look the key up,
check its signature, decode, record, and answer when it is on disk. Nothing else happens here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import msgspec
import structlog
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from goldvein.capture import service
from goldvein.capture.claude_code import HookReading, read_claude_code_hook, skill_candidates
from goldvein.capture.formats import SKILL_RULE, CapturedUse, is_skill_name, read_track
from goldvein.capture.outcomes import Recorded, rejection_of
from goldvein.errors import (
    GoldveinError,
    InvalidField,
    MissingScope,
    NotAuthenticated,
    NotFound,
    StoreUnavailable,
)
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, bearer_token, need_signature
from goldvein.identity.actor import Reporter
from goldvein.identity.keys import parse_token
from goldvein.skills import service as skills
from goldvein.wire import INTERNAL_ERROR, error_object, headers_of, read_body, send_json, status_of

MAX_BODY_BYTES = 256 * 1024
MAX_WAITING = 256  # calls in work or waiting for a thread; one more is told to come back, before any work is done
WORKER_THREADS = 16

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request, read whole."""

    headers: Headers
    address: str
    token: str
    body: bytes = field(repr=False)


Handler = Callable[[Runtime, Call], dict[str, Any]]


class HotPath:
    """An ASGI application for one door."""

    def __init__(self, runtime: Runtime, door: str, handler: Handler, *, always_ok: bool = False) -> None:
        self._runtime = runtime
        self._door = door
        self._handler = handler
        self._always_ok = always_ok
        self._threads = anyio.CapacityLimiter(WORKER_THREADS)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, exactly one outcome is counted."""
        metrics = self._runtime.metrics
        metrics.received.labels(door=self._door).inc()
        status, content, headers = 200, {}, {}
        try:
            content = await self._answer(scope, receive)
        except GoldveinError as error:
            self._count_rejection(rejection_of(error))
            status, content, headers = status_of(error), error_object(error), headers_of(error)
        except Exception:  # the edge: a bug becomes a counted 500, never a dropped call
            self._count_rejection("internal_error")
            log.exception("hot_path_failed", door=self._door)
            status, content = 500, INTERNAL_ERROR
        if self._always_ok and status != 401:  # noqa: PLR2004
            status, content, headers = 200, {}, {}
        await send_json(send, status, content, headers)

    def _count_rejection(self, reason: str) -> None:
        self._runtime.metrics.outcomes.labels(door=self._door, outcome="rejected", reason=reason).inc()

    async def _answer(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        headers = Headers(scope=scope)
        address = (scope.get("client") or ("unknown", 0))[0]
        limiter = self._runtime.limiter
        text = bearer_token(headers.get("authorization")) or ""
        limiter.need_few_failures(address, text)
        token = parse_token(text)
        if token is None:
            limiter.count_failure(address, text)
            raise NotAuthenticated
        limiter.count_track(token.public_id)
        body = await read_body(scope, receive, limit_bytes=MAX_BODY_BYTES)
        if self._waiting >= MAX_WAITING:
            raise StoreUnavailable
        self._waiting += 1
        try:
            call = Call(headers=headers, address=address, token=text, body=body)
            return await anyio.to_thread.run_sync(self._handler, self._runtime, call, limiter=self._threads)
        finally:
            self._waiting -= 1


def authenticate(runtime: Runtime, call: Call) -> Reporter:
    """Whose key this is; it must be live, carry the scope `track`, and be signed when it asks for that."""
    with runtime.database.read_across_tenants() as session:
        key = identity.find_key(session, runtime.server_key, call.token, runtime.now())
    if key is None:
        runtime.limiter.count_failure(call.address, call.token)
        raise NotAuthenticated
    if "track" not in key.scopes:
        raise MissingScope(scope="track")
    need_signature(runtime, key, call.headers, call.body)
    return identity.reporter_of_key(key)


def handle_track(runtime: Runtime, call: Call) -> dict[str, Any]:
    """POST /api/track."""
    reporter = authenticate(runtime, call)
    now = runtime.now()
    oldest = now - timedelta(days=runtime.settings.event_retention_days)
    use = read_track(call.body, received_at=now, oldest=oldest)
    recorded = _record(runtime, call, reporter, use, door="track")
    capture = recorded.capture
    return {
        "event_id": recorded.usage_event_id,
        "outcome": recorded.outcome,
        "capture": {"outcome": capture.outcome, "reason": capture.reason},
    }


def _record(runtime: Runtime, call: Call, reporter: Reporter, use: CapturedUse, *, door: str) -> Recorded:
    message_id = call.headers.get("webhook-id")
    if use.event_id is None and message_id:
        # A signed call could be replayed within its five minutes: its message id makes it the same event.
        use = msgspec.structs.replace(use, event_id=f"webhook-id:{message_id}")
    report = service.Report(
        reporter=reporter,
        use=use,
        door=door,
        received_at=runtime.now(),
        opted_out=call.headers.get("sec-gpc", "").strip() == "1",
    )
    names = runtime.settings.sanitizer_names
    recorded = service.record_use(runtime.database, runtime.server_key, report, names=names)
    count(runtime, recorded, use, door=door)
    return recorded


def count(runtime: Runtime, recorded: Recorded, use: CapturedUse, *, door: str) -> None:
    """Count one outcome; called after the commit, so that the counters never run ahead of the store."""
    metrics = runtime.metrics
    metrics.outcomes.labels(door=door, outcome=recorded.outcome, reason="").inc()
    if recorded.outcome == "duplicate":
        return
    metrics.captures.labels(outcome=recorded.capture.outcome, reason=recorded.capture.reason or "").inc()
    for finding, number in recorded.findings.items():
        metrics.findings.labels(type=finding).inc(number)
    if use.replaced_nuls:
        metrics.replaced_nuls.inc(use.replaced_nuls)


def handle_claude_code_hook(runtime: Runtime, call: Call) -> dict[str, Any]:
    """POST /api/hooks/claude-code: remember which skill is at work in a turn, and record each use.

    The client reads the answer as hook output, so it is empty whatever becomes of the call.
    """
    reporter = authenticate(runtime, call)
    reading = read_claude_code_hook(call.body, received_at=runtime.now())
    named = call.headers.get("x-goldvein-skill")
    if named is not None and not is_skill_name(named):
        raise InvalidField(field="X-Goldvein-Skill", reason=SKILL_RULE)
    skill_id = _skill_of_turn(runtime, reporter, reading, named)
    if reading.use is None:
        _count_rejected_hook(runtime, "not_a_use")
    elif skill_id is None:
        _count_rejected_hook(runtime, "no_skill")
    else:
        _record(runtime, call, reporter, msgspec.structs.replace(reading.use, skill=skill_id), door="hook")
    return {}


def _count_rejected_hook(runtime: Runtime, reason: str) -> None:
    runtime.metrics.outcomes.labels(door="hook", outcome="rejected", reason=reason).inc()


def _skill_of_turn(runtime: Runtime, reporter: Reporter, reading: HookReading, named: str | None) -> str | None:
    """Which skill this event belongs to.

    1. The header names it, for hooks installed for one skill. 2. The event itself names it (the model calls a skill,
    or a person types it): that is remembered for the turn. 3. It was remembered earlier in the turn.
    """
    if named is not None:
        return _known_skill(runtime, reporter, (named,))
    named_skill = None
    if reading.names_skill is not None:
        named_skill = _known_skill(runtime, reporter, skill_candidates(reading.names_skill))
    if reading.session_id is None or reading.prompt_id is None:
        return named_skill
    turn = {"session_id": reading.session_id, "prompt_id": reading.prompt_id}
    if named_skill is not None:
        service.remember_turn(runtime.database, reporter, **turn, skill_id=named_skill, now=runtime.now())
        return named_skill
    if reading.names_skill is not None or reading.ends_turn:
        # A skill we do not know is at work now: what follows belongs to it, not to the one before.
        with runtime.database.write(reporter.tenant_id) as session:
            service.forget_turn(session, reporter, **turn)
        return None
    with runtime.database.read(reporter.tenant_id) as session:
        found = service.find_turn(session, reporter, **turn, now=runtime.now())
        return found.skill_id if found else None


def _known_skill(runtime: Runtime, reporter: Reporter, names: tuple[str, ...]) -> str | None:
    with runtime.database.read(reporter.tenant_id) as session:
        for name in names:
            try:
                return skills.find_skill(session, name).id
            except NotFound:
                continue
    return None


Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def doors(runtime: Runtime) -> dict[str, Application]:
    """The paths this module answers (POST only)."""
    return {
        "/api/track": HotPath(runtime, "track", handle_track),
        "/api/hooks/claude-code": HotPath(runtime, "hook", handle_claude_code_hook, always_ok=True),
    }
