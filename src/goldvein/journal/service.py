"""What must outlive a restore: every withdrawal, erasure and switch-off, in the store and in a file outside it.

The entry is a row in the transaction of what it tells. Its line is in the file before the caller goes on; if the
process dies in between, the next start, or the worker within a minute, finds the row and writes the line.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import delete, func, literal_column, select, update

from goldvein import failpoints
from goldvein.db.batch import Query
from goldvein.db.ids import new_id
from goldvein.db.session import Database, TenantSession
from goldvein.errors import NotAllowed, StoreUnavailable
from goldvein.journal import file
from goldvein.journal.file import Line
from goldvein.journal.tables import HELD, JournalEntry

TABLES: Final = frozenset({"journal_entries"})
_AT_ONCE: Final = 500
_REPLAYING: Final = "replaying"
_FIELDS: Final = (
    "id",
    "tenant_id",
    "kind",
    "person_id",
    "actor_id",
    "skill_ids",
    "example_ids",
    "purposes",
    "occurred_at",
)

log = structlog.get_logger()


def record(
    session: TenantSession,
    kind: str,
    *,
    now: datetime,
    person_id: str | None = None,
    actor_id: str | None = None,
    skill_ids: list[str] | None = None,
    example_ids: list[str] | None = None,
    purposes: list[str] | None = None,
) -> None:
    """Tell the journal, in the caller's transaction. What is replayed from the journal is in it already."""
    if session.info.get(_REPLAYING):
        return
    session.add(
        JournalEntry(
            id=new_id(),
            tenant_id=session.tenant_id,
            kind=kind,
            person_id=person_id,
            actor_id=actor_id,
            skill_ids=skill_ids,
            example_ids=example_ids,
            purposes=purposes,
            occurred_at=now,
        )
    )


def catch_up(database: Database, path: Path, now: datetime) -> bool:
    """Write the lines that are not in the file yet; False when that failed, which was logged: it is tried again.

    A no is not taken back because the journal cannot be written: the row is there, so the line will be.
    """
    try:
        while _write_some(database, path, now):
            pass
    except (OSError, StoreUnavailable) as error:
        log.warning("journal_not_written", exc_info=error)
        return False
    return True


def _write_some(database: Database, path: Path, now: datetime) -> bool:
    with database.read_across_tenants() as session:
        rows = select(JournalEntry).where(JournalEntry.written_at.is_(None)).order_by(JournalEntry.id)
        entries = list(session.scalars(rows.limit(_AT_ONCE)))
    if not entries:
        return False
    failpoints.reach("journal.writing")
    file.append(path, [_line(entry) for entry in entries])
    failpoints.reach("journal.written")
    with database.write_across_tenants() as session:
        mine = update(JournalEntry).where(JournalEntry.id.in_([entry.id for entry in entries]))
        session.execute(mine.values(written_at=now), execution_options={"synchronize_session": False})
    return True


def _line(entry: JournalEntry) -> Line:
    return Line(**{name: getattr(entry, name) for name in _FIELDS})


def complete(database: Database, path: Path) -> int:
    """Put into the file what the store knows and the file does not hold: it is new, or was lost. Returns how many."""
    contents = file.read(path)
    held = {line.id for line in contents.lines} if contents is not None else set()
    with database.read_across_tenants() as session:
        written = select(JournalEntry).where(JournalEntry.written_at.is_not(None), JournalEntry.kind != HELD)
        lost = [_line(entry) for entry in session.scalars(written.order_by(JournalEntry.id)) if entry.id not in held]
    if lost or contents is None:
        file.append(path, lost)
    return len(lost)


def count_waiting(session: TenantSession) -> int:
    """How many entries are not in the file yet."""
    waiting = select(func.count()).select_from(JournalEntry).where(JournalEntry.written_at.is_(None))
    return session.scalar(waiting) or 0


def known_ids(session: TenantSession, ids: Iterable[str]) -> set[str]:
    """Which of these entries the store has."""
    found: set[str] = set()
    wanted = list(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        found |= set(session.scalars(select(JournalEntry.id).where(JournalEntry.id.in_(some))))
    return found


def written_ids(session: TenantSession) -> set[str]:
    """The entries that the store says are in the file."""
    written = select(JournalEntry.id).where(JournalEntry.written_at.is_not(None), JournalEntry.kind != HELD)
    return set(session.scalars(written))


@contextmanager
def replaying(session: TenantSession, line: Line, now: datetime) -> Iterator[None]:
    """While the block does again what the line tells, tell it to nobody; then the store has the entry."""
    session.info[_REPLAYING] = True
    try:
        yield
    finally:
        del session.info[_REPLAYING]
    session.add(JournalEntry(**{name: getattr(line, name) for name in _FIELDS}, written_at=now))


def hold(session: TenantSession, now: datetime) -> None:
    """Let the tenant neither capture nor export: what the journal would have told is not known."""
    session.add(JournalEntry(id=new_id(), tenant_id=session.tenant_id, kind=HELD, occurred_at=now, written_at=now))


def release(session: TenantSession) -> None:
    """Let the tenant capture and export again."""
    session.execute(
        delete(JournalEntry).where(JournalEntry.kind == HELD), execution_options={"synchronize_session": False}
    )


def is_held(session: TenantSession) -> bool:
    """Whether the session's tenant (or, across tenants, any) was restored without the journal."""
    return session.scalar(select(JournalEntry.id).where(JournalEntry.kind == HELD).limit(1)) is not None


def need_no_hold(session: TenantSession) -> None:
    """Raise NotAllowed for a tenant that was restored without the journal."""
    if is_held(session):
        raise NotAllowed(
            rule="This store was restored without its journal, so withdrawals may be missing;"
            " the operator decides with `goldvein restore`"
        )


_HOLDS = JournalEntry.__table__.c
FIND_HOLD: Final = Query(select(_HOLDS.id).where(_HOLDS.kind == literal_column("'held'")).limit(1))
"""The same as `is_held`, for the writer. The word is written out, or the partial index would not be used."""
