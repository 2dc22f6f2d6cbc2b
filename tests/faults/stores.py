"""A store from outside: what it holds, what lies on its disk, and ways to hurt it that no client has."""

import os
import re
import sqlite3
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from conftest import Templates
from sqlalchemy.engine import make_url

from local_services.postgres import APPLICATION, SUPERUSER, LocalPostgres

_EVENTS = "SELECT id, capture_outcome FROM usage_events"
_CAPTURED = (
    "SELECT usage_event_id, user_id, status, example_input, example_output, expected_output"
    " FROM skill_feedback WHERE source = 'usage_capture'"
)
_MEASURED = "SELECT usage_event_id FROM token_measurements"


@dataclass(frozen=True)
class Example:
    """One captured example."""

    event_id: str
    person_id: str
    status: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """What the store holds of the uses, ids as 32 hex digits."""

    captures: dict[str, str]
    examples: list[Example]
    measured: set[str]


class Store(ABC):
    """One run's database."""

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read past every policy."""

    @abstractmethod
    def change(self, *statements: str) -> None:
        """Change it behind the server's back, as its owner; committed."""

    @abstractmethod
    def files(self) -> Iterator[Path]:
        """Every file that may hold what was stored, logs included."""

    @abstractmethod
    def refuse_rows(self, table: str, column: str, value: str) -> None:
        """Let the store itself refuse rows of a table that hold this value: what a bug of ours would look like."""

    def count_events(self) -> int:
        """How many uses are stored."""
        return len(self.rows(_EVENTS))

    def contents(self) -> Contents:
        """Everything about the uses."""
        return Contents(
            captures={_hex(event_id): outcome for event_id, outcome in self.rows(_EVENTS)},
            examples=[
                Example(_hex(event_id), _hex(person), status, tuple(text for text in texts if text))
                for event_id, person, status, *texts in self.rows(_CAPTURED)
            ],
            measured={_hex(event_id) for (event_id,) in self.rows(_MEASURED)},
        )


def _hex(identity: object) -> str:
    return str(identity).replace("-", "")


def open_store(templates: Templates, url: str, owner_url: str, folder: Path) -> "SqliteFile | PostgresDatabase":
    """The store of a run."""
    if url.startswith("sqlite"):
        return SqliteFile(folder / Path(str(make_url(url).database)).name)
    return PostgresDatabase(templates.postgres, str(make_url(owner_url).database))


class SqliteFile(Store):
    """A database in one file, with its log beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def log(self) -> Path:
        return self.path.with_name(self.path.name + "-wal")

    def connect(self, *, seconds: float = 20) -> sqlite3.Connection:
        """A connection of another process than the server's."""
        return sqlite3.connect(self.path, timeout=seconds, isolation_level=None, check_same_thread=False)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(query).fetchall()

    def change(self, *statements: str) -> None:
        with closing(self.connect()) as connection:
            for statement in statements:
                connection.execute(statement)

    def files(self) -> Iterator[Path]:
        yield from self.path.parent.glob(self.path.name + "*")

    def refuse_rows(self, table: str, column: str, value: str) -> None:
        self.change(
            f"CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} WHEN NEW.{column} LIKE '{value}'"
            " BEGIN SELECT RAISE(ABORT, 'refused by the fault test'); END"
        )


class PostgresDatabase(Store):
    """A database of the harness's own cluster."""

    def __init__(self, server: LocalPostgres, name: str) -> None:
        self.server = server
        self.name = name
        self._began = time.time()
        self._log = server.data_folder / "log"
        self._log_before = self._log.stat().st_size
        self._folder_number = str(self.rows(f"SELECT oid FROM pg_database WHERE datname = '{name}'")[0][0])

    def connect(self, database: str = "") -> "psycopg.Connection[tuple[Any, ...]]":
        """A superuser's connection."""
        url = make_url(self.server.url(SUPERUSER, database or self.name))
        return psycopg.connect(
            host=str(url.query["host"]),
            dbname=url.database,
            user=SUPERUSER,
            autocommit=True,
            connect_timeout=10,
            options="-c default_transaction_read_only=off",  # whatever a run has made of its database
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def change(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def files(self) -> Iterator[Path]:
        """This database, the cluster's log of changes since this run began, and what the server wrote for people."""
        folder = self.server.data_folder
        yield from (folder / "base" / self._folder_number).iterdir()
        yield from (path for path in (folder / "pg_wal").glob("0*") if path.stat().st_mtime >= self._began - 1)
        yield self._log

    def refuse_rows(self, table: str, column: str, value: str) -> None:
        self.change(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK ({column} NOT LIKE '{value}') NOT VALID")

    def new_log_lines(self) -> str:
        """What the cluster has logged since this run began."""
        with self._log.open("rb") as log:
            log.seek(self._log_before)
            return log.read().decode(errors="replace")

    def backends(self) -> list[int]:
        """The processes that serve goldvein's connections, oldest first."""
        found = self.rows(
            f"SELECT pid FROM pg_stat_activity WHERE datname = '{self.name}' AND usename = '{APPLICATION}'"
            " ORDER BY backend_start"
        )
        return [pid for (pid,) in found]

    def processes(self) -> list[int]:
        """Every process of the cluster, the first one included."""
        postmaster = int((self.server.data_folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]

    def cut_connections(self) -> int:
        """End every connection of goldvein; returns how many there were."""
        return len(
            self.rows(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"
                f" AND usename = '{APPLICATION}'"
            )
        )

    @contextmanager
    def no_new_connections(self) -> Iterator[None]:
        """Let nobody but superusers connect, as a cluster without a free place does."""
        with self.connect("postgres") as connection:
            connection.execute(f"ALTER DATABASE {self.name} CONNECTION LIMIT 0".encode())
            try:
                yield
            finally:
                connection.execute(f"ALTER DATABASE {self.name} CONNECTION LIMIT -1".encode())


def holding(files: Iterable[Path], *words: str) -> list[str]:
    """The names of the files in which one of the words stands."""
    needle = re.compile(b"|".join(re.escape(word.encode()) for word in words))
    found = []
    for path in files:
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue
        if needle.search(content):
            found.append(path.name)
    return found


def mounted(folder: Path, *, kibibytes: int) -> None:
    """Make the folder a disk of its own in memory, of this size. Needs root."""
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={kibibytes}k,mode=0700", "goldvein-faults", str(folder))


def remounted(folder: Path, how: str) -> None:
    """Remount the folder's disk: `ro` or `rw`."""
    _mount("-o", f"remount,{how}", str(folder))


def unmounted(folder: Path) -> None:
    """Take the disk away again."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def may_mount() -> bool:
    """Whether this user may make disks."""
    return os.geteuid() == 0
