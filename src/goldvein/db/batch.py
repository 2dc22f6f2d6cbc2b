"""Transactions of the hot path's writer: many rows at once, on the driver itself.

The session of `session.py` costs a third of a millisecond for each statement, which is right for a request and too
much for an event. Here the same mapped tables are read and written with statements that are compiled once: `Query` for
a select, `BulkInsert` for new rows. Tenants stay apart as they do there: a query adds the tenant to every table it
reads, an insert to every row it writes, and PostgreSQL's policies are told the tenant before any of it.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec
import psycopg
from sqlalchemy import Dialect, LargeBinary, PoolProxiedConnection, Select, Table, bindparam
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from goldvein import failpoints
from goldvein.db.session import Database, TenantViolation, lock_number
from goldvein.errors import StoreUnavailable

Row = tuple[Any, ...]
Made = TypeVar("Made")

# Statements are prepared by their text, so lists come in few lengths and rows in few at a time; and few statements for
# a batch, because at each one the thread gives Python's lock away and has to wait for it again.
_LIST_SIZES: Final = (1, 8, 64, 512, 4096)
_ROWS_AT_ONCE: Final = (128, 64, 32, 16, 8, 4, 2, 1)
_SQLITE_BACKSTOP_PAGES: Final = 16_000  # 64 MB: the checkpointer does it before, beside the writer
# PostgreSQL plans the check of a foreign key once for a connection. Planned on an empty table it takes the wrong index
# and reads every row of the tenant for each new one (0.6 ms a row), so plans are made again as a new store grows.
_PLAN_AGAIN_AT_ROWS: Final = (100, 1_000, 10_000, 100_000)
# psycopg stops sending in a pipeline whose last statement the socket does not take at once, and then waits for ever for
# its answer: what is larger than any socket's buffer travels by itself.
_PIPELINED_BYTES: Final = 8_192
_UNAVAILABLE: Final = (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError)
# Another transaction was in the way; run again, it comes after that one.
_IN_THE_WAY: Final = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
# The last page of the commit did not get into SQLite's log: nothing to find out, and nobody is kept waiting for it.
_NOT_WRITTEN: Final = ("SQLITE_FULL", "SQLITE_IOERR_WRITE")


class OutcomeUnknown(Exception):
    """The connection was lost while committing: the store may hold the rows, or not."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A select as one dialect runs it, for lists of certain lengths."""

    sql: str
    order: tuple[tuple[str, int | None], ...]
    fixed: Mapping[str, Any]
    to_driver: Mapping[str, Any]
    from_driver: tuple[Any, ...]


class Query:
    """A select over tenant-owned tables; lists are given to `in_` as `bindparam(name, expanding=True)`."""

    def __init__(self, statement: Select[Any]) -> None:
        for table in statement.get_final_froms():
            if "tenant_id" not in table.c:
                raise TenantViolation(f"{table} belongs to no tenant")
            statement = statement.where(table.c.tenant_id == bindparam("tenant_id"))
        self._statement = statement
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def prepared(self, dialect: Dialect, values: Mapping[str, Any]) -> tuple[str, list[Any], tuple[Any, ...]]:
        """The statement for these values, their form for the driver, and what turns its answers back."""
        padded = {name: _padded(value) if isinstance(value, list) else value for name, value in values.items()}
        sizes = tuple(len(value) for value in padded.values() if isinstance(value, list))
        plan = self._plans.get((dialect.name, sizes))
        if plan is None:
            plan = self._plans[(dialect.name, sizes)] = self._plan(dialect, padded)
        sent = []
        for name, place in plan.order:
            value = padded.get(name, plan.fixed.get(name)) if place is None else padded[name][place]
            convert = plan.to_driver[name]
            sent.append(value if convert is None else convert(value))
        return plan.sql, sent, plan.from_driver

    def _plan(self, dialect: Dialect, padded: Mapping[str, Any]) -> _Plan:
        compiled: Any = self._statement.compile(dialect=dialect)
        state = compiled.construct_expanded_state(dict(padded))
        places: dict[str, tuple[str, int | None]] = {
            expanded: (name, place)
            for name, several in state.parameter_expansion.items()
            for place, expanded in enumerate(several)
        }
        binds = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
        return _Plan(
            sql=state.statement,
            order=tuple(places.get(name, (name, None)) for name in state.positiontup),
            fixed={name: value for name, value in state.parameters.items() if name not in padded},
            to_driver={name: kind.bind_processor(dialect) for name, kind in binds.items()},
            from_driver=tuple(
                column.type.dialect_impl(dialect).result_processor(dialect, None)
                for column in self._statement.selected_columns
            ),
        )


def _padded(values: list[Any]) -> list[Any]:
    size = next((size for size in _LIST_SIZES if size >= len(values)), len(values))
    return values + [values[-1]] * (size - len(values))


