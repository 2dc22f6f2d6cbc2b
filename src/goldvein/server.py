"""Running the application on uvicorn, from the first bound socket to a clean end."""

import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from uvicorn.supervisors import Multiprocess

from goldvein import settings as all_settings
from goldvein.app import create_app
from goldvein.db.migrate import current_revision, newest_revision, upgrade
from goldvein.errors import NotConfigured
from goldvein.examples.rescan import Rescanned, rescan
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.me import replaying
from goldvein.sanitizer import SanitizerFailed
from goldvein.settings import PREFIX, Settings
from goldvein.telemetry import SHARED_METRICS_VARIABLE, configure_logging

GRACEFUL_SHUTDOWN_SECONDS = 10  # what is acknowledged is on disk; this is for answers still on their way
RESCAN_RETRY_SECONDS = 30
_RESCAN_STOP_SECONDS = 10  # the step that it is in; then the process ends without it
_BACKLOG = 2048
# How long a busy thread may keep Python's lock from one that waits for it. The writer gives the lock away at each of a
# batch's statements, and at the default of 5 ms would wait for the event loop longer than for the disk.
_SWITCH_SECONDS = 0.0005
_PARENT_SECONDS = 1.0

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Uvicorn's server, except that a signal to stop is an ordinary end: it is not raised again afterwards."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully at SIGINT or SIGTERM; a second one stops at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        former = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the block without an error, at whatever point it is.

    Also where a shell started the program in the background, which makes it ignore SIGINT.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def bind(settings: Settings) -> tuple[socket.socket, Settings]:
    """Take the port before anything else is done; returns the settings with the port that was really taken.

    Port 0 means any free one. Raises NotConfigured when the port cannot be had.
    """
    host, port = settings.host, settings.port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address, family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number is not None and number > 0 else type(error).__name__
        raise NotConfigured(what=f"cannot listen on {host} port {port}: {reason}") from error
    return listener, replace(settings, port=listener.getsockname()[1])


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Runtime]:
    """The store these settings name, whatever state it is in; raises NotConfigured when it cannot be used."""
    with telling_store_errors():
        runtime = Runtime.open(settings)
        try:
            yield runtime
        finally:
            runtime.close()


@contextlib.contextmanager
def telling_store_errors() -> Iterator[None]:
    """Turn the database's own errors, which quote statements and addresses, into one that says what to do."""
    try:
        yield
    except SQLAlchemyError as error:
        raise NotConfigured(what=f"the store cannot be used ({type(error).__name__}): see `goldvein doctor`") from error


def prepare_store(runtime: Runtime) -> None:
    """Make an empty SQLite store by itself; any other store is migrated by the operator's own decision.

    A process that was killed between an erasure's commit and the clearing of SQLite's log has left the erased text in
    the log: it is taken out here. What the journal tells and a restored store does not know is done again, before
    anybody is served.
    """
    if runtime.database.is_sqlite and is_empty(runtime):
        upgrade(runtime.settings.migration_url, runtime.settings.store_url)
    runtime.database.clear_log()
    with runtime.database.engine.connect() as connection:
        is_current = current_revision(connection) == newest_revision()
    if is_current:  # else nobody serves from it anyway
        replaying.replay_own(runtime)


def is_empty(runtime: Runtime) -> bool:
    """Whether no migration ever ran on the store."""
    with runtime.database.engine.connect() as connection:
        return current_revision(connection) is None


def make_server(runtime: Runtime) -> Server:
    """A server for this runtime."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    return Server(_config(runtime.settings, create_app(runtime)))


def _config(settings: Settings, app: FastAPI | str, **options: Any) -> uvicorn.Config:
    """How uvicorn serves; proxies are believed only as far as the settings name them."""
    trusted = settings.trusted_proxies
    return uvicorn.Config(
        app,
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        **options,
    )


@contextlib.contextmanager
def rescanning(runtime: Runtime) -> Iterator[None]:
    """While the block runs, take the rules of this release to what is stored, unless the settings say no."""
    if not runtime.settings.rescan_on_start:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_rescan_until_done, args=(runtime, stop), name="rescan", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_RESCAN_STOP_SECONDS)


def _rescan_until_done(runtime: Runtime, stop: threading.Event) -> None:
    """Rescan everything once; again later when another process is at it, or when the store is not there."""
    while not stop.is_set():
        try:
            with runtime.database.alone("rescan") as is_alone:
                if is_alone:
                    _rescan_all(runtime, stop)
                    return
        except Exception as error:  # a thread has nobody above it: logged by class and place, and tried again
            log.warning("rescan_interrupted", exc_info=error)
        stop.wait(RESCAN_RETRY_SECONDS)


def _rescan_all(runtime: Runtime, stop: threading.Event) -> None:
    """Rescan tenant after tenant, resting as long as it works, so that requests have the processor for themselves."""
    with runtime.database.read_across_tenants() as session:
        tenant_ids = [tenant.id for tenant in identity.find_tenants(session)]
    done = Rescanned()
    for tenant_id in tenant_ids:
        started = time.monotonic()
        try:
            for step in rescan(runtime.database, tenant_id, now=runtime.now):
                done += step
                if stop.wait(time.monotonic() - started):
                    return
                started = time.monotonic()
        except SanitizerFailed:
            log.warning("rescan_skipped", tenant_id=tenant_id, reason="sanitizer_failed")
    runtime.metrics.sanitizer_failures.inc(done.failed)
    if done.read:
        log.info("rescanned", count=done.read, outcome="failed" if done.failed else "done")


def refuse_sharing_sqlite(settings: Settings) -> None:
    """Raise NotConfigured for several processes on SQLite."""
    if settings.store_url.startswith("sqlite"):
        raise NotConfigured(
            what="several workers need PostgreSQL: SQLite takes one writer at a time, and one process orders its own"
            " writers fairly; set GOLDVEIN_DATABASE_URL, or serve with one worker"
        )


def serve_together(settings: Settings, listener: socket.socket) -> None:
    """Serve with several processes on one socket until a signal; one that dies is replaced.

    Each opens the store for itself. They read the settings from the environment, as this process did, and keep their
    counters in a folder that lives as long as this process, so that each can show the sums.
    """
    with tempfile.TemporaryDirectory(prefix="goldvein-metrics-") as folder:
        chosen = {"HOST": settings.host, "PORT": str(settings.port), "WORKERS": str(settings.workers)}
        os.environ |= {f"{PREFIX}{name}": value for name, value in chosen.items()}
        os.environ[SHARED_METRICS_VARIABLE] = folder
        config = _config(settings, "goldvein.server:worker_app", factory=True, workers=settings.workers)
        Multiprocess(config, sockets=[listener]).run()


def worker_app() -> FastAPI:
    """The application of one of several processes."""
    settings = all_settings.load()
    configure_logging(settings.log_level)
    sys.setswitchinterval(_SWITCH_SECONDS)
    threading.Thread(target=_end_with, args=(os.getppid(),), name="parent", daemon=True).start()
    return create_app(Runtime.open(settings))


def _end_with(parent: int) -> None:
    """Stop as by SIGTERM when the process that started this one is gone: nobody would end or replace it any more."""
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
