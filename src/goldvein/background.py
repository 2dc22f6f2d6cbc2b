"""What the worker can do: the one place where kinds of jobs meet the slices that carry them out."""

from goldvein.identity.access import Runtime
from goldvein.jobs.kinds import Kinds
from goldvein.jobs.worker import Worker


def kinds_of_jobs(runtime: Runtime) -> Kinds:
    """Every kind of job, by the name under which it is queued."""
    del runtime
    return {}


def worker(runtime: Runtime) -> Worker:
    """A worker for everything there is to do."""
    return Worker(runtime.database, kinds_of_jobs(runtime), now=runtime.now, attempts=runtime.metrics.job_attempts)
