"""Keys remembered for a second, for the doors where asking the database each time would cost more than the work."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from goldvein.identity import service
from goldvein.identity.access import Runtime
from goldvein.identity.actor import Reporter
from goldvein.short_cache import ShortCache

MAX_KEYS: Final = 10_000
KEY_SECONDS: Final = 1.0  # how long another process may not have heard of a revocation
_THREADS: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveKey:
    """A key that was live when it was read."""

    id: str
    public_id: str
    reporter: Reporter
    scopes: frozenset[str]
    requires_signature: bool
    expires_at: datetime | None
    event_retention_days: int | None


class KeyCache:
    """Whose key this is. A key that is revoked, rotated or ended in this process is forgotten in the same moment.

    Keys are held by their digests, so that no dump of the memory shows more of them than the requests at work. A key
    that is unknown is never remembered.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._threads = ThreadPoolExecutor(_THREADS, "keys")
        self._keys: ShortCache[bytes, LiveKey] = ShortCache(most=MAX_KEYS)
        runtime.database.watch(frozenset({"api_keys", "memberships", "tenants"}), self._keys.clear)
        runtime.at_close(self._threads.shutdown)

    def get(self, text: str) -> LiveKey | None:
        """The key with this text, if it is remembered."""
        found = self._keys.get(_digest(text))
        if found is not None and found.expires_at is not None and found.expires_at <= self._runtime.now():
            return None
        return found

    async def load(self, text: str) -> LiveKey | None:
        """The key with this text, read in a thread; None when there is none that is live."""
        return await self._keys.load(_digest(text), lambda: self._read(text), self._threads)

    def _read(self, text: str) -> tuple[LiveKey, float] | None:
        runtime = self._runtime
        with runtime.database.read_across_tenants() as session:
            key = service.find_key(session, runtime.server_key, text, runtime.now())
            days = None if key is None else service.event_retention_of(session, key.tenant_id)
        if key is None:
            return None
        live = LiveKey(
            id=key.id,
            public_id=key.public_id,
            reporter=service.reporter_of_key(key),
            scopes=frozenset(key.scopes),
            requires_signature=key.requires_signature,
            expires_at=key.expires_at,
            event_retention_days=days,
        )
        return live, KEY_SECONDS


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
