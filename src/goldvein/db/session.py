"""Transactions: the only place that commits, and the place that keeps tenants apart.

A session is opened for one tenant: `database.read(tenant_id)` or `database.write(tenant_id)`. It filters every
statement on tenant-owned rows, fills and checks the tenant of new ones, and on PostgreSQL tells the row-level
policies which tenant it is. `write_across_tenants()` and `read_across_tenants()` see identity rows of all tenants
(to find out whose key this is) and no other tenant-owned rows at all.
"""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Select, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from goldvein import failpoints
from goldvein.db.base import IdentityOwned, TenantOwned
from goldvein.db.engine import SQLITE_BUSY_MILLISECONDS, make_engine
from goldvein.errors import JSONValue, StoreUnavailable

ANY_TENANT: Final = "*"
LEDGER_LOCK: Final = "ledger"
_WRITE_LOCK_SECONDS = 10.0
_CLEAR_LOG_TRIES = 5
MAINTAIN_SINCE = 170_000  # PostgreSQL's version in which others than the owner may be allowed to vacuum

log = structlog.get_logger()

RowT = TypeVar("RowT")


class TenantViolation(RuntimeError):
    """Code tried to reach past its tenant. A programming error, never shown to a caller."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """Something a transaction did that its tenant's ledger keeps: ids, states, numbers, and no text.

    `people` are ids of people by what they are in it; the ledger puts a commitment in their place.
    """

    kind: str
    at: datetime
    people: Mapping[str, str | None]
    values: Mapping[str, JSONValue]


KeepFacts = Callable[["TenantSession", Sequence[Fact]], None]
_keepers: list[KeepFacts] = []


def keeps_facts(keeper: KeepFacts) -> KeepFacts:
    """Declare the one function that writes what transactions record; it stands in a slice above this floor."""
    _keepers[:] = [keeper]
    return keeper


class TenantSession(Session):
    """A session bound to one tenant, or to identity rows across tenants."""

    @property
    def tenant_id(self) -> str:
        """The tenant this session works for."""
        tenant_id: str = self.info["tenant_id"]
        if tenant_id == ANY_TENANT:
            raise TenantViolation("this session works across tenants")
        return tenant_id

    def record(
        self,
        kind: str,
        *,
        at: datetime,
        people: Mapping[str, str | None] | None = None,
        tenant_id: str | None = None,
        **values: JSONValue,
    ) -> None:
        """Have the tenant's ledger keep this, in this transaction and as its last step.

        Last, because the ledger of a tenant has one end: whoever writes there lets the others wait until the commit.
        A session across tenants names the tenant.
        """
        fact = Fact(kind=kind, at=at, people=people or {}, values=values)
        self._facts.setdefault(tenant_id or self.tenant_id, []).append(fact)

    @property
    def _facts(self) -> dict[str, list[Fact]]:
        facts: dict[str, list[Fact]] = self.info.setdefault("facts", {})
        return facts

    def keep_facts(self) -> None:
        """Write what was recorded: what cannot be kept cannot be committed. Tenants come in the order of their ids."""
        facts, entered = self.info.pop("facts", {}), self.info["tenant_id"]
        if not facts:
            return
        if not _keepers:
            raise TenantViolation("nobody keeps what this transaction recorded")
        self.flush()
        for tenant_id in sorted(facts):
            self._enter(tenant_id)
            _keepers[0](self, facts[tenant_id])
            self.flush()
        self._enter(entered)

    @contextmanager
    def across_tenants(self) -> Iterator[None]:
        """Reach identity rows of every tenant for a moment, in this transaction: a person may be in several."""
        entered = self.info["tenant_id"]
        self.flush()
        self._enter(ANY_TENANT)
        try:
            yield
            self.flush()
        finally:
            self._enter(entered)

    def _enter(self, tenant_id: str) -> None:
        """Work for this tenant from here on; on PostgreSQL the policies are told."""
        if self.info["tenant_id"] != tenant_id:
            self.info["tenant_id"] = tenant_id
            _tell_the_policies(self, None, self.connection())

    def _refuse_bulk(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise TenantViolation("bulk methods pass the tenant check by; add rows as objects")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse_bulk


class FairLock:
    """A lock that goes to whoever has waited longest.

    Python's own goes to whoever asks first after a release, which is the thread that has just released it: the writer
    of the hot path would keep a withdrawal waiting for seconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Take the lock; False when it could not be had within `timeout` seconds."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it was handed over at the very end of the wait

    def release(self) -> None:
        """Give the lock up, to the first who waits."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


class Database:
    """One store: an engine, the order of its writers, and sessions bound to tenants."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._write_engine = self.engine.execution_options(goldvein_write=True)
        # On SQLite one process-wide lock orders the writers: waiting here is fair and cheap, busy-waiting in
        # SQLite's own lock is neither.
        self._write_lock = FairLock() if self.is_sqlite else None
        self._checkpointing = threading.Lock()
        self._watchers: list[tuple[frozenset[str], Callable[[], None]]] = []
        self._followers: list[tuple[frozenset[str], Callable[[], None]]] = []

    def watch(self, tables: frozenset[str], forget: Callable[[], None]) -> None:
        """Call `forget` whenever a session of this process has written to one of the tables, before its caller goes on.

        For what is remembered of them: no route has to think of it, so none can forget to.
        """
        self._watchers.append((tables, forget))

    def follow(self, tables: frozenset[str], act: Callable[[], None]) -> None:
        """Call `act` after a session of this process has committed a change of one of the tables.

        Before its caller goes on, but after the turn to write has been given back: `act` may write, too.
        """
        self._followers.append((tables, act))

    def _tell_watchers(self, session: TenantSession) -> None:
        changed: set[str] = session.info.get("changed", set())
        for tables, forget in self._watchers:
            if tables & changed:
                forget()

    @contextmanager
    def read(self, tenant_id: str) -> Iterator[TenantSession]:
        """A read-only transaction of one tenant; whatever it changed is rolled back."""
        with self._session(self.engine, tenant_id) as session:
            yield session

    @contextmanager
    def write(self, tenant_id: str) -> Iterator[TenantSession]:
        """A transaction of one tenant; committed, durably, when the block ends without an error."""
        with self.exclusive(), self._session(self._write_engine, tenant_id) as session:
            yield session
            session.keep_facts()
            failpoints.reach("session.committing")
            try:
                session.commit()
                failpoints.reach("session.committed")
            finally:  # whatever became of a commit that failed, what is remembered may be wrong now
                self._tell_watchers(session)
        changed: set[str] = session.info.get("changed", set())
        for tables, act in self._followers:
            if tables & changed:
                act()

    @contextmanager
    def read_across_tenants(self) -> Iterator[TenantSession]:
        """Read identity rows of all tenants: to find out whose key or session this is."""
        with self.read(ANY_TENANT) as session:
            yield session

    @contextmanager
    def write_across_tenants(self) -> Iterator[TenantSession]:
        """Write identity rows of any tenant: a new tenant, a new person, a used link."""
        with self.write(ANY_TENANT) as session:
            yield session

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """The turn to write: one at a time and in order on SQLite, at once on PostgreSQL."""
        if self._write_lock is None:
            yield
            return
        if not self._write_lock.acquire(timeout=_WRITE_LOCK_SECONDS):
            raise StoreUnavailable
        try:
            yield
        finally:
            self._write_lock.release()

    @contextmanager
    def _session(self, engine: Engine, tenant_id: str) -> Iterator[TenantSession]:
        session = TenantSession(engine, expire_on_commit=False, info={"tenant_id": tenant_id})
        try:
            with session:
                yield session
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise StoreUnavailable from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise StoreUnavailable from error
            raise

    @contextmanager
    def alone(self, work: str) -> Iterator[bool]:
        """Whether this process may do some work that one of them does at a time; it may until the block ends.

        On SQLite there is one process.
        """
        if self.is_sqlite:
            yield True
            return
        key = {"key": lock_number(work)}
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            is_alone = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key))
            try:
                yield is_alone
            finally:
                if is_alone:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    def clear_log(self) -> None:
        """After an erasure, take the erased text out of SQLite's write-ahead log too, as soon as no reader holds it.

        The erasure has committed: whatever goes wrong here is logged and does not change the answer; the next
        checkpoint takes the text out. PostgreSQL recycles its log by itself.
        """
        if not self.is_sqlite:
            return
        try:
            cleared = any(self._truncate_log() for _ in range(_CLEAR_LOG_TRIES))
        except (StoreUnavailable, DBAPIError):
            cleared = False
        if not cleared:
            log.warning("log_not_cleared", store="sqlite")

    def _truncate_log(self) -> bool:
        """Try once, without waiting for readers."""
        with self._checkpointing, self.exclusive(), self._outside_transactions() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {SQLITE_BUSY_MILLISECONDS}")
        if busy:
            time.sleep(0.05)
        return not busy

    def checkpoint(self) -> None:
        """Move what SQLite's log holds into the database file, so that the log begins anew.

        Most of it beside the writers, who go on; what they have added meanwhile in a turn of its own, or the log would
        never be empty and grow for as long as there is load.
        """
        with self._checkpointing, self._outside_transactions() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
            with self.exclusive():
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def _outside_transactions(self) -> Iterator[Connection]:
        """A connection without a transaction, where SQLite checkpoints."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            yield connection
            connection.exec_driver_sql("BEGIN")

    def vacuum(self, tables: Sequence[str]) -> bool:
        """Have PostgreSQL take erased rows out of these tables; False when the role may not (it may from 17 on).

        On SQLite erased text is overwritten at once, and there is nothing to do.
        """
        if self.is_sqlite:
            return True
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if connection.scalar(text("SELECT current_setting('server_version_num')::int")) < MAINTAIN_SINCE:
                return False
            may = text("SELECT has_table_privilege(:name, 'MAINTAIN')")
            if not all(connection.scalar(may, {"name": name}) for name in tables):
                return False
            connection.execute(text("SET statement_timeout = 0"))
            try:
                for name in tables:
                    connection.execute(text(f"VACUUM {name}"))
            finally:
                connection.execute(text("RESET statement_timeout"))
        return True

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def for_change(rows: Select[RowT]) -> Select[RowT]:
    """Hold the rows until this transaction ends, and read them as they are now: whoever changes them too comes after.

    New rows may refer to them meanwhile: whoever is writing in the tenant's ledger refers to the tenant, and would wait
    for whoever holds the tenant and waits for the ledger. On SQLite the write transaction already is exclusive.
    """
    return rows.with_for_update(key_share=True).execution_options(populate_existing=True)


def lock_consent(session: TenantSession, *, exclusive: bool) -> None:
    """Hold the tenant's consent still until this transaction ends: shared to capture, exclusive to change it.

    A statement of its own, before any read: a read in the same statement would see a snapshot older than the lock.
    PostgreSQL queues the exclusive waiter ahead of later sharers, so a withdrawal is not starved. On SQLite the
    write transaction already is exclusive.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return
    function = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
    connection.execute(text(f"SELECT {function}(:key)"), {"key": lock_number("consent", session.tenant_id)})


