"""`goldvein doctor`: what has to be true for the server to run well, looked at one by one."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from goldvein import settings as all_settings
from goldvein.db.base import Base
from goldvein.db.engine import make_engine
from goldvein.db.migrate import current_revision, newest_revision, unsafe_role
from goldvein.db.session import Database
from goldvein.errors import GoldveinError, NotConfigured, StoreUnavailable
from goldvein.examples import rescan
from goldvein.identity import server_key as server_keys
from goldvein.identity import service as identity
from goldvein.jobs import service as jobs
from goldvein.journal import file
from goldvein.journal import service as journal
from goldvein.sanitizer import SanitizerFailed
from goldvein.settings import Settings
from goldvein.terminal import console, visible

MIN_FREE_BYTES: Final = 512 * 1024 * 1024
MAX_CLOCK_DIFFERENCE_SECONDS: Final = 30
_RELEASED: Final = datetime(2025, 11, 1, tzinfo=UTC)  # a clock before this is wrong, whatever it says
_EXPECTED_PRAGMAS: Final = {
    "journal_mode": "wal",
    "synchronous": "2",
    "foreign_keys": "1",
    "secure_delete": "1",
    "recursive_triggers": "1",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at; `do` says what to do when it is not well."""

    name: str
    ok: bool
    found: str
    do: str = ""


def examine() -> list[Check]:
    """Look at everything; what cannot be looked at because of what failed before is left out."""
    try:
        settings = all_settings.load()
    except NotConfigured as error:
        return [Check(name="settings", ok=False, found=error.message, do="correct or remove the variable")]
    checks = [Check(name="settings", ok=True, found=f"store: {_store_name(settings)}")]
    checks += [_data_folder(settings), _key_file(settings), _disk_space(settings), _clock()]
    checks += _store(settings)
    return checks


def show(checks: list[Check]) -> None:
    """Print the checks as a table, and below it what to do."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Found", overflow="fold")
    for check in checks:
        mark = Text("ok", style="green") if check.ok else Text("failed", style="bold red")
        found = Text(visible(check.found))
        if not check.ok:
            found.append(f"\nDo: {visible(check.do)}", style="bold")
        table.add_row(Text(check.name), mark, found)
    console().print(table)


def _store_name(settings: Settings) -> str:
    """The store without user and password."""
    url = make_url(settings.store_url)
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''} " if url.host else ""
    return f"{url.get_backend_name()} {place}{url.database or ''}"


def _data_folder(settings: Settings) -> Check:
    folder = settings.data_dir
    if not folder.is_dir():
        return Check(
            name="data folder", ok=False, found=f"{folder} does not exist", do="run `goldvein migrate` or `serve`"
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check(name="data folder", ok=False, found=f"{folder} cannot be written", do="give it to this user")
    return _private("data folder", folder, f"chmod 700 {folder}")


def _key_file(settings: Settings) -> Check:
    if settings.server_key:
        return _readable_key(settings, "from GOLDVEIN_SERVER_KEY")
    path = server_keys.key_file(settings)
    if not path.exists():
        return Check(name="server key", ok=True, found="none yet; made at the first start")
    check = _private("server key", path, f"chmod 600 {path}")
    return _readable_key(settings, check.found) if check.ok else check


def _readable_key(settings: Settings, found: str) -> Check:
    try:
        count = len(server_keys.load(settings).secrets)
    except (GoldveinError, OSError, UnicodeDecodeError) as error:
        return Check(name="server key", ok=False, found=str(error), do="restore it from your backup")
    return Check(name="server key", ok=True, found=f"{found}, {count} in use")


def _private(name: str, path: Path, do: str) -> Check:
    mode = path.stat().st_mode & 0o777
    found = f"{path} (mode {mode:o})"
    return Check(name=name, ok=os.name != "posix" or mode & 0o077 == 0, found=found, do=do)


def _disk_space(settings: Settings) -> Check:
    folder = next(place for place in (settings.data_dir, *settings.data_dir.parents) if place.exists())
    free = shutil.disk_usage(folder).free
    found = f"{free // 1024**2:,} MiB free"
    return Check(name="disk space", ok=free >= MIN_FREE_BYTES, found=found, do="free at least 512 MiB")


def _clock() -> Check:
    now = datetime.now(UTC)
    ok = now > _RELEASED
    return Check(name="clock", ok=ok, found=f"{now:%Y-%m-%d %H:%M:%S} UTC", do="set the clock; use NTP")


def _store(settings: Settings) -> Iterator[Check]:
    url = make_url(settings.store_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        yield Check(name="store", ok=False, found="there is no store yet", do="run `goldvein migrate` or `serve`")
        return
    engine = make_engine(settings.store_url)
    try:
        with engine.connect() as connection:
            started = time.perf_counter()
            connection.execute(text("SELECT 1"))
            found = f"answers in {(time.perf_counter() - started) * 1000:.1f} ms"
            yield Check(name="store", ok=True, found=found)
            schema = _schema(connection)
            yield schema
            yield from _sqlite(connection) if url.get_backend_name() == "sqlite" else _postgresql(connection, settings)
        if schema.ok:
            yield _stored_examples(settings.store_url)
            yield _jobs(settings.store_url)
            yield _journal(settings)
    except (SQLAlchemyError, StoreUnavailable) as error:
        found = f"cannot be used ({type(error).__name__})"
        yield Check(name="store", ok=False, found=found, do="check GOLDVEIN_DATABASE_URL and that the database runs")
    finally:
        engine.dispose()


def _stored_examples(store_url: str) -> Check:
    """How many texts wait for a rescan: a hint, since other rules than today's have sanitized them once."""
    database = Database(store_url)
    try:
        with database.read_across_tenants() as session:
            tenants = [tenant.id for tenant in identity.find_tenants(session)]
        behind = 0
        for tenant_id in tenants:
            with database.read(tenant_id) as session:
                behind += rescan.count_behind(session)
    except SanitizerFailed:
        found = "a sanitizer rule of an organisation cannot be used, so nothing is captured there"
        return Check(name="sanitizer", ok=False, found=found, do="ask its admins to remove the rule and add it anew")
    finally:
        database.close()
    found = "every stored text was sanitized by the current version"
    if behind:
        found = f"{behind} stored examples and comments wait for the current version: run `goldvein examples rescan`"
    return Check(name="sanitizer", ok=True, found=found)


