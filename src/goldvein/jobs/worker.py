"""Carrying jobs out: in `goldvein serve`, or in a `goldvein worker` of its own. Any number of them may run."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from sqlalchemy.exc import IntegrityError

from goldvein import failpoints
from goldvein.db.session import Database
from goldvein.errors import GoldveinError
from goldvein.jobs import service
from goldvein.jobs.kinds import JobFailed, JobHopeless, Kind, Kinds, Task
from goldvein.jobs.tables import STATES, Job

LEASE: Final = timedelta(seconds=60)  # longer than the longest step, which waits for a webhook's receiver
POLL_SECONDS: Final = 1.0
STOP_SECONDS: Final = 20.0
CLEAN: Final = "jobs.clean"
INTERNAL_ERROR: Final = "internal_error"
_MOST_REST_SECONDS: Final = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Lane:
    """The kinds that one thread takes."""

    name: str
    kinds: Kinds


class Worker:
    """Threads that take jobs: one for work on the store, one for what waits for others' computers."""

    def __init__(
        self,
        database: Database,
        kinds: Kinds,
        *,
        now: Callable[[], datetime],
        attempts: Counter,
        lease: timedelta = LEASE,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._database = database
        self._kinds = {**kinds, CLEAN: Kind(handler=self._clean, every=timedelta(hours=1))}
        self._now = now
        self._attempts = attempts
        self._lease = lease
        self._poll_seconds = poll_seconds
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        everything = self._kinds.items()
        self._lanes = [
            _Lane("jobs", {name: kind for name, kind in everything if not kind.waits}),
            _Lane("jobs-waiting", {name: kind for name, kind in everything if kind.waits}),
        ]

    def start(self) -> None:
        """Begin to take jobs, in threads."""
        for lane in self._lanes:
            if lane.kinds:
                thread = threading.Thread(target=self._run, args=(lane,), name=lane.name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Take no more, and let what runs end its step: the rest of it is given back. Safe to call twice."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def _run(self, lane: _Lane) -> None:
        prepared = False
        while not self._stop.is_set():
            try:
                if not prepared:
                    self.prepare()
                    prepared = True
                if self._run_one(lane):
                    continue
            except Exception as error:  # a thread has nobody above it: logged by class and place, and tried again
                log.warning("worker_interrupted", exc_info=error)
            self._stop.wait(self._poll_seconds)

    def prepare(self) -> None:
        """See to it that every periodic kind has its row; another process may be doing the same."""
        try:
            with self._database.write_across_tenants() as session:
                service.ensure_periodic(session, self._kinds, self._now())
        except IntegrityError:
            log.info("periodic_jobs_are_made_elsewhere")

    def run_due(self) -> int:
        """Carry out everything that is due now, in this thread; returns how many jobs that was."""
        self.prepare()
        return sum(1 for lane in self._lanes for _ in self._due(lane))

    def _due(self, lane: _Lane) -> Iterator[None]:
        while lane.kinds and not self._stop.is_set() and self._run_one(lane):
            yield

    def _run_one(self, lane: _Lane) -> bool:
        now = self._now()
        with self._database.read_across_tenants() as session:
            if not service.anything_due(session, lane.kinds, now=now, lease=self._lease):
                return False
        with self._database.write_across_tenants() as session:
            job = service.claim(session, lane.kinds, now=now, lease=self._lease)
        if job is None:
            return False
        failpoints.reach("job.claimed")
        self._carry_out(job, self._kinds[job.kind])
        return True

    def _carry_out(self, job: Job, kind: Kind) -> None:
        lease = job.lease or ""
        task = Task(
            id=job.id,
            kind=job.kind,
            tenant_id=job.tenant_id,
            payload=job.payload,
            attempts=job.attempts,
            is_last_attempt=job.every_seconds is None and job.attempts >= kind.most_attempts,
        )
        try:
            outcome = self._step_through(task, lease, kind)
        except Exception as error:  # noqa: BLE001 (whatever a handler raises, the job is tried again and it is logged)
            outcome = "failed"
            self._fail(task, lease, kind, error)
        self._attempts.labels(kind=task.kind, outcome=outcome).inc()

    def _step_through(self, task: Task, lease: str, kind: Kind) -> str:
        """Take the handler's steps, resting as long as each took; what became of it."""
        kept_at = started = time.monotonic()
        for _ in kind.handler(task):
            failpoints.reach("job.step")
            if self._stop.is_set():
                with self._database.write_across_tenants() as session:
                    service.give_back(session, task.id, lease, self._now())
                return "given_back"
            if time.monotonic() - kept_at > self._lease.total_seconds() / 3:
                kept_at = time.monotonic()
                with self._database.write_across_tenants() as session:
                    if not service.keep(session, task.id, lease, self._now() + self._lease):
                        return "lost"
            self._stop.wait(min(time.monotonic() - started, _MOST_REST_SECONDS))
            started = time.monotonic()
        failpoints.reach("job.finishing")
        with self._database.write_across_tenants() as session:
            return "done" if service.finish(session, task.id, lease, self._now()) else "lost"

    def _fail(self, task: Task, lease: str, kind: Kind, error: Exception) -> None:
        code = _code(error)
        log.warning("job_failed", job=task.kind, reason=code, tenant_id=task.tenant_id, exc_info=error)
        is_over = task.is_last_attempt or (isinstance(error, JobHopeless) and kind.every is None)
        again_after = None if is_over else kind.delay(task.attempts, random.random())  # noqa: S311 (spreads load)
        with self._database.write_across_tenants() as session:
            service.fail(session, task.id, lease, now=self._now(), error=code, again_after=again_after)

    def _clean(self, _task: Task) -> Iterator[None]:
        while True:
            with self._database.write_across_tenants() as session:
                cleaned = service.clean(session, self._now())
            if not cleaned:
                return
            yield


def _code(error: Exception) -> str:
    """Why an attempt failed, in a word of ours: the messages of libraries may quote what they were given."""
    if isinstance(error, JobFailed | GoldveinError):
        return error.code
    return INTERNAL_ERROR


def shown(database: Database) -> bytes:
    """How many jobs there are by kind and state, for /metrics: from the store, since any process may run them."""
    registry = CollectorRegistry()
    gauge = Gauge("goldvein_jobs", "Jobs in the store", ["kind", "state"], registry=registry)
    with database.read_across_tenants() as session:
        counts = service.count(session)
    for kind in {kind for kind, _ in counts}:
        for state in STATES:
            gauge.labels(kind=kind, state=state).set(counts.get((kind, state), 0))
    return generate_latest(registry)