def lock_ledger(session: TenantSession) -> None:
    """Hold the end of the tenant's ledger until this transaction ends. Taken after every other lock."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        key = {"key": lock_number(session.tenant_id, LEDGER_LOCK)}
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)


def lock_number(*name: str) -> int:
    """The number under which PostgreSQL knows the lock of this name."""
    digest = hashlib.sha256(":".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _note_change(session: Session, *tables: str) -> None:
    session.info.setdefault("changed", set()).update(tables)


@event.listens_for(TenantSession, "after_begin")
def _tell_the_policies(session: Session, _transaction: SessionTransaction | None, connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        setting = {"tenant": session.info["tenant_id"]}
        connection.execute(text("SELECT set_config('goldvein.tenant_id', :tenant, true)"), setting)


@event.listens_for(TenantSession, "do_orm_execute")
def _restrict_to_tenant(state: ORMExecuteState) -> None:
    if not state.is_orm_statement or state.is_insert:
        raise TenantViolation("sessions run ORM selects, updates and deletes; new rows are added as objects")
    if state.is_update or state.is_delete:
        _note_change(state.session, *(mapper.local_table.name for mapper in state.all_mappers))  # type: ignore[attr-defined]
    tenant_id: str = state.session.info["tenant_id"]
    if tenant_id == ANY_TENANT:
        for mapper in state.all_mappers:
            owned = issubclass(mapper.class_, TenantOwned)
            if owned and not issubclass(mapper.class_, IdentityOwned):
                raise TenantViolation(f"{mapper.class_.__name__} cannot be read across tenants")
        return
    if state.session.info.get("tenant_filter", True):
        state.statement = state.statement.options(
            with_loader_criteria(TenantOwned, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)
        )


@event.listens_for(TenantSession, "before_flush")
def _keep_writes_in_tenant(session: Session, _context: Any, _instances: Any) -> None:
    tenant_id: str = session.info["tenant_id"]
    for row in (*session.new, *session.dirty, *session.deleted):
        _note_change(session, row.__tablename__)
        if not isinstance(row, TenantOwned):
            continue
        if tenant_id == ANY_TENANT:
            if not isinstance(row, IdentityOwned):
                raise TenantViolation(f"{type(row).__name__} cannot be written across tenants")
            continue
        if getattr(row, "tenant_id", None) is None:
            row.tenant_id = tenant_id
        if row.tenant_id != tenant_id:
            raise TenantViolation(f"{type(row).__name__} of another tenant")
