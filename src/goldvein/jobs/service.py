"""The rows of jobs: promised in somebody's transaction, taken by one worker at a time, finished or tried again.

Times are those of the workers' clocks, which may jump. A lease that ends far later than any lease can, or a job that
waits longer than any may, was written by a clock that was wrong: both are due.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from goldvein.db.ids import is_id, new_id
from goldvein.db.session import ANY_TENANT, TenantSession
from goldvein.errors import NotFound
from goldvein.jobs.kinds import Kinds
from goldvein.jobs.tables import Job

LONGEST_DELAY: Final = timedelta(days=7)
DONE_KEPT: Final = timedelta(days=7)
DEAD_KEPT: Final = timedelta(days=90)
LEASE_EXPIRED: Final = "lease_expired"
_CLEANED_AT_ONCE: Final = 500
_WRONG_BY_LEASES: Final = 10  # machines disagree by seconds, and none of them takes another's lease for that


def enqueue(
    session: TenantSession,
    kind: str,
    payload: Mapping[str, str] | None = None,
    *,
    now: datetime,
    run_after: datetime | None = None,
) -> str:
    """Promise a job in the caller's transaction: it exists if and only if the transaction commits. Returns its id.

    It belongs to the session's tenant, or to the whole store where the session works across tenants. The payload holds
    ids only; it waits for a week at most. Both are for the programmer: ValueError.
    """
    ids = dict(payload or {})
    if not all(is_id(value) for value in ids.values()):
        raise ValueError("the payload of a job holds ids only")
    due = run_after or now
    if due > now + LONGEST_DELAY:
        raise ValueError(f"a job waits for {LONGEST_DELAY.days} days at most")
    tenant_id = None if session.info["tenant_id"] == ANY_TENANT else session.tenant_id
    job = Job(
        id=new_id(),
        tenant_id=tenant_id,
        kind=kind,
        payload=ids,
        state="queued",
        run_after=due,
        created_at=now,
        updated_at=now,
    )
    session.add(job)
    session.flush()
    return job.id


def ensure_periodic(session: TenantSession, kinds: Kinds, now: datetime) -> None:
    """See to it that every periodic kind has its one row. A new one is due at once."""
    rows = select(Job).where(Job.periodic_kind.is_not(None))
    found = {job.periodic_kind: job for job in session.scalars(rows)}
    for name, kind in kinds.items():
        if kind.every is None:
            continue
        seconds = int(kind.every.total_seconds())
        job = found.get(name)
        if job is None:
            times = {"run_after": now, "created_at": now, "updated_at": now}
            own = {"every_seconds": seconds, "periodic_kind": name}
            session.add(Job(id=new_id(), kind=name, payload={}, state="queued", **own, **times))
        elif job.every_seconds != seconds:
            job.every_seconds, job.run_after = seconds, min(job.run_after, now + kind.every)


def _is_due(now: datetime, lease: timedelta) -> ColumnElement[bool]:
    """What may be taken: waiting and due, or leased by a worker that has not come back."""
    return or_(
        and_(Job.state == "queued", or_(Job.run_after <= now, Job.run_after > now + LONGEST_DELAY)),
        and_(Job.state == "running", or_(Job.leased_until <= now, Job.leased_until > now + _WRONG_BY_LEASES * lease)),
    )


def anything_due(session: TenantSession, kinds: Iterable[str], *, now: datetime, lease: timedelta) -> bool:
    """Whether there is a job to take; asked without the turn to write."""
    return session.scalar(select(Job.id).where(Job.kind.in_(list(kinds)), _is_due(now, lease)).limit(1)) is not None


def claim(session: TenantSession, kinds: Kinds, *, now: datetime, lease: timedelta) -> Job | None:
    """Take the job that has been due for longest, if there is one; another worker does not see it meanwhile.

    The attempt counts from here, so that a job that ends its worker does not do so for ever: after its last attempt it
    is dead.
    """
    due = select(Job).where(Job.kind.in_(list(kinds)), _is_due(now, lease)).order_by(Job.run_after, Job.id).limit(1)
    while (job := session.scalar(due.with_for_update(skip_locked=True))) is not None:
        job.updated_at = now
        if job.every_seconds is None and job.attempts >= kinds[job.kind].most_attempts:
            _release(job, state="dead", error=LEASE_EXPIRED)
            session.flush()
            continue
        job.state, job.lease, job.leased_until = "running", new_id(), now + lease
        job.attempts += 1
        session.flush()
        return job
    return None


def _release(job: Job, *, state: str, error: str | None) -> None:
    job.state, job.lease, job.leased_until, job.last_error = state, None, None, error


def keep(session: TenantSession, job_id: str, lease_id: str, until: datetime) -> bool:
    """Keep a lease for longer; False when another worker has taken the job."""
    mine = update(Job).where(Job.id == job_id, Job.lease == lease_id).values(leased_until=until).returning(Job.id)
    return session.scalar(mine) is not None


def _own(session: TenantSession, job_id: str, lease_id: str) -> Job | None:
    """The job, if the lease still is this worker's: what another has taken over is that one's to finish."""
    return session.scalar(select(Job).where(Job.id == job_id, Job.lease == lease_id).with_for_update())


def finish(session: TenantSession, job_id: str, lease_id: str, now: datetime) -> bool:
    """The work is done; what is periodic waits for its next time. False when another worker has taken the job."""
    job = _own(session, job_id, lease_id)
    if job is None:
        return False
    job.updated_at = now
    if job.every_seconds is None:
        _release(job, state="done", error=None)
    else:
        _release(job, state="queued", error=None)
        job.attempts, job.run_after = 0, now + timedelta(seconds=job.every_seconds)
    return True


def give_back(session: TenantSession, job_id: str, lease_id: str, now: datetime) -> None:
    """The worker stops before the work is done: whoever comes next goes on, and no attempt is counted."""
    job = _own(session, job_id, lease_id)
    if job is not None:
        _release(job, state="queued", error=job.last_error)
        job.attempts, job.run_after, job.updated_at = job.attempts - 1, now, now


def fail(
    session: TenantSession, job_id: str, lease_id: str, *, now: datetime, error: str, again_after: timedelta | None
) -> None:
    """The attempt has failed: try again later, or (None) never."""
    job = _own(session, job_id, lease_id)
    if job is not None:
        _release(job, state="queued" if again_after is not None else "dead", error=error)
        job.run_after, job.updated_at = now + (again_after or timedelta()), now


def clean(session: TenantSession, now: datetime) -> int:
    """Remove some of the jobs that are over and old; returns how many."""
    old = or_(
        and_(Job.state == "done", Job.updated_at < now - DONE_KEPT),
        and_(Job.state == "dead", Job.updated_at < now - DEAD_KEPT),
    )
    some = list(session.scalars(select(Job.id).where(old).limit(_CLEANED_AT_ONCE)))
    session.execute(delete(Job).where(Job.id.in_(some)), execution_options={"synchronize_session": False})
    return len(some)


def count(session: TenantSession) -> dict[tuple[str, str], int]:
    """How many jobs there are, by kind and state, in the whole store."""
    rows = session.execute(select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state))
    return {(kind, state): number for kind, state, number in rows}


def troubled(session: TenantSession) -> list[Job]:
    """The jobs that are dead, and the periodic ones that fail, newest first."""
    failing = or_(Job.state == "dead", and_(Job.every_seconds.is_not(None), Job.last_error.is_not(None)))
    return list(session.scalars(select(Job).where(failing).order_by(Job.updated_at.desc(), Job.id.desc())))


def retry(session: TenantSession, job_id: str, now: datetime) -> Job:
    """Let a dead job begin anew, or a waiting one come at once. Raises NotFound for a job that is neither."""
    waiting = select(Job).where(Job.id == job_id, Job.state.in_(("dead", "queued")))
    job = session.scalar(waiting.with_for_update()) if is_id(job_id) else None
    if job is None:
        raise NotFound(what="dead or waiting job")
    job.state, job.attempts, job.run_after, job.updated_at = "queued", 0, now, now
    return job
