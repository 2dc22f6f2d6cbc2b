"""Filling a store with a year of events, past the application: what it holds, not how fast it came there, is the point.

A filled store has more people and skills than the load uses; a few of them have most of the events, the later months
more than the earlier ones. Two of three events have a measurement, one of a hundred an approved example.
"""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from random import Random
from typing import Any

import psycopg
from sqlalchemy import select

from benchmarks.capture.loads import MODELS, TOOLS
from benchmarks.capture.stores import Store, join, make_key
from goldvein.consent.tables import ConsentEvent
from goldvein.db.session import Database
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.identity.actor import Actor
from goldvein.identity.tables import ApiKey, Membership
from goldvein.settings import Settings
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill

MORE_PEOPLE, MORE_SKILLS = 50, 32
SPAN = timedelta(days=365)
CHUNK = 20_000
_MEASURED_OF_THREE, _ONE_EXAMPLE_OF = 2, 100
_TEXT = "Compare the release with the one before and say what changed for its users. " * 8

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]

_COLUMNS = {
    "usage_events": "tenant_id, id, skill_id, person_id, key_id, reporter_id, door, tool_name, hook_event,"
    " session_id, latency_ms, capture_outcome, capture_reason, occurred_at, received_at",
    "known_events": "tenant_id, event_hash, usage_event_id, person_id, body_hash, capture_outcome, capture_reason,"
    " received_at",
    "token_measurements": "tenant_id, usage_event_id, model_name, input_tokens, output_tokens",
    "skill_feedback": "tenant_id, id, feedback_type, skill_id, user_id, usage_event_id, status, revision, created_at,"
    " updated_at, example_input, example_output, source, sanitizer_version, findings, tool_name, tenant_consent_id,"
    " person_consent_id",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reporter:
    person_id: str
    key_id: str
    consent_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cast:
    tenant_id: str
    switch_id: str
    skill_ids: Sequence[str]
    reporters: Sequence[_Reporter]


def fill(store: Store, events: int, *, until: datetime | None = None) -> None:
    """Put this many events into a store on which no server runs."""
    cast = _gather(store)
    made = _events(cast, events, until or datetime.now(UTC))
    write = _write_sqlite if store.kind == "sqlite" else _write_postgresql
    write(store, iter(lambda: _chunk(made), {}))


def _gather(store: Store) -> _Cast:
    """The people and skills of the store's first tenant, and more of them."""
    runtime = Runtime.open(Settings(data_dir=store.data_dir, database_url=store.url))
    try:
        with runtime.database.read_across_tenants() as session:
            tenant_id = next(tenant.id for tenant in identity.find_tenants(session) if tenant.name == "On")
        author = _add_people(runtime, tenant_id)
        with runtime.database.write(tenant_id) as session:
            for number in range(MORE_SKILLS):
                name = f"other-{number:02}"
                skills.create_skill(session, author, slug=name, name=name, now=runtime.now())
        return _read_cast(runtime.database, tenant_id)
    finally:
        runtime.database.close()


def _add_people(runtime: Runtime, tenant_id: str) -> Actor:
    """More members with keys; returns one of them."""
    now = runtime.now()
    with runtime.database.write_across_tenants() as session:
        for number in range(MORE_PEOPLE):
            actor = join(session, tenant_id, f"other-{number}", "member", now)
            make_key(session, runtime, actor, now)
    return actor


def _read_cast(database: Database, tenant_id: str) -> _Cast:
    with database.read(tenant_id) as session:
        events = list(session.scalars(select(ConsentEvent)))
        given = {event.person_id: event.id for event in events if event.action == "given"}
        keys = {key.person_id: key.id for key in session.scalars(select(ApiKey))}
        people = [member.person_id for member in session.scalars(select(Membership)) if member.person_id in keys]
        return _Cast(
            tenant_id=tenant_id,
            switch_id=next(event.id for event in events if event.action == "switched_on"),
            skill_ids=list(session.scalars(select(Skill.id))),
            reporters=sorted(
                (_Reporter(person_id=person, key_id=keys[person], consent_id=given.get(person)) for person in people),
                key=lambda reporter: reporter.consent_id is None,  # those who use skills most have chosen
            ),
        )


def _weights(number: int) -> list[float]:
    """The second has half as much as the first, the third a third."""
    return list(accumulate(1 / rank for rank in range(1, number + 1)))


def _id(random: Random, at: datetime) -> str:
    """An id as the store makes them, of that moment."""
    value = int(at.timestamp() * 1000) << 80 | 0x7 << 76 | random.getrandbits(12) << 64 | 0x2 << 62
    digits = f"{value | random.getrandbits(62):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _events(cast: _Cast, number: int, until: datetime) -> Iterator[dict[str, Row]]:
    """One event after the other, with what hangs on it, by table."""
    random = Random(number)
    skill_weights, reporter_weights = _weights(len(cast.skill_ids)), _weights(len(cast.reporters))
    for place in range(number):
        at = until - SPAN * (1 - ((place + 0.5) / number) ** 0.5)
        skill_id = random.choices(cast.skill_ids, cum_weights=skill_weights)[0]
        reporter = random.choices(cast.reporters, cum_weights=reporter_weights)[0]
        yield _event(random, cast, (skill_id, reporter), at, place)


def _event(random: Random, cast: _Cast, chosen: tuple[str, _Reporter], at: datetime, place: int) -> dict[str, Row]:
    skill_id, reporter = chosen
    event_id, tool = _id(random, at), TOOLS[place % len(TOOLS)]
    captured = place % _ONE_EXAMPLE_OF == 0 and reporter.consent_id is not None
    outcome, reason = ("captured", None) if captured else ("none", "no_snippets")
    own = (cast.tenant_id, event_id, skill_id, reporter.person_id, reporter.key_id, reporter.person_id)
    hashed = (cast.tenant_id, secrets.token_bytes(32), event_id, reporter.person_id, secrets.token_bytes(32))
    names = ("track", tool, "PostToolUse", f"session-{place // 40}", random.randrange(20, 9_000))
    made = {"usage_events": (*own, *names, outcome, reason, at, at), "known_events": (*hashed, outcome, reason, at)}
    if place % 3 < _MEASURED_OF_THREE:
        tokens = (MODELS[place % len(MODELS)], random.randrange(200, 20_000), random.randrange(10, 4_000))
        made["token_measurements"] = (cast.tenant_id, event_id, *tokens)
    if captured:
        example = (cast.tenant_id, _id(random, at), "training_example", skill_id, reporter.person_id, event_id)
        texts = ("approved", 1, at, at, _TEXT[:300], _TEXT, "usage_capture", "1-bench", "{}", tool)
        made["skill_feedback"] = (*example, *texts, cast.switch_id, reporter.consent_id)
    return made


def _chunk(made: Iterator[dict[str, Row]]) -> Rows:
    rows: Rows = {}
    for event in islice(made, CHUNK):
        for name, row in event.items():
            rows.setdefault(name, []).append(row)
    return rows


def _for_sqlite(row: Row) -> Row:
    """As the mapped types write it: ids without hyphens, times without a zone."""
    return tuple(
        f"{value:%Y-%m-%d %H:%M:%S.%f}"
        if isinstance(value, datetime)
        else value.replace("-", "")
        if _is_id(value)
        else value
        for value in row
    )


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == len("00000000-0000-0000-0000-000000000000") and value[8] == "-"


def _write_sqlite(store: Store, chunks: Iterator[Rows]) -> None:
    with closing(sqlite3.connect(store.path(), isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        for rows in chunks:
            connection.execute("BEGIN IMMEDIATE")
            for name, columns in _COLUMNS.items():
                marks = ", ".join("?" * len(columns.split()))
                statement = f"INSERT INTO {name} ({columns}) VALUES ({marks})"
                connection.executemany(statement, map(_for_sqlite, rows.get(name, [])))
            connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _write_postgresql(store: Store, chunks: Iterator[Rows]) -> None:
    with psycopg.connect(store.superuser_url(), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # the references are right as they are made
        connection.execute("SET synchronous_commit = off")
        for rows in chunks:
            for name, columns in _COLUMNS.items():
                statement = f"COPY {name} ({columns}) FROM STDIN"
                with connection.cursor() as cursor, cursor.copy(statement) as copy:
                    for row in rows.get(name, []):
                        copy.write_row(row)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