class BulkInsert:
    """New rows of one tenant-owned table: its columns but the tenant, in the order in which rows give them."""

    def __init__(self, table: Any, *columns: str) -> None:
        self._table: Table = table
        self._columns = ("tenant_id", *columns)
        if unknown := set(self._columns) - set(self._table.c.keys()):
            raise TenantViolation(f"{self._table} has no {', '.join(sorted(unknown))}")
        self._heads: dict[str, tuple[str, Any]] = {}

    def statements(self, dialect: Dialect, tenant_id: str, rows: Sequence[Row]) -> Iterator[tuple[str, Sequence[Any]]]:
        """The statements that insert these rows."""
        head, convert = self._head(dialect)
        if dialect.name == "postgresql":
            # One JSON text for all rows, which the server takes apart: see docs/decisions.md.
            objects = [dict(zip(self._columns, convert(tenant_id, row), strict=True)) for row in rows]
            yield head, (msgspec.json.encode(objects).decode(),)
            return
        one = f"({','.join('?' * len(self._columns))})"
        start = 0
        for size in _ROWS_AT_ONCE:
            while len(rows) - start >= size:
                taken = rows[start : start + size]
                yield (
                    head + ",".join([one] * size),
                    list(chain.from_iterable(convert(tenant_id, row) for row in taken)),
                )
                start += size

    def _head(self, dialect: Dialect) -> tuple[str, Any]:
        known = self._heads.get(dialect.name)
        if known is None:
            known = self._heads[dialect.name] = self._make_head(dialect)
        return known

    def _make_head(self, dialect: Dialect) -> tuple[str, Any]:
        names = ", ".join(self._columns)
        into = f"INSERT INTO {self._table.name} ({names})"
        columns = [self._table.c[name] for name in self._columns]
        if dialect.name == "postgresql":
            record = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in columns)
            sql = f"{into} SELECT {names} FROM json_to_recordset(%s::json) AS r({record})"  # noqa: S608 (our own names)
            return sql, _converting([_as_hex if isinstance(column.type, LargeBinary) else None for column in columns])
        processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
        return f"{into} VALUES ", _converting(processors)


def _converting(processors: list[Any]) -> Any:
    places = [(place, process) for place, process in enumerate(processors) if process is not None]

    def convert(tenant_id: str, row: Row) -> list[Any]:
        values = [tenant_id, *row]
        for place, process in places:
            if values[place] is not None:
                values[place] = process(values[place])
        return values

    return convert


def _as_hex(value: bytes) -> str:
    return "\\x" + value.hex()


