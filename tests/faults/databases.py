"""The database goes away, loses connections, refuses rows, stops, or is held by somebody else."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from faults.arena import Run
from faults.catalogue import fault
from faults.invariants import Findings, check, recover
from faults.kills import restart_and_check
from faults.load import Load, in_batches, new_events, send
from faults.proxy import Loses, Proxy
from faults.server import Ended, Server
from faults.stores import PostgresDatabase, SqliteFile
from local_services.postgres import APPLICATION

POSTGRESQL = ("postgresql",)
SQLITE = ("sqlite",)
PAGE_BYTES = 4096
NETWORK_FAULTS: tuple[tuple[Loses, float, float], ...] = (
    ("commit", 0.0, 0.0),
    ("answer", 0.0, 0.0),
    ("commit", 0.0, 0.7),
    ("answer", 0.0, 0.7),
    ("answer", 0.6, 0.2),
    ("commit", 0.6, 0.2),
)


def postgres(run: Run) -> PostgresDatabase:
    """The store of a run on PostgreSQL."""
    assert isinstance(run.store, PostgresDatabase)
    return run.store


def sqlite(run: Run) -> SqliteFile:
    """The store of a run on SQLite."""
    assert isinstance(run.store, SqliteFile)
    return run.store


def under_load(run: Run, server: Server, *, before: float = 0.1, number: int = 80) -> Load:
    """Clients at work; returns once some of it is on its way."""
    load = Load(server, in_batches(run, new_events(run, number)), connections=6)
    time.sleep(run.random.uniform(0.005, before))
    return load


@fault("database stopped and started", stores=POSTGRESQL, in_every_suite=True, share=3)
def database_restarted(run: Run) -> Findings:
    """In an orderly way, or by a crash from which it recovers."""
    server = run.serve()
    cluster = postgres(run).server
    load = under_load(run, server)
    cluster.stop(("immediate", "fast")[run.turn % 2])
    time.sleep(run.random.choice((0.0, 0.3)))
    cluster.start()
    began = time.monotonic()
    load.wait()
    recover(run, server, began=began)
    return check(run, server)


@fault("connections cut", stores=POSTGRESQL, in_every_suite=True)
def connections_cut(run: Run) -> Findings:
    server = run.serve()
    load = under_load(run, server)
    for _ in range(run.random.randint(1, 5)):
        postgres(run).cut_connections()
        time.sleep(run.random.uniform(0.0, 0.05))
    load.wait()
    recover(run, server)
    return check(run, server)


@fault("no connection to be had", stores=POSTGRESQL)
def no_connection(run: Run) -> Findings:
    """The cluster has no free place for a while, and the connections there were are lost."""
    server = run.serve()
    load = under_load(run, server)
    with postgres(run).no_new_connections():
        postgres(run).cut_connections()
        time.sleep(run.random.uniform(0.1, 0.5))
    load.wait()
    recover(run, server)
    return check(run, server)


@fault("commit of unknown outcome", stores=POSTGRESQL, in_every_suite=True, share=8)
def commit_unknown(run: Run) -> Findings:
    """The network breaks when a commit is on its way, before or after the database has it."""
    loses, silent, away = NETWORK_FAULTS[run.turn % len(NETWORK_FAULTS)]
    proxy = Proxy(postgres(run).server.socket_folder)
    try:
        url = f"postgresql+psycopg://{APPLICATION}@127.0.0.1:{proxy.port}/{postgres(run).name}?sslmode=disable&gssencmode=disable"
        server = run.serve(database_url=url)
        send(server, new_events(run, 3))
        load = under_load(run, server, before=0.05)
        proxy.arm(loses, silent_seconds=silent, away_seconds=away)
        load.wait()
        send(server, new_events(run, 6))
        if proxy.cuts != 1:
            run.notes.append("the fault did not happen")
        recover(run, server)
        return check(run, server)
    finally:
        for started in run.servers:
            started.kill()
        proxy.close()


@fault("database process stands still", stores=POSTGRESQL)
def backend_stopped(run: Run) -> Findings:
    """The processes behind goldvein's connections are stopped for a second, then go on."""
    server = run.serve()
    send(server, new_events(run, 3))
    pids = postgres(run).backends()
    load = under_load(run, server)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(run.random.uniform(0.3, 1.0))
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    began = time.monotonic()
    load.wait()
    recover(run, server, began=began)
    return check(run, server)


@fault("somebody else holds the lock", in_every_suite=True)
def lock_held(run: Run) -> Findings:
    """Another process writes, for a moment or for longer than goldvein waits: it answers 503 and recovers."""
    seconds = 6.5 if run.turn % 8 == 7 else run.random.uniform(0.2, 1.0)
    server = run.serve()
    send(server, new_events(run, 3))
    with _lock(run):
        load = under_load(run, server, number=30)
        time.sleep(seconds)
    began = time.monotonic()
    load.wait()
    recover(run, server, began=began)
    return check(run, server)


