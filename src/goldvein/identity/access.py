"""Who is calling: what every route needs before it does anything."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated, Protocol
from urllib.parse import urlsplit

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from goldvein.db.session import Database
from goldvein.errors import BadSignature, CrossOrigin, InvalidField, NotAuthenticated, TooManyRequests
from goldvein.identity import server_key as server_keys
from goldvein.identity import service
from goldvein.identity.actor import Actor
from goldvein.identity.keys import parse_token, signature_flaw
from goldvein.identity.server_key import ServerKey
from goldvein.journal import service as journal
from goldvein.settings import Settings
from goldvein.telemetry import Metrics

SESSION_COOKIE = "goldvein_session"
CHANNEL_HEADER = "x-goldvein-channel"  # with a key, the command line and MCP tools say that it is them
WHOLE_BODY = "goldvein.body"  # where the edge puts the raw body of a request, for its signature
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


_FAILING_SECONDS = 180.0  # the limits look back for less
_MOST_FAILING = 10_000
_ADDRESS_SHARE = 20  # how many times more a whole address may fail than one key there: many people share an address


class Limiter:
    """Counts calls in memory, for this process; asked before any work on the database.

    A wrong key is counted for that key at that address, so that one forgotten hook does not lock an office out; the
    address as a whole gets a larger share. Passwords are counted before they are checked, for the address and for the
    account.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._track = RateLimitItemPerMinute(_share(settings.track_limit_per_minute, settings))
        limit = _share(settings.failed_authentication_limit_per_minute, settings)
        self._failing: dict[str, float] = {}
        self._failures = RateLimitItemPerMinute(limit)
        self._address_failures = RateLimitItemPerMinute(limit * _ADDRESS_SHARE)

    def count_track(self, public_key_id: str, events: int = 1) -> None:
        """Count events reported with a key; raises TooManyRequests over the limit, and counts none of them then.

        More than the limit at once could never pass: InvalidField says so.
        """
        if events >= self._track.amount and events > 1:
            most = f"at most {self._track.amount} at once: the limit of a key for a minute in this process"
            raise InvalidField(field="events", reason=most)
        if not self._limits.hit(self._track, "track", public_key_id, cost=events):
            raise self._refusal(self._track, "track", public_key_id)

    def need_few_failures(self, address: str, token: str) -> None:
        """Raise TooManyRequests when this key, or anything from this address, was refused too often."""
        if network_of(address) not in self._failing:  # nearly always; asking the limits costs as much as a whole call
            return
        for item, key in self._failure_keys(address, token):
            if not self._limits.test(item, *key):
                raise self._refusal(item, *key)

    def count_failure(self, address: str, token: str) -> None:
        """Count one refused key."""
        now = time.monotonic()
        if len(self._failing) >= _MOST_FAILING:
            self._failing = {place: at for place, at in self._failing.items() if now - at < _FAILING_SECONDS}
        self._failing[network_of(address)] = now
        for item, key in self._failure_keys(address, token):
            self._limits.hit(item, *key)

    def _failure_keys(self, address: str, token: str) -> list[tuple[RateLimitItemPerMinute, tuple[str, ...]]]:
        known = parse_token(token)
        public_id = known.public_id if known is not None else "malformed"
        network = network_of(address)
        return [(self._failures, ("key", network, public_id)), (self._address_failures, ("address", network))]

    def count_sign_in(self, address: str, account: str) -> None:
        """Count one try of a password or an invitation, before it is checked."""
        for key in (("sign-in", network_of(address)), ("account", account.strip().lower()[:254])):
            if not self._limits.hit(self._failures, *key):
                raise self._refusal(self._failures, *key)

    def _refusal(self, item: RateLimitItemPerMinute, *key: str) -> TooManyRequests:
        reset_time = self._limits.get_window_stats(item, *key).reset_time
        return TooManyRequests(retry_after_seconds=max(1, math.ceil(reset_time - time.time())))