class Transaction:
    """One transaction, working for one tenant at a time. On PostgreSQL statements wait, to travel together."""

    def __init__(self, driver: Any, dialect: Dialect) -> None:
        self._driver = driver
        self._dialect = dialect
        self._tenant_id = ""
        self._waiting: list[tuple[str, Sequence[Any]]] = []
        self.inserted_rows = 0

    def enter(self, tenant_id: str) -> None:
        """Work for this tenant from here on, with its consent held as it is: shared, so that captures go side by side.

        Tenants are entered in the order of their ids, whoever enters several: nobody waits in a circle.
        """
        self._tenant_id = tenant_id
        if self._dialect.name == "postgresql":
            self._waiting += (
                ("SELECT set_config('goldvein.tenant_id', %s, true)", (tenant_id,)),
                ("SELECT pg_advisory_xact_lock_shared(%s)", (lock_number("consent", tenant_id),)),
            )

    def lock(self, *names: str) -> None:
        """Hold the locks of these names until the end; on SQLite the transaction already is exclusive."""
        if self._dialect.name == "postgresql":
            numbers = sorted(lock_number(self._tenant_id, name) for name in names)
            self._waiting += (("SELECT pg_advisory_xact_lock(%s)", (number,)) for number in numbers)

    def read(self, *asked: tuple[Query, Mapping[str, Any]]) -> list[list[Row]]:
        """The rows of each query; one with an empty list is not run and has none."""
        answers: list[list[Row]] = [[] for _ in asked]
        run: list[tuple[int, tuple[Any, ...]]] = []
        for place, (query, values) in enumerate(asked):
            if not all(values.values()):
                continue
            sql, sent, from_driver = query.prepared(self._dialect, {**values, "tenant_id": self._tenant_id})
            run.append((place, from_driver))
            self._waiting.append((sql, sent))
        cursors = self._send(len(run))
        for (place, from_driver), cursor in zip(run, cursors, strict=True):
            answers[place] = [_from_driver(row, from_driver) for row in cursor.fetchall()]
        return answers

    def insert(self, into: BulkInsert, rows: Sequence[Row]) -> None:
        """Add rows; an error of theirs may show only at the next read or at the commit."""
        if rows:
            self.inserted_rows += len(rows)
            self._waiting += into.statements(self._dialect, self._tenant_id, rows)

    def _send(self, expected: int) -> list[Any]:
        """Run what waits; returns the cursors of the last `expected` statements."""
        waiting, self._waiting = self._waiting, []
        with self._together(waiting):
            cursors = self._execute(waiting)
        return cursors[len(cursors) - expected :]

    def _together(self, waiting: Sequence[tuple[str, Sequence[Any]]]) -> Any:
        """Let the statements travel together, where the driver can and they are small."""
        size = sum(len(sql) + sum(map(_size, sent)) for sql, sent in waiting)
        small = self._dialect.name == "postgresql" and size <= _PIPELINED_BYTES
        return self._driver.pipeline() if small else contextlib.nullcontext()

    def _execute(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        cursors = []
        for sql, sent in statements:
            failpoints.reach("writer.statement")
            cursors.append(self._driver.execute(sql, sent))
        return cursors

    def commit(self) -> None:
        """Run what waits and commit."""
        if self._dialect.name == "sqlite":
            self._send(0)
            failpoints.reach("writer.committing")
            try:
                self._driver.execute("COMMIT")
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorname", "") in _NOT_WRITTEN:
                    raise
                raise OutcomeUnknown from error
            return
        waiting, self._waiting = self._waiting, []
        try:
            with self._together(waiting):
                self._execute(waiting)
                failpoints.reach("writer.committing")
                self._driver.commit()
        except psycopg.Error as error:
            if self._driver.closed:
                raise OutcomeUnknown from error
            raise


def _size(value: Any) -> int:
    """How much a value takes on its way, about: as much again as it holds, for its length and its place."""
    return 16 + (len(value) if isinstance(value, str | bytes) else 0)


def _from_driver(row: Row, processors: tuple[Any, ...]) -> Row:
    return tuple(
        value if process is None or value is None else process(value)
        for value, process in zip(row, processors, strict=True)
    )


class BatchConnection:
    """The writer's own connection, opened when first used and again after it was lost. For one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect: Dialect = (
            database.engine.dialect if database.is_sqlite else PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
        )
        self._held: PoolProxiedConnection | None = None
        self._driver: Any = None
        self._inserted_rows = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that has not been lost, as far as we know."""
        return self._held is not None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction, durable when the block ends without an error.

        Raises StoreUnavailable when the store could not take it and holds nothing of it, OutcomeUnknown when that
        cannot be told, and the driver's own error when it is the rows that are refused; of these nothing is stored.
        """
        with self._database.exclusive():
            try:
                driver = self._begun()
                transaction = Transaction(driver, self._dialect)
                failpoints.reach("writer.begun")
                yield transaction
                transaction.commit()
                failpoints.reach("writer.committed")
                self._plan_again(driver, transaction.inserted_rows)
            except OutcomeUnknown:
                self.close()
                raise
            except _IN_THE_WAY:
                self._roll_back()
                raise
            except (*_UNAVAILABLE, DBAPIError, PoolTimeout) as error:
                self._roll_back()
                raise StoreUnavailable from error
            except BaseException:
                self._roll_back()
                raise

    def _plan_again(self, driver: Any, inserted_rows: int) -> None:
        before, self._inserted_rows = self._inserted_rows, self._inserted_rows + inserted_rows
        passed = any(before < rows <= self._inserted_rows for rows in _PLAN_AGAIN_AT_ROWS)
        if passed and not self._database.is_sqlite:
            try:
                driver.execute("DISCARD PLANS")
                driver.commit()
            except psycopg.Error:  # what counts has committed; a connection that is lost here is opened anew
                self.close()

    def _begun(self) -> Any:
        if self._held is None:
            self._inserted_rows = 0
            self._held = self._database.engine.raw_connection()
            self._driver = self._held.driver_connection
            self._held.detach()  # closing it closes it, instead of giving it to somebody else
            if self._database.is_sqlite:
                self._driver.execute(f"PRAGMA wal_autocheckpoint = {_SQLITE_BACKSTOP_PAGES}")
        if self._database.is_sqlite:
            self._driver.execute("BEGIN IMMEDIATE")
        return self._driver

    def _roll_back(self) -> None:
        if self._held is None:
            return
        try:
            if self._database.is_sqlite:
                if self._driver.in_transaction:
                    self._driver.execute("ROLLBACK")
            else:
                self._driver.rollback()
        except (psycopg.Error, sqlite3.Error):
            self.close()

    def close(self) -> None:
        """Close the connection; the next transaction opens another."""
        held, self._held, self._driver = self._held, None, None
        if held is not None:
            with contextlib.suppress(psycopg.Error, sqlite3.Error, DBAPIError):
                held.close()
