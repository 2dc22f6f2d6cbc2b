"""What the worker can do: the one place where kinds of jobs meet the slices that carry them out."""

from collections.abc import Iterator
from datetime import timedelta

from goldvein.identity.access import Runtime
from goldvein.jobs.kinds import JobFailed, Kind, Kinds, Task
from goldvein.jobs.worker import Worker
from goldvein.journal import service as journal


def kinds_of_jobs(runtime: Runtime) -> Kinds:
    """Every kind of job, by the name under which it is queued."""
    return {"journal.write": Kind(handler=_JournalWriting(runtime), every=timedelta(minutes=1))}


class _JournalWriting:
    """Writes the lines of the journal that a process could not write before it ended."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __call__(self, _task: Task) -> Iterator[None]:
        runtime = self._runtime
        if not journal.catch_up(runtime.database, runtime.settings.journal_path, runtime.now()):
            raise JobFailed("journal_not_written")
        yield


def worker(runtime: Runtime) -> Worker:
    """A worker for everything there is to do."""
    return Worker(runtime.database, kinds_of_jobs(runtime), now=runtime.now, attempts=runtime.metrics.job_attempts)
