"""The doors through which uses are reported: plain ASGI, without the web framework's request model.

Each request, on the event loop: the form of the key, the limiter, the key (remembered for a second), the body within
its size, its signature, decoding; then the recorder. Only what takes long goes to a thread: a batch, a text of many
kilobytes or with rules of the tenant's own, the memory of a hook's turn.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from goldvein import failpoints
from goldvein.capture import service
from goldvein.capture.claude_code import HookReading, read_claude_code_hook, skill_candidates
from goldvein.capture.formats import MAX_EVENT_BYTES, SKILL_RULE, CapturedUse, is_skill_name, read_batch, read_track
from goldvein.capture.outcomes import Recorded, rejection_of
from goldvein.capture.recorder import Recorder
from goldvein.capture.storing import Outcome
from goldvein.capture.uses import Report
from goldvein.errors import (
    GoldveinError,
    InvalidField,
    MissingScope,
    NotAuthenticated,
    NotFound,
    StoreUnavailable,
)
from goldvein.identity.access import Runtime, bearer_token, need_signature
from goldvein.identity.actor import Reporter
from goldvein.identity.key_cache import KeyCache, LiveKey
from goldvein.identity.keys import parse_token
from goldvein.skills import service as skills
from goldvein.wire import INTERNAL_ERROR, encode, error_object, headers_of, read_body, send_bytes, status_of

MAX_BODY_BYTES: Final = MAX_EVENT_BYTES
MAX_BATCH_BYTES: Final = 8 * 1024 * 1024

_SIGNALS_OF_NO = ("sec-gpc", "dnt")  # of browsers, of programs that are told DO_NOT_TRACK=1

log = structlog.get_logger()


class Call:
    """One request, and how much of it has been counted."""

    __slots__ = ("address", "body", "counted", "headers", "items", "key")

    key: LiveKey

    def __init__(self, scope: Scope) -> None:
        # Of a header that comes twice the first counts, as everywhere else.
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        self.address: str = (scope.get("client") or ("unknown", 0))[0]
        self.body = b""
        self.items = 1
        self.counted = False

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        value = self.headers.get(name.encode())
        return None if value is None else value.decode("latin-1")


Handler = Callable[["Doors", Call], Awaitable[bytes]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class HotPath:
    """An ASGI application for one door."""

    def __init__(
        self, doors: "Doors", route: str, door: str, handler: Handler, *, limit_bytes: int, always_ok: bool = False
    ) -> None:
        self._doors = doors
        self._metrics = doors.runtime.metrics
        self._received = self._metrics.received.labels(door=door)
        self._succeeded = self._metrics.requests.labels(route=route, status="200")
        self._route = route
        self._door = door
        self._handler = handler
        self._limit_bytes = limit_bytes
        self._always_ok = always_ok

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, each of its items has exactly one outcome that is counted."""
        started = time.perf_counter()
        call = Call(scope)
        self._received.inc()
        status, headers = 200, {}
        try:
            content = await self._answer(call, scope, receive)
        except GoldveinError as error:
            self._count_rejected(call, rejection_of(error))
            status, content, headers = status_of(error), encode(error_object(error)), headers_of(error)
        except Exception:  # the edge: a bug becomes a counted 500, never a dropped call
            self._count_rejected(call, "internal_error")
            log.exception("hot_path_failed", door=self._door)
            status, content = 500, encode(INTERNAL_ERROR)
        except BaseException:  # the server is stopping, or the caller has gone away
            self._count_rejected(call, "store_unavailable")
            raise
        if self._always_ok and status != 401:  # noqa: PLR2004
            status, content, headers = 200, b"{}", {}
        failpoints.reach("track.answering")
        await send_bytes(send, status, content, headers)
        seconds = time.perf_counter() - started
        measured = self._succeeded if status == 200 else self._metrics.requests.labels(self._route, str(status))  # noqa: PLR2004
        measured.observe(seconds)

    def _count_rejected(self, call: Call, reason: str) -> None:
        if not call.counted:
            self._metrics.outcomes.labels(door=self._door, outcome="rejected", reason=reason).inc(call.items)
            call.counted = True

    async def _answer(self, call: Call, scope: Scope, receive: Receive) -> bytes:
        runtime, keys = self._doors.runtime, self._doors.keys
        limiter = runtime.limiter
        text = bearer_token(call.header("authorization")) or ""
        limiter.need_few_failures(call.address, text)
        key = keys.get(text)
        token = parse_token(text) if key is None else None
        if key is None and token is None:
            limiter.count_failure(call.address, text)
            raise NotAuthenticated
        limiter.count_track(key.public_id if key is not None else token.public_id)  # type: ignore[union-attr]  # one is
        key = key or await keys.load(text)
        if key is None:
            limiter.count_failure(call.address, text)
            raise NotAuthenticated
        if "track" not in key.scopes:
            raise MissingScope(scope="track")
        # Only now: nobody without a key has the server hold megabytes.
        call.body = await read_body(scope, receive, limit_bytes=self._limit_bytes)
        if key.requires_signature:
            need_signature(runtime, key, _texts(call.headers), call.body)
        call.key = key
        return await self._handler(self._doors, call)

    def count_more(self, number: int) -> None:
        """A batch was read, and holds so many items beside the first."""
        self._received.inc(number)


def _texts(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}


