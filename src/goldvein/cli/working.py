"""What the operator's commands about jobs do."""

import signal
import threading
from types import FrameType

from goldvein import background, failpoints
from goldvein import settings as all_settings
from goldvein.cli.store import open_store
from goldvein.jobs import service as jobs
from goldvein.telemetry import configure_logging
from goldvein.terminal import say, say_json, say_line, say_table

WAKES_SECONDS = 0.5


def work() -> None:
    """Carry jobs out until SIGINT or SIGTERM; what is in work then ends its step, and the rest is given back."""
    settings = all_settings.load()
    configure_logging(settings.log_level)
    failpoints.arm(settings.failpoint, is_local=settings.is_local)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with open_store() as runtime:
        worker = background.worker(runtime)
        worker.start()
        say_line("goldvein carries jobs out (stop it with Ctrl-C)")
        while not stopped.wait(WAKES_SECONDS):  # a wait without end would keep signals from being seen on some systems
            pass
        worker.stop()


def list_jobs(*, as_json: bool) -> None:
    """List the jobs that were given up, and the periodic ones that fail."""
    with open_store() as runtime, runtime.database.read_across_tenants() as session:
        found = jobs.troubled(session)
    if as_json:
        names = ("id", "tenant_id", "kind", "state", "attempts", "last_error")
        say_json(
            [{name: getattr(job, name) for name in names} | {"since": job.updated_at.isoformat()} for job in found]
        )
        return
    if not found:
        say("No job was given up.")
        return
    rows = [
        (job.id, f"{job.updated_at:%Y-%m-%d %H:%M}", job.kind, job.state, str(job.attempts), job.last_error or "")
        for job in found
    ]
    say_table(("Id", "Since (UTC)", "Kind", "State", "Attempts", "Why"), rows, fixed=(0, 1))


def retry_job(job_id: str) -> None:
    """Let a job that was given up begin anew, or one that waits come at once."""
    with open_store() as runtime, runtime.database.write_across_tenants() as session:
        job = jobs.retry(session, job_id, runtime.now())
    say(f"{job.kind} is queued again.")
