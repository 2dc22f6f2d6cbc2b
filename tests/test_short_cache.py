"""What is remembered ends by itself, is forgotten at a change, and is read once however many ask."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from goldvein.errors import StoreUnavailable
from goldvein.short_cache import MAX_LOADS, ShortCache


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_an_entry_ends_after_its_seconds() -> None:
    now = 0.0
    cache: ShortCache[str, int] = ShortCache(most=2, clock=lambda: now)
    cache.put("a", 1, seconds=1.0)
    now = 1.0
    assert cache.get("a") == 1
    now = 1.01
    assert cache.get("a") is None


def test_the_oldest_entry_makes_room() -> None:
    cache: ShortCache[str, int] = ShortCache(most=2)
    for number, name in enumerate("abac"):
        cache.put(name, number, seconds=60)
    assert [cache.get(name) for name in "abc"] == [2, None, 3]


def test_callers_of_one_key_share_one_reading(threads: ThreadPoolExecutor) -> None:
    cache: ShortCache[str, int] = ShortCache(most=2)
    readings: list[int] = []
    go_on = threading.Event()

    def read() -> tuple[int, float]:
        go_on.wait(10)
        readings.append(1)
        return 7, 60.0

    async def ask() -> list[int | None]:
        loads = [asyncio.ensure_future(cache.load("a", read, threads)) for _ in range(5)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(*loads)

    assert asyncio.run(ask()) == [7] * 5
    assert (len(readings), cache.get("a")) == (1, 7)


def test_what_was_being_read_while_it_changed_is_not_remembered(threads: ThreadPoolExecutor) -> None:
    cache: ShortCache[str, int] = ShortCache(most=2)

    def read() -> tuple[int, float]:
        cache.clear()  # a change commits after this reading has begun
        return 7, 60.0

    assert asyncio.run(cache.load("a", read, threads)) == 7
    assert cache.get("a") is None


def test_what_is_not_there_is_asked_for_again(threads: ThreadPoolExecutor) -> None:
    cache: ShortCache[str, int] = ShortCache(most=2)
    assert asyncio.run(cache.load("a", lambda: None, threads)) is None
    assert asyncio.run(cache.load("a", lambda: (7, 60.0), threads)) == 7


def test_one_reading_more_than_may_wait_is_refused(threads: ThreadPoolExecutor) -> None:
    cache: ShortCache[int, int] = ShortCache(most=2)
    go_on = threading.Event()

    async def ask() -> None:
        loads = [
            asyncio.ensure_future(cache.load(key, lambda: go_on.wait(10) and None, threads)) for key in range(MAX_LOADS)
        ]
        await asyncio.sleep(0)
        try:
            with pytest.raises(StoreUnavailable):
                await cache.load(-1, lambda: None, threads)
        finally:
            go_on.set()
            await asyncio.gather(*loads)

    asyncio.run(ask())
