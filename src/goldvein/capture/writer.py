"""The group-commit writer: one thread, one connection, and one commit for everything that has queued meanwhile.

A place in the queue is reserved before any work is done on a use, so that a full queue costs nothing to refuse and the
memory of a burst is bounded in events and in bytes. Nothing is queued anywhere but in memory: what is not committed has
not been acknowledged either.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from queue import Empty, SimpleQueue
from typing import Final

import msgspec
import structlog

from goldvein import failpoints
from goldvein.capture.outcomes import Capture, Recorded
from goldvein.capture.storing import Outcome, Quotas, find_stored, store_uses
from goldvein.capture.uses import Prepared
from goldvein.db.batch import BatchConnection, OutcomeUnknown
from goldvein.db.session import Database
from goldvein.errors import StoreUnavailable
from goldvein.identity.server_key import ServerKey

log = structlog.get_logger()

CLOSE_SECONDS: Final = 30.0
# How long to ask what became of a lost commit, before its callers are told that the store is not available.
_ASK_AGAIN_SECONDS: Final = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0)
_CHECKPOINT_EVENTS: Final = 2_000
_CHECKPOINT_SECONDS: Final = 1.0


class RefusedByStore(Exception):
    """The store refused the rows of one use, alone and without its texts: a bug of ours."""


@dataclass(slots=True)
class Place:
    """Room in the queue that was reserved, for so many events and bytes."""

    events: int
    size: int


@dataclass(slots=True)
class _Submission:
    uses: Sequence[Prepared]
    place: Place
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[list[Outcome]]


class Writer:
    """Stores prepared uses. Started by its first use; `close` stores what has queued and ends it."""

    def __init__(
        self,
        database: Database,
        server_key: Callable[[], ServerKey],
        quotas: Quotas,
        *,
        most_events: int,
        most_bytes: int,
        batch_events: int,
        count: Callable[[Iterable[tuple[Prepared, Outcome]]], None],
    ) -> None:
        """`count` is told of every use that was answered, after the commit and before the answer."""
        self._database = database
        self._server_key = server_key
        self._quotas = quotas
        self._most_events, self._most_bytes, self._batch_events = most_events, most_bytes, batch_events
        self._count = count
        self._connection = BatchConnection(database)
        self._queue: SimpleQueue[_Submission | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._events = self._bytes = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._checkpointer = _Checkpointer(database) if database.is_sqlite else None

    def reserve(self, events: int, size: int) -> Place:
        """Take room in the queue, before any work is done; raises StoreUnavailable when there is not enough.

        A single submission always fits into an empty queue, whatever the settings.
        """
        with self._lock:
            full = self._events + events > self._most_events or self._bytes + size > self._most_bytes
            if self._closed or (full and self._events > 0):
                raise StoreUnavailable
            self._events += events
            self._bytes += size
        return Place(events, size)

    def release(self, place: Place) -> None:
        """Give room back; the writer does so itself for what was submitted."""
        with self._lock:
            self._events -= place.events
            self._bytes -= place.size

    async def store(self, uses: Sequence[Prepared], place: Place) -> list[Outcome]:
        """Store the uses; when this returns, what is recorded is on disk. The place is given back in any case."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Outcome]] = loop.create_future()
        self._submit(_Submission(uses, place, loop, answer))
        return await answer

    def _submit(self, submission: _Submission) -> None:
        taken = False
        try:
            with self._lock:
                if not self._closed:
                    if self._thread is None:
                        self._start()
                    self._queue.put(submission)
                    taken = True
        finally:
            if not taken:
                self.release(submission.place)
        if not taken:
            raise StoreUnavailable

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="writer", daemon=True)
        thread.start()
        self._thread = thread
        if self._checkpointer is not None:
            self._checkpointer.start()

    def close(self) -> None:
        """Refuse what comes from now on, store what has queued, and end."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            if self._thread.is_alive():
                log.error("writer_not_drained", count=self._events)
        if self._checkpointer is not None:
            self._checkpointer.close()

    def _run(self) -> None:
        while True:
            taken, last = self._take()
            if taken:
                self._serve(taken)
            if last:
                self._connection.close()
                return

    def _take(self) -> tuple[list[_Submission], bool]:
        """Wait for a submission and take what has queued behind it; True with the last ones."""
        taken: list[_Submission] = []
        events = 0
        found = self._queue.get()
        with contextlib.suppress(Empty):
            while found is not None:
                taken.append(found)
                events += len(found.uses)
                if events >= self._batch_events:
                    break
                found = self._queue.get_nowait()
        return taken, found is None

    def _serve(self, taken: list[_Submission]) -> None:
        uses = [use for submission in taken for use in submission.uses]
        try:
            failpoints.reach("writer.taken")
            outcomes = self._store(uses)
        except Exception as error:  # the edge: whatever this is, the next batch is served
            log.exception("writer_failed", count=len(uses))
            outcomes = [error] * len(uses)
        try:
            self._count(zip(uses, outcomes, strict=True))
        except Exception:  # what is stored is answered, whatever becomes of the counting
            log.exception("counting_failed", count=len(uses))
        with self._lock:
            self._events -= sum(submission.place.events for submission in taken)
            self._bytes -= sum(submission.place.size for submission in taken)
        failpoints.reach("writer.answering")
        _answer(taken, outcomes)
        if self._checkpointer is not None:
            self._checkpointer.note(len(uses))

    def _store(self, uses: list[Prepared]) -> list[Outcome]:
        """Store in one transaction; when the rows are refused, in halves, so that one bad row takes no other along."""
        try:
            return self._try_twice(uses)
        except StoreUnavailable as error:
            return [error] * len(uses)
        except Exception:
            log.exception("batch_refused", count=len(uses))
        if len(uses) == 1:
            return [self._store_alone(uses[0])]
        middle = len(uses) // 2
        return self._store(uses[:middle]) + self._store(uses[middle:])

    def _try_twice(self, uses: list[Prepared]) -> list[Outcome]:
        """Once more on a new connection if the old one was lost, or after whoever was in the way.

        Another process may have taken the same event between our look and our insert: the second look finds it.
        """
        try:
            return self._settled(uses)
        except StoreUnavailable:
            if self._connection.is_open or self._database.is_sqlite:
                raise
        except Exception:
            log.exception("batch_refused", count=len(uses))
        return self._settled(uses)

    def _store_alone(self, use: Prepared) -> Outcome:
        """The last tries for a use whose rows are refused: without its texts, then not at all."""
        if use.texts is not None:
            failed = Capture(outcome="failed", reason="internal_error")
            bare = msgspec.structs.replace(use, texts=None, otherwise=failed)
            try:
                return self._settled([bare])[0]
            except StoreUnavailable as error:
                return error
            except Exception:
                log.exception("use_refused")
        return RefusedByStore()

    def _settled(self, uses: list[Prepared]) -> list[Outcome]:
        """Store; where the commit's outcome is unknown, find it out before anybody is answered.

        What the store holds under our ids is stored. The rest is stored again under the same ids, so that a commit
        which only then reaches the disk is met by its primary key.
        """
        try:
            return self._transact(uses)
        except OutcomeUnknown:
            log.exception("commit_unknown", count=len(uses))
        for seconds in _ASK_AGAIN_SECONDS:
            time.sleep(seconds)
            try:
                found = self._find(uses)
                missing = [use for use in uses if use.usage_event_id not in found]
                rest = iter(self._transact(missing) if missing else [])
            except Exception:  # the store is still away, or the lost commit has just come in: look again
                log.exception("commit_still_unknown", count=len(uses))
                continue
            return [found[use.usage_event_id] if use.usage_event_id in found else next(rest) for use in uses]
        raise StoreUnavailable

    def _transact(self, uses: list[Prepared]) -> list[Outcome]:
        server_key = self._server_key()
        outcomes: dict[str, Outcome] = {}
        with self._connection.transaction() as transaction:
            for tenant_id, of_tenant in _by_tenant(uses):
                stored = store_uses(transaction, server_key, self._quotas, tenant_id, of_tenant)
                outcomes |= {use.usage_event_id: outcome for use, outcome in zip(of_tenant, stored, strict=True)}
        return [outcomes[use.usage_event_id] for use in uses]

    def _find(self, uses: list[Prepared]) -> dict[str, Recorded]:
        found: dict[str, Recorded] = {}
        with self._connection.transaction() as transaction:
            for tenant_id, of_tenant in _by_tenant(uses):
                found |= find_stored(transaction, tenant_id, of_tenant)
        return found


def _by_tenant(uses: list[Prepared]) -> list[tuple[str, list[Prepared]]]:
    """The uses of each tenant in their order, the tenants in the order in which a transaction enters them."""
    tenants: dict[str, list[Prepared]] = {}
    for use in uses:
        tenants.setdefault(use.report.reporter.tenant_id, []).append(use)
    return sorted(tenants.items(), key=itemgetter(0))


def _answer(taken: list[_Submission], outcomes: list[Outcome]) -> None:
    """Give every submission its part; each event loop is woken once, however many of its calls are answered."""
    rest = iter(outcomes)
    of_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[list[Outcome]], list[Outcome]]]] = {}
    for submission in taken:
        part = list(islice(rest, len(submission.uses)))
        of_loop.setdefault(submission.loop, []).append((submission.answer, part))
    for loop, answers in of_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits there any more
            loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple["asyncio.Future[list[Outcome]]", list[Outcome]]]) -> None:
    for answer, part in answers:
        if not answer.done():  # its caller may have gone away; the use is stored all the same
            answer.set_result(part)


class _Checkpointer:
    """Empties SQLite's log into the database file in a thread of its own, so that no commit has to wait for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread: threading.Thread | None = None
        self._due = threading.Event()
        self._closed = False
        self._events = 0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="checkpointer", daemon=True)
        self._thread.start()

    def note(self, events: int) -> None:
        """So many events more are in the log."""
        self._events += events
        if self._events >= _CHECKPOINT_EVENTS:
            self._due.set()

    def _run(self) -> None:
        while not self._closed:
            self._due.wait(_CHECKPOINT_SECONDS)
            self._due.clear()
            if self._events == 0:
                continue
            self._events = 0
            try:
                self._database.checkpoint()
            except Exception:  # the next one may succeed; until then the log grows
                log.exception("checkpoint_failed", store="sqlite")

    def close(self) -> None:
        self._closed = True
        self._due.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
