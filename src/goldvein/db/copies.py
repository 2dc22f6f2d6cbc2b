"""Copies of a store that is in use: SQLite's own backup, PostgreSQL's own programs."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from goldvein.errors import NotConfigured

Progress = Callable[[int, int], None]
"""Gets what is done and what there is to do."""

_PAGES_AT_ONCE: Final = 256
_MAX_REASON_CHARS: Final = 300


def copy_sqlite(source: Path, target: Path, progress: Progress) -> None:
    """Copy a database as it is at one moment, while others read and write.

    The reading transaction that is open all the while pins the moment: without it every commit of another process
    would make the copy begin anew.
    """
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600))
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, isolation_level=None)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
    ):
        reading.execute("PRAGMA busy_timeout = 5000")
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(
            writing, pages=_PAGES_AT_ONCE, progress=lambda _status, left, total: progress(total - left, total), sleep=0
        )
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def check_sqlite(path: Path) -> None:
    """Raise NotConfigured for a copy that is damaged."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.DatabaseError:
            found = "not a database"
    if found != "ok":
        raise NotConfigured(what="the store in the backup is damaged; nothing was changed")


def dump_postgresql(url: str, target: Path) -> None:
    """Copy a database with pg_dump. Raises NotConfigured when it is not there or refuses."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    _run("pg_dump", url, "--format=custom", f"--file={target}")


def load_postgresql(url: str, source: Path) -> None:
    """Fill an empty database from a copy: all of it, or nothing."""
    _run("pg_restore", url, "--exit-on-error", "--single-transaction", str(source))


def list_postgresql(source: Path) -> None:
    """Raise NotConfigured for a copy that pg_restore cannot read."""
    _run("pg_restore", None, "--list", str(source))


def is_used_sqlite(path: Path) -> bool:
    """Whether another process has the database open: only who is alone may leave the mode of the write-ahead log."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            return str(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]) != "delete"
        except sqlite3.OperationalError:
            return True
        except sqlite3.DatabaseError:
            return False  # damaged: nobody serves from it


def put_in_place_sqlite(made: Path, target: Path) -> None:
    """Let a finished copy take the place of a database that nobody has open, in one step."""
    with contextlib.closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # what is in its log goes into the file
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    made.replace(target)


def is_used_postgresql(url: str) -> bool:
    """Whether anybody else is connected to the database."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with _connected(url) as connection:
        return bool(connection.scalar(text(others)))


def empty_postgresql(url: str) -> None:
    """Remove every table and function of the schema that goldvein lives in."""
    tables = (
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    routines = "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    with _connected(url) as connection:
        for kind, names in (("TABLE", tables), ("ROUTINE", routines)):
            for name in connection.scalars(text(names)).all():
                connection.execute(text(f"DROP {kind} IF EXISTS {name} CASCADE"))


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise NotConfigured(
            what="the store cannot be made anew: GOLDVEIN_BACKUP_DATABASE_URL must name a role that owns its tables"
        ) from error
    finally:
        engine.dispose()


def _run(program: str, url: str | None, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; a password travels in its environment, which only its user can see."""
    path = shutil.which(program)
    if path is None:
        raise NotConfigured(
            what=f"{program} is not on the PATH: install PostgreSQL's client programs, not older than the server"
        )
    environment = dict(os.environ)
    command = [path, *arguments]
    if url is not None:
        parsed = make_url(url)
        if parsed.password is not None:
            environment["PGPASSWORD"] = str(parsed.password)
        plain = parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
        command.insert(1, f"--dbname={plain}")
    done = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 (found above)
    if done.returncode != 0:
        raise NotConfigured(what=f"{program} failed: {_reason(done.stderr)}")


def _reason(errors: bytes) -> str:
    """The first line of what went wrong: what follows may quote rows."""
    lines = errors.decode(errors="replace").splitlines()
    first = next((line for line in lines if "error:" in line), "no reason given")
    if "row-level security" in first:
        return "its role is bound by row-level security; give GOLDVEIN_BACKUP_DATABASE_URL one with BYPASSRLS"
    return first.partition("error:")[2].strip()[:_MAX_REASON_CHARS]
