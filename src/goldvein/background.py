"""What the worker can do: the one place where kinds of jobs meet the slices that carry them out."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from goldvein.capture import retention
from goldvein.consent import service as consent
from goldvein.datasets import removal
from goldvein.datasets.revising import revise_all
from goldvein.db.migrate import TABLES_WITH_TEXTS
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.jobs.kinds import JobFailed, Kind, Kinds, Task
from goldvein.jobs.worker import Worker
from goldvein.journal import service as journal
from goldvein.me import tenant_deletion
from goldvein.webhooks import service as webhooks


def kinds_of_jobs(runtime: Runtime) -> Kinds:
    """Every kind of job, by the name under which it is queued."""
    work = _Work(runtime)
    return {
        "journal.write": Kind(handler=work.write_journal, every=timedelta(minutes=1)),
        "tenants.purge": Kind(handler=work.purge, every=timedelta(hours=1)),
        "consent.expire": Kind(handler=work.record_expired, every=timedelta(hours=1)),
        removal.REVISE: Kind(handler=work.revise),
        "retention": Kind(handler=work.remove_old, every=timedelta(hours=12)),
        webhooks.DELIVER: Kind(handler=partial(webhooks.deliver, runtime), delays=webhooks.DELAYS, waits=True),
        "vacuum": Kind(handler=work.vacuum, every=timedelta(hours=12)),
    }


class _Work:
    """The handlers, on one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def write_journal(self, _task: Task) -> Iterator[None]:
        """Write the lines of the journal that a process could not write before it ended."""
        runtime = self._runtime
        if not journal.catch_up(runtime.database, runtime.settings.journal_path, runtime.now()):
            raise JobFailed("journal_not_written")
        yield

    def record_expired(self, _task: Task) -> Iterator[None]:
        """Record in each tenant which consents have ended by themselves; the decision does not wait for it."""
        runtime = self._runtime
        for tenant_id in self._tenant_ids():
            with runtime.database.read(tenant_id) as session:
                if not consent.expired_events(session, runtime.now()):
                    continue
            with runtime.database.write(tenant_id) as session:
                count = consent.record_expired(session, runtime.now())
            runtime.metrics.consent_changes.labels(action="expired").inc(count)
            yield

    def revise(self, task: Task) -> Iterator[None]:
        """Make the revisions of a tenant's dataset versions that lost rows."""
        runtime = self._runtime
        if task.tenant_id is not None:
            revise_all(runtime.database, runtime.server_key, task.tenant_id, runtime.now())
        yield

    def purge(self, _task: Task) -> Iterator[None]:
        """Erase what deleted organisations still hold."""
        for _ in tenant_deletion.purge(self._runtime.database):
            yield

    def remove_old(self, _task: Task) -> Iterator[None]:
        """Remove what is too old, tenant after tenant."""
        runtime, settings = self._runtime, self._runtime.settings
        for tenant_id in self._tenant_ids():
            with runtime.database.read(tenant_id) as session:
                kept = retention.kept_by(
                    session,
                    pending_days=settings.pending_retention_days,
                    event_days=settings.event_retention_days,
                    now=runtime.now(),
                )
            for step in retention.remove_old(runtime.database, tenant_id, kept):
                runtime.metrics.retention.labels(what=step.what).inc(step.count)
                yield
            while self._forget_deliveries(tenant_id):
                yield

    def _forget_deliveries(self, tenant_id: str) -> int:
        with self._runtime.database.write(tenant_id) as session:
            return webhooks.forget_old(session, self._runtime.now())

    def vacuum(self, _task: Task) -> Iterator[None]:
        """Take the rows whose text was erased out of PostgreSQL's tables, within a day of the erasure."""
        if not self._runtime.database.vacuum(TABLES_WITH_TEXTS):
            raise JobFailed("may_not_vacuum")
        yield

    def _tenant_ids(self) -> list[str]:
        with self._runtime.database.read_across_tenants() as session:
            return [tenant.id for tenant in identity.find_tenants(session)]


def worker(runtime: Runtime) -> Worker:
    """A worker for everything there is to do."""
    return Worker(runtime.database, kinds_of_jobs(runtime), now=runtime.now, attempts=runtime.metrics.job_attempts)