def _share(limit: int, settings: Settings) -> int:
    """What one of several processes allows: each counts by itself, so each gets its part."""
    return math.ceil(limit / settings.workers)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 network that one IPv6 customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ip_network((parsed, 64), strict=False))  # noqa: PLR2004


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@dataclass(kw_only=True, slots=True)
class Runtime:
    """What one running goldvein holds: its settings, its store, its secret, its counters and its clock."""

    settings: Settings
    database: Database
    server_key: ServerKey
    metrics: Metrics = field(default_factory=Metrics)
    limiter: Limiter = field(init=False)
    now: Callable[[], datetime] = utc_now
    _at_close: list[Callable[[], None]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.limiter = Limiter(self.settings)
        self.database.follow(journal.TABLES, self._write_journal)

    def _write_journal(self) -> None:
        """Whatever route or command said a no: it is in the journal before anybody is answered."""
        if not journal.catch_up(self.database, self.settings.journal_path, self.now()):
            self.metrics.journal_failures.inc()

    def at_close(self, end: Callable[[], None]) -> None:
        """Have something ended before the store is closed."""
        self._at_close.append(end)

    def close(self) -> None:
        """End what was started on this runtime, in the order of its start, then close the store. Safe to call twice."""
        ends, self._at_close = self._at_close, []
        for end in ends:
            end()
        self.database.close()

    @classmethod
    def open(cls, settings: Settings) -> "Runtime":
        """Open the store these settings name."""
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(settings=settings, database=Database(settings.store_url), server_key=server_keys.load(settings))


def runtime_of(request: Request) -> Runtime:
    """The runtime of the application that serves this request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeDep = Annotated[Runtime, Depends(runtime_of)]


def bearer_token(header: str | None) -> str | None:
    """The token of an `Authorization: Bearer` header; None when there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def client_address(request: Request) -> str:
    """Where a request comes from, as far as the trusted proxies tell."""
    return request.client.host if request.client else "unknown"


def current_actor(request: Request, runtime: RuntimeDep) -> Actor:
    """The person of this request, by API key or by session cookie; NotAuthenticated when there is none.

    A request that carries a key is judged by the key alone. A cookie is believed for changes only from pages of this
    server's own origin.
    """
    token = bearer_token(request.headers.get("authorization"))
    actor = _actor_of_key(request, runtime, token) if token is not None else session_actor(request, runtime)
    if actor is None:
        raise NotAuthenticated
    if actor.channel == "web":
        need_same_origin(request.method, request.headers, runtime.settings.base_url, str(request.base_url))
    return actor


ActorDep = Annotated[Actor, Depends(current_actor)]


def _actor_of_key(request: Request, runtime: Runtime, token: str) -> Actor | None:
    address = client_address(request)
    runtime.limiter.need_few_failures(address, token)
    key, actor = None, None
    if parse_token(token) is not None:
        with runtime.database.read_across_tenants() as session:
            key = service.find_key(session, runtime.server_key, token, runtime.now())
            actor = service.actor_of_key(session, key) if key is not None else None
    if key is None or actor is None:
        runtime.limiter.count_failure(address, token)
        return None
    need_signature(runtime, key, request.headers, request.scope[WHOLE_BODY])
    return _through(actor, request.headers.get(CHANNEL_HEADER))


def _through(actor: Actor, named: str | None) -> Actor:
    """The actor with the channel their program names; it is recorded with a choice, and allows nothing."""
    if named == "cli":
        return replace(actor, channel="cli")
    return replace(actor, channel="mcp") if named == "mcp" else actor


class SigningKey(Protocol):
    """What a signature is checked against."""

    @property
    def id(self) -> str:
        """The key's id, from which its signing secret is derived."""

    @property
    def requires_signature(self) -> bool:
        """Whether calls with this key must be signed."""


def need_signature(runtime: Runtime, key: SigningKey, headers: Mapping[str, str], body: bytes) -> None:
    """Raise BadSignature for a call with a key that requires signatures, unless its signature holds."""
    if not key.requires_signature:
        return
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    message_id, timestamp, signatures = (headers.get(name, "") for name in names)
    flaw = signature_flaw(
        runtime.server_key.digests("signing", key.id),
        message_id=message_id,
        timestamp=timestamp,
        signatures=signatures,
        body=body,
        now=runtime.now().timestamp(),
    )
    if flaw is not None:
        raise BadSignature(rule=flaw)


def session_actor(request: Request, runtime: Runtime) -> Actor | None:
    """The person signed in with this browser; None when nobody is."""
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    with runtime.database.read_across_tenants() as session:
        return service.actor_of_session(session, runtime.server_key, token, runtime.now())


def need_same_origin(method: str, headers: Mapping[str, str], *own_urls: str) -> None:
    """Raise CrossOrigin for a change that a page of another origin sent with a browser's cookie.

    Browsers say where a form comes from (Origin, Sec-Fetch-Site); a change that says nothing is refused too.
    """
    if method in _SAFE_METHODS:
        return
    if headers.get("sec-fetch-site") == "same-origin":
        return
    origin = headers.get("origin")
    if origin is None or origin not in {_origin(url) for url in own_urls}:
        raise CrossOrigin


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