def _jobs(store_url: str) -> Check:
    """What the worker gave up on, or cannot do at its time."""
    with contextlib.closing(Database(store_url)) as database, database.read_across_tenants() as session:
        troubled = jobs.troubled(session)
    kinds = ", ".join(sorted({f"{job.kind} ({job.last_error})" for job in troubled}))
    return Check(
        name="jobs",
        ok=not troubled,
        found=f"{len(troubled)} given up or failing: {kinds}" if troubled else "none was given up",
        do="see `goldvein job list`, remove the cause, then `goldvein job retry ID`",
    )


def _journal(settings: Settings) -> Check:
    """Whether every no is outside the store too, and whether a restore waits for a decision."""
    name, path = "journal", settings.journal_path
    with contextlib.closing(Database(settings.store_url)) as database, database.read_across_tenants() as session:
        waiting, is_held = journal.count_waiting(session), journal.is_held(session)
    if is_held:
        found = "the store was restored without it: capture and export are off"
        return Check(name=name, ok=False, found=found, do="`goldvein restore --journal FILE` or `--without-journal`")
    contents = file.read(path)
    lines = 0 if contents is None else len(contents.lines)
    damaged = 0 if contents is None else contents.damaged
    return Check(
        name=name,
        ok=waiting == 0,
        found=f"{path}: {lines} entries, {damaged} lines damaged" + (f", {waiting} not written yet" if waiting else ""),
        do="make the file writable; the server writes them within a minute",
    )


def _schema(connection: Connection) -> Check:
    current, newest = current_revision(connection), newest_revision()
    found = f"revision {current or 'none'}, this release needs {newest}"
    return Check(name="schema", ok=current == newest, found=found, do="run `goldvein migrate`")


def _sqlite(connection: Connection) -> Iterator[Check]:
    found = {name: str(connection.scalar(text(f"PRAGMA {name}"))) for name in _EXPECTED_PRAGMAS}
    wrong = [f"{name} is {value}" for name, value in found.items() if value != _EXPECTED_PRAGMAS[name]]
    yield Check(
        name="SQLite",
        ok=not wrong,
        found=", ".join(wrong) or "durable commits, foreign keys, erased text is overwritten",
        do="use a local disk: SQLite cannot keep these promises on a network share",
    )
    flaws = connection.scalar(text("PRAGMA quick_check(1)"))
    yield Check(
        name="integrity",
        ok=flaws == "ok",
        found="no damage found" if flaws == "ok" else str(flaws),
        do="restore the store from your backup",
    )


def _postgresql(connection: Connection, settings: Settings) -> Iterator[Check]:
    flaw = unsafe_role(connection)
    yield Check(
        name="database role",
        ok=flaw is None or settings.allow_database_owner,
        found=flaw or "is bound by row-level security",
        do="give the server a role of its own",
    )
    forced = text("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relrowsecurity AND relforcerowsecurity")
    owned = {table.name for table in Base.metadata.tables.values() if "tenant_id" in table.columns}
    open_tables = sorted(owned - set(connection.scalars(forced)))
    yield Check(
        name="row security",
        ok=not open_tables,
        found=f"not forced on {', '.join(open_tables)}" if open_tables else f"forced on all {len(owned)} tables",
        do="run `goldvein migrate` as the owner of the tables",
    )
    away = abs((datetime.now(UTC) - connection.execute(select(func.now())).scalar_one()).total_seconds())
    yield Check(
        name="clocks",
        ok=away <= MAX_CLOCK_DIFFERENCE_SECONDS,
        found=f"server and database are {away:.1f} s apart",
        do="set both clocks; use NTP",
    )