class Doors:
    """The doors of one application, and what they share."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.keys = KeyCache(runtime)
        self.recorder = Recorder(runtime)
        track = HotPath(self, "/api/track", "track", handle_track, limit_bytes=MAX_BODY_BYTES)
        self.batch = HotPath(self, "/api/track/batch", "track", handle_batch, limit_bytes=MAX_BATCH_BYTES)
        hook = HotPath(
            self,
            "/api/hooks/claude-code",
            "hook",
            handle_claude_code_hook,
            limit_bytes=MAX_BODY_BYTES,
            always_ok=True,
        )
        self.by_path: dict[str, Application] = {
            "/api/track": track,
            "/api/track/batch": self.batch,
            "/api/hooks/claude-code": hook,
        }

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run what would hold the event loop up in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.recorder.threads, function, *arguments)

    async def record(self, call: Call, reports: list[Report | GoldveinError], *, door: str) -> list[Outcome]:
        """Record the uses of a call; from here on the recorder counts."""
        failpoints.reach("track.decoded")
        call.counted = True
        return await self.recorder.record(reports, door=door, size=len(call.body))


async def handle_track(doors: Doors, call: Call) -> bytes:
    """POST /api/track."""
    runtime = doors.runtime
    now = runtime.now()
    use = read_track(call.body, received_at=now, oldest=_oldest(runtime, call, now))
    (outcome,) = await doors.record(call, [_report(runtime, call, use, door="track")], door="track")
    return _shown(outcome)


async def handle_batch(doors: Doors, call: Call) -> bytes:
    """POST /api/track/batch: each event with its own outcome, in order."""
    runtime = doors.runtime
    now = runtime.now()
    read = await doors.in_thread(read_batch, call.body, now, _oldest(runtime, call, now))
    call.items = len(read)
    doors.batch.count_more(len(read) - 1)
    if len(read) > 1:
        runtime.limiter.count_track(call.key.public_id, len(read) - 1)
    reports = [
        use if isinstance(use, GoldveinError) else _report(runtime, call, use, door="track", place=place)
        for place, use in enumerate(read)
    ]
    outcomes = await doors.record(call, reports, door="track")
    first = outcomes[0]
    if isinstance(first, StoreUnavailable) and all(isinstance(outcome, StoreUnavailable) for outcome in outcomes):
        raise first  # all of it may be sent again
    return b'{"results":[' + b",".join(map(_shown_in_batch, outcomes)) + b"]}"


def _oldest(runtime: Runtime, call: Call, now: datetime) -> datetime:
    """Before which an event is refused: it would be removed at once, and its retry no more known."""
    return now - timedelta(days=call.key.event_retention_days or runtime.settings.event_retention_days)


def _report(runtime: Runtime, call: Call, use: CapturedUse, *, door: str, place: int | None = None) -> Report:
    message_id = call.header("webhook-id")
    if use.event_id is None and message_id:
        # A signed call could be replayed within its five minutes: its message id makes it the same event.
        own = f"webhook-id:{message_id}" if place is None else f"webhook-id:{message_id}:{place}"
        use = msgspec.structs.replace(use, event_id=own)
    return Report(
        reporter=call.key.reporter,
        use=use,
        door=door,
        received_at=runtime.now(),
        opted_out=any((call.header(name) or "").strip() == "1" for name in _SIGNALS_OF_NO),
    )


def _shown(outcome: Outcome) -> bytes:
    """The answer to one recorded use; raises what it is refused with. Ids and reasons are ours: nothing to escape."""
    if isinstance(outcome, Exception):
        raise outcome
    return _recorded(outcome)


def _recorded(recorded: Recorded) -> bytes:
    reason = "null" if recorded.capture.reason is None else f'"{recorded.capture.reason}"'
    return (
        f'{{"event_id":"{recorded.usage_event_id}","outcome":"{recorded.outcome}",'
        f'"capture":{{"outcome":"{recorded.capture.outcome}","reason":{reason}}}}}'
    ).encode()


def _shown_in_batch(outcome: Outcome) -> bytes:
    if isinstance(outcome, Recorded):
        return _recorded(outcome)
    shown = error_object(outcome) if isinstance(outcome, GoldveinError) else INTERNAL_ERROR
    return encode({"outcome": "rejected", "reason": rejection_of(outcome), **shown})


async def handle_claude_code_hook(doors: Doors, call: Call) -> bytes:
    """POST /api/hooks/claude-code: remember which skill is at work in a turn, and record each use.

    The client reads the answer as hook output, so it is empty whatever becomes of the call.
    """
    use: CapturedUse | str = await doors.in_thread(_read_hook, doors.runtime, call)
    if isinstance(use, str):
        doors.runtime.metrics.outcomes.labels(door="hook", outcome="rejected", reason=use).inc()
        call.counted = True
        return b"{}"
    (outcome,) = await doors.record(call, [_report(doors.runtime, call, use, door="hook")], door="hook")
    if isinstance(outcome, Exception):
        raise outcome
    return b"{}"


def _read_hook(runtime: Runtime, call: Call) -> CapturedUse | str:
    """The use that a hook event reports, with its skill; or the reason why it reports none."""
    reading = read_claude_code_hook(call.body, received_at=runtime.now())
    named = call.header("x-goldvein-skill")
    if named is not None and not is_skill_name(named):
        raise InvalidField(field="X-Goldvein-Skill", reason=SKILL_RULE)
    skill_id = _skill_of_turn(runtime, call.key.reporter, reading, named)
    if reading.use is None:
        return "not_a_use"
    if skill_id is None:
        return "no_skill"
    return msgspec.structs.replace(reading.use, skill=skill_id)


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
