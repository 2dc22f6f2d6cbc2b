"""On real servers: what was acknowledged lies in the store, the null sink stores nothing, a filled store is a real one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Templates

from benchmarks.capture.filling import fill
from benchmarks.capture.generator import Generator
from benchmarks.capture.measure import CAPTURE, PLAIN_32, PROGRAMS, SILENT, SWITCHED_OFF, Bench, Books, Case
from benchmarks.capture.servers import DidNotStart, serving
from benchmarks.capture.stores import Keys, Store, Stored, Stores
from goldvein.capture import service
from goldvein.db.session import Database
from goldvein.identity import service as identity
from goldvein.skills import service as skills


@pytest.fixture
def stores(templates: Templates, tmp_path: Path, store: str) -> Stores:
    return Stores(tmp_path, postgres=templates.postgres if store == "postgresql" else None)


@pytest.fixture
def own(stores: Stores, store: str) -> Iterator[Store]:
    made = stores.make(store, "bench-one")
    yield made
    stores.remove(made)


@pytest.fixture
def bench(stores: Stores) -> Iterator[Bench]:
    with Generator(None) as generator:
        yield Bench(
            stores=stores,
            generator=generator,
            server_core=None,
            rounds=1,
            seconds=0.2,
            say=print,
            warm_up_seconds=0.0,
        )


def small(case: Case) -> Case:
    return Case(connections=4, people=case.people, snippets=case.snippets)


@pytest.mark.parametrize("program", ["goldvein", "one commit each"])
def test_every_acknowledged_event_is_in_the_store(bench: Bench, own: Store, program: str) -> None:
    with serving(own, core=None, program=PROGRAMS[program]) as server:
        results = [bench.send(server, own, small(case)) for case in (PLAIN_32, CAPTURE, SILENT, SWITCHED_OFF)]
    books = Books()
    books.close(results, Stored(events=0, captured=0), own.count())
    assert own.count() == Stored(events=books.acknowledged, captured=books.captured)
    assert (books.missing, books.missing_captured, books.unanswered) == (0, 0, 0)
    assert [set(result.captures) for result in results] == [
        {"none:no_snippets"},
        {"captured"},
        {"denied:no_consent"},
        {"denied:tenant_switch_off"},
    ]


def test_the_null_sink_acknowledges_and_stores_nothing(bench: Bench, own: Store) -> None:
    with serving(own, core=None, program=PROGRAMS["null sink"]) as server:
        plain, captured, silent = (bench.send(server, own, small(case)) for case in (PLAIN_32, CAPTURE, SILENT))
    assert plain.outcomes["stored"] > 0
    assert set(captured.captures) == {"captured"}
    assert set(silent.captures) == {"denied:no_consent"}
    assert own.count() == Stored(events=0, captured=0)


def test_a_filled_store_is_one_that_the_application_reads_and_writes(bench: Bench, own: Store) -> None:
    fill(own, 1_000)
    before = own.count()
    assert before.events == 1_000
    assert before.captured > 0
    database = Database(own.url)
    with database.read_across_tenants() as session:
        tenant = next(each.id for each in identity.find_tenants(session) if each.name == "On")
    with database.read(tenant) as session:
        counts = sorted(
            service.count_events(session, skill.id)
            for skill in skills.list_skills(session, authored_by=None, limit=100, after=None)
        )
    database.close()
    assert sum(counts) == 1_000
    assert counts[-1] > 5 * counts[len(counts) // 2]
    if own.kind == "sqlite":
        with closing(sqlite3.connect(own.path())) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with serving(own, core=None) as server:
        result = bench.send(server, own, small(CAPTURE))
    assert own.count().events == 1_000 + result.outcomes["stored"]


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    keys = Keys(consenting=(), silent="", switched_off="")
    broken = Store(kind="sqlite", url="mysql://elsewhere/none", owner_url="", data_dir=tmp_path, keys=keys)
    with pytest.raises(DidNotStart, match="GOLDVEIN_DATABASE_URL"), serving(broken, core=None):
        pass
