"""What a process remembers of the store for a few seconds, and how little that can be trusted.

Never the last word: whatever depends on an entry is either checked again where it counts (in the transaction that
stores), or may be a second old. `clear` is called in the same process as soon as a change has committed.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

from goldvein.errors import StoreUnavailable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MAX_LOADS = 64  # readings in work or waiting for a thread; one more caller is told to come back


class ShortCache(Generic[Key, Value]):
    """A bounded cache whose entries live for a few seconds. Readings run in threads, and several callers share one."""

    def __init__(self, *, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._entries: dict[Key, tuple[float, Value]] = {}
        self._loading: dict[Key, Future[Value | None]] = {}
        self._cleared = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """What is remembered, or None."""
        entry = self._entries.get(key)
        if entry is None or entry[0] < self._clock():
            return None
        return entry[1]

    def put(self, key: Key, value: Value, *, seconds: float) -> None:
        """Remember a value; the oldest entry makes room for it."""
        with self._lock:
            self._put(key, value, seconds)

    def _put(self, key: Key, value: Value, seconds: float) -> None:
        self._entries.pop(key, None)
        if len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (self._clock() + seconds, value)

    def clear(self) -> None:
        """Forget everything, and what is being read at this moment too: it may be from before the change."""
        with self._lock:
            self._cleared += 1
            self._entries.clear()
            self._loading.clear()

    async def load(self, key: Key, read: Callable[[], tuple[Value, float] | None], threads: Executor) -> Value | None:
        """Read what is not remembered, in a thread; `read` gives the value and for how many seconds it may be kept.

        None when there is no such thing, which is not remembered. Raises StoreUnavailable when too many readings wait.
        """
        with self._lock:
            reading = self._loading.get(key)
            if reading is None:
                if len(self._loading) >= MAX_LOADS:
                    raise StoreUnavailable
                reading = self._loading[key] = threads.submit(self._read, key, read, self._cleared)
        # Shielded: one caller that goes away must not take the reading from the others.
        return await asyncio.shield(asyncio.wrap_future(reading))

    def _read(self, key: Key, read: Callable[[], tuple[Value, float] | None], cleared_before: int) -> Value | None:
        found = None
        try:
            found = read()
        finally:
            with self._lock:
                if self._cleared == cleared_before:
                    self._loading.pop(key, None)
                    if found is not None:
                        self._put(key, *found)
        return None if found is None else found[0]