@contextmanager
def _lock(run: Run) -> Iterator[None]:
    if run.is_sqlite:
        with closing(sqlite(run).connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        return
    with postgres(run).connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE usage_events IN EXCLUSIVE MODE")
        yield


@fault("store that may only be read", stores=POSTGRESQL, share=6)
def read_only_database(run: Run) -> Findings:
    """As after a failover to a copy: every write is refused until the database is what it was."""
    server = run.serve()
    store = postgres(run)
    send(server, new_events(run, 3))
    load = under_load(run, server)
    store.change(f"ALTER DATABASE {store.name} SET default_transaction_read_only = on")
    store.cut_connections()
    time.sleep(run.random.uniform(0.1, 0.3))
    store.change(f"ALTER DATABASE {store.name} RESET default_transaction_read_only")
    store.cut_connections()
    load.wait()
    recover(run, server)
    return check(run, server)


@fault("rows that the store refuses", in_every_suite=True)
def poison_rows(run: Run) -> Findings:
    """A use that cannot be stored is refused alone; an example that cannot be stored costs the capture alone."""
    of_event = run.turn % 2 == 0
    run.store.refuse_rows("usage_events" if of_event else "skill_feedback", "tool_name", "Poison%")
    server = run.serve()
    events = new_events(run, 40)
    bad = [event for event in events if event.sender == "bob"][::3]
    for event in bad:
        event.body["tool_name"] = "Poison"
    send(server, in_batches(run, events), connections=8)
    for event in events:
        told = event.told[0]
        if event in bad and of_event:
            if told.is_acknowledged:
                run.notes.append("a use that cannot be stored was acknowledged")
            run.events.remove(event)
        elif not told.is_acknowledged:
            run.notes.append(f"a neighbour was refused: {told}")
        elif event in bad and (told.capture, told.reason) != ("failed", "internal_error"):
            run.notes.append(f"an example that cannot be stored: {told}")
    recover(run, server)
    return check(run, server)


@fault("reader that does not end", in_every_suite=True)
def long_reader(run: Run) -> Findings:
    """A backup or an analyst reads for long: uses go on being stored, and afterwards the log is used anew."""
    server = run.serve()
    send(server, new_events(run, 5))
    if not run.is_sqlite:
        with postgres(run).connect() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT count(*) FROM usage_events")
            send(server, in_batches(run, new_events(run, 100)))
        recover(run, server)
        return check(run, server)
    with closing(sqlite(run).connect()) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM usage_events").fetchone()
        send(server, in_batches(run, new_events(run, 100)))
        held = sqlite(run).log.stat().st_size
    recover(run, server)
    if held > 64 * 1024 * 1024:
        run.notes.append(f"a log of {held} bytes after 100 uses")
    with closing(sqlite(run).connect()) as connection:
        busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if busy or pages != moved:
            run.notes.append(f"the log cannot be emptied: {busy}, {moved} of {pages}")
    return check(run, server)


@fault("page of the store damaged", stores=SQLITE, share=2)
def damaged_page(run: Run) -> Findings:
    """Nothing mends itself here: the doctor must say so, no answer may be a lie, and the restored page makes it whole."""
    server = run.serve()
    send(server, new_events(run, 10))
    server.stop()
    path = sqlite(run).path
    whole = path.read_bytes()
    place = run.random.randrange(1, len(whole) // PAGE_BYTES) * PAGE_BYTES
    path.write_bytes(whole[:place] + run.random.randbytes(PAGE_BYTES) + whole[place + PAGE_BYTES :])
    doctor = run.start("doctor")
    doctor.ended_within(30)
    if doctor.code != 1 and _finds_damage(path):
        run.notes.append(f"the doctor of a damaged store ended with {doctor.code}")
    with suppress(Ended):  # refusing to start is as good
        _use_damaged(run)
    for name in (path, sqlite(run).log, path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)
    path.write_bytes(whole)
    return restart_and_check(run)


def _finds_damage(path: Path) -> bool:
    """Whether SQLite's own check finds it: pages that hold nothing are not looked at."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            return connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
        except sqlite3.DatabaseError:
            return True


def _use_damaged(run: Run) -> None:
    """What a damaged store acknowledges it holds, as far as it can be read; the rest is refused as our fault.

    Whoever restores the copy loses these, so the run forgets them.
    """
    server = run.serve()
    events = new_events(run, 10)
    send(server, events)
    statuses = {told.status for event in events for told in event.told}
    if not server.is_alive or not statuses <= {200, 404, 500, 503}:
        run.notes.append(f"a damaged store: alive {server.is_alive}, answers {statuses}")
    with suppress(sqlite3.DatabaseError):
        stored = run.store.contents().captures
        lost = [told for event in events for told in event.acknowledged if told.stored_id not in stored]
        run.notes.extend(f"lost in a damaged store: {told}" for told in lost)
    del run.events[-len(events) :]
    server.kill()
