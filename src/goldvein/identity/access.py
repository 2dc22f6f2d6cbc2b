"""Who is calling: what every route needs before it does anything."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from goldvein.db.session import Database
from goldvein.errors import CrossOrigin, NotAuthenticated, TooManyRequests
from goldvein.identity import server_key as server_keys
from goldvein.identity import service
from goldvein.identity.actor import Actor
from goldvein.identity.keys import parse_token
from goldvein.identity.server_key import ServerKey
from goldvein.settings import Settings
from goldvein.telemetry import Metrics

SESSION_COOKIE = "goldvein_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Limiter:
    """Counts calls in memory, for this process; asked before any work on the database."""

    def __init__(self, settings: Settings) -> None:
        self._limits = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._track = RateLimitItemPerMinute(settings.track_limit_per_minute)
        self._failures = RateLimitItemPerMinute(settings.failed_authentication_limit_per_minute)

    def count_track(self, public_key_id: str) -> None:
        """Count one call with a key; raises TooManyRequests over the limit."""
        if not self._limits.hit(self._track, "track", public_key_id):
            raise self._refusal(self._track, "track", public_key_id)

    def need_few_failures(self, address: str) -> None:
        """Raise TooManyRequests when an address has tried too many wrong keys or passwords."""
        if not self._limits.test(self._failures, "failure", address):
            raise self._refusal(self._failures, "failure", address)

    def count_failure(self, address: str) -> None:
        """Count one wrong key or password."""
        self._limits.hit(self._failures, "failure", address)

    def _refusal(self, item: RateLimitItemPerMinute, *key: str) -> TooManyRequests:
        reset_time = self._limits.get_window_stats(item, *key).reset_time
        return TooManyRequests(retry_after_seconds=max(1, math.ceil(reset_time - time.time())))


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

    def __post_init__(self) -> None:
        self.limiter = Limiter(self.settings)

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
    runtime.limiter.need_few_failures(address)
    actor = None
    if parse_token(token) is not None:
        with runtime.database.read_across_tenants() as session:
            key = service.find_key(session, runtime.server_key, token, runtime.now())
            actor = service.actor_of_key(session, key) if key is not None else None
    if actor is None:
        runtime.limiter.count_failure(address)
    return actor


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
