import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

SQLITE_BUSY_MILLISECONDS = 5_000

# Each is a law or a measured need: FULL syncs the log at every commit (law 4); secure_delete overwrites erased text
# (law 3); recursive_triggers keeps INSERT OR REPLACE from passing the append-only triggers.
_SQLITE_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "secure_delete": "ON",
    "recursive_triggers": "ON",
    "busy_timeout": str(SQLITE_BUSY_MILLISECONDS),
}

# The thread pools of the server never hold more sessions than this. Parameters stay out of error texts (law 1).
_POOL: dict[str, Any] = {"pool_size": 20, "max_overflow": 40, "pool_timeout": 10, "hide_parameters": True}

# A held lock or a lost server costs a caller a 503, not for ever; migrations set their own.
_POSTGRESQL_PATIENCE = "-c lock_timeout=10s -c statement_timeout=60s"


def make_engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL with the settings that the laws need. `url` names the driver."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            _make_private_file(Path(parsed.database))
        engine = create_engine(parsed, **_POOL, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Named, because a database may have another default: a snapshot older than the consent lock would show a consent
    # that has been withdrawn meanwhile.
    return create_engine(
        parsed,
        **_POOL,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"options": _POSTGRESQL_PATIENCE},
    )


def _make_private_file(path: Path) -> None:
    """SQLite gives its log files the mode of the database, so that has to be right from the beginning."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver starts no transactions of its own: `_begin_sqlite` does
    for name, value in _SQLITE_PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _begin_sqlite(connection: Connection) -> None:
    # A read that turns into a write fails under load, so a writer says so at the start.
    writes = connection.get_execution_options().get("goldvein_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
