from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import World
from sqlalchemy import Engine, MetaData, create_engine, inspect, select, text

from goldvein.consent import service as consent
from goldvein.consent.decision import Use
from goldvein.db.base import Base
from goldvein.db.engine import make_engine
from goldvein.db.ids import new_id
from goldvein.db.migrate import config_for, current_revision, newest_revision, refuse_unsafe_store, upgrade
from goldvein.db.session import Database
from goldvein.errors import NotConfigured


def test_models_and_migrations_do_not_differ(world: World) -> None:
    engine = make_engine(world.owner_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert [d for d in differences if d[0] != "remove_table"] == []


def test_migrating_twice_changes_nothing(empty_store: tuple[str, str]) -> None:
    url, owner_url = empty_store
    assert upgrade(owner_url, url) == newest_revision()
    assert upgrade(owner_url, url) == newest_revision()


def test_the_release_before_goes_on_working_on_the_new_schema(world: World, empty_store: tuple[str, str]) -> None:
    """Whatever it reads and writes is still there, and it need not fill what it does not know."""
    engine = make_engine(empty_store[1])
    with engine.execution_options(goldvein_write=True).begin() as connection:
        command.upgrade(config_for(connection), "0001")
    old = {table: columns_of(engine, table) for table in inspect(engine).get_table_names()}
    engine.dispose()
    engine = make_engine(world.owner_url)
    for table, columns in old.items():
        now = columns_of(engine, table)
        assert columns.keys() <= now.keys()
        unknown = [now[name] for name in now.keys() - columns.keys()]
        assert all(column["nullable"] or column["default"] is not None for column in unknown), table
    engine.dispose()
    assert len(old) >= 15


def columns_of(engine: Engine, table: str) -> dict[str, Any]:
    return {column["name"]: column for column in inspect(engine).get_columns(table)}


def test_what_a_store_held_before_is_there_after_migrating(empty_store: tuple[str, str]) -> None:
    url, owner_url = empty_store
    engine = make_engine(as_superuser(owner_url))
    with engine.execution_options(goldvein_write=True).begin() as connection:
        command.upgrade(config_for(connection), "0001")
        now = datetime(2026, 3, 1, tzinfo=UTC)
        values = {"id": new_id(), "name": "Acme", "is_demo": False, "revision": 1, "created_at": now}
        tenants = Base.metadata.tables["tenants"]
        connection.execute(tenants.insert().values({k: v for k, v in values.items() if k in tenants.c}))
    engine.dispose()
    engine = make_engine(as_superuser(owner_url))
    with engine.execution_options(goldvein_write=True).begin() as connection:
        command.upgrade(config_for(connection), "head")
        assert connection.scalars(select(tenants.c.name)).all() == ["Acme"]
    engine.dispose()
    assert upgrade(as_superuser(owner_url), url) == newest_revision()


def as_superuser(url: str) -> str:
    return url.replace("goldvein_owner", "postgres")


def test_a_store_without_the_schema_is_refused(empty_store: tuple[str, str]) -> None:
    engine = make_engine(empty_store[0])
    with pytest.raises(NotConfigured, match="goldvein migrate"):
        refuse_unsafe_store(engine, allow_owner=False)
    engine.dispose()


def test_every_tenant_owned_table_refers_to_its_parents_with_the_tenant(world: World) -> None:
    """A reference between tenants cannot exist: the tenant is part of every foreign key between tenant-owned tables."""
    engine = create_engine(world.owner_url)
    inspector = inspect(engine)
    owned = {t for t in inspector.get_table_names() if "tenant_id" in {c["name"] for c in inspector.get_columns(t)}}
    assert len(owned) >= 13
    for table in owned:
        for key in inspector.get_foreign_keys(table):
            if key["referred_table"] in owned:
                assert "tenant_id" in key["constrained_columns"], (table, key["name"])
                assert "tenant_id" in key["referred_columns"], (table, key["name"])
    engine.dispose()


class TestPostgresql:
    """What SQLite does not have: roles and policies."""

    @pytest.fixture
    def store(self) -> str:
        return "postgresql"

    def test_the_owner_may_not_serve(self, world: World) -> None:
        engine = make_engine(world.owner_url)
        with pytest.raises(NotConfigured, match="owns the tables"):
            refuse_unsafe_store(engine, allow_owner=False)
        refuse_unsafe_store(engine, allow_owner=True)
        engine.dispose()

    def test_a_superuser_may_not_serve(self, world: World) -> None:
        engine = make_engine(world.owner_url.replace("goldvein_owner", "postgres"))
        with pytest.raises(NotConfigured, match="is a superuser"):
            refuse_unsafe_store(engine, allow_owner=False)
        engine.dispose()

    def test_every_tenant_owned_table_has_forced_row_security(self, world: World) -> None:
        """A new table without a policy fails here."""
        rows = text(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        )
        engine = create_engine(world.owner_url)
        with engine.connect() as connection:
            assert connection.scalars(rows).all() == ["alembic_version"]
        engine.dispose()

    def test_a_missing_tenant_is_an_error_and_not_an_empty_answer(self, world: World) -> None:
        with world.database.engine.connect() as connection, pytest.raises(Exception, match=r"goldvein\.tenant_id"):
            connection.execute(text("SELECT id FROM skills"))
        with world.database.read(world.someone("alice").tenant_id) as session:
            session.connection()
        with world.database.engine.connect() as connection, pytest.raises(Exception, match="uuid"):
            connection.execute(text("SELECT id FROM skills"))  # the setting of the transaction before is gone

    def test_policies_show_the_own_rows_and_no_others(self, world: World) -> None:
        """The first trap of row-level security is that it returns nothing at all."""
        for name, slug in (("alice", "release-notes"), ("charlie", "globex-notes")):
            with world.database.engine.begin() as connection:
                tenant = {"tenant": world.someone(name).tenant_id}
                connection.execute(text("SELECT set_config('goldvein.tenant_id', :tenant, true)"), tenant)
                assert connection.scalars(text("SELECT slug FROM skills")).all() == [slug]

    @pytest.mark.parametrize("statement", ["UPDATE {} SET seq = 9", "DELETE FROM {}", "TRUNCATE {}"])
    def test_the_server_cannot_change_consent_events(self, world: World, statement: str) -> None:
        with world.database.engine.connect() as connection:
            tenant = {"tenant": world.someone("alice").tenant_id}
            connection.execute(text("SELECT set_config('goldvein.tenant_id', :tenant, true)"), tenant)
            with pytest.raises(Exception, match="permission denied"):
                connection.execute(text(statement.format("consent_events")))

    @pytest.mark.parametrize("statement", ["UPDATE {} SET seq = 9", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_not_even_the_owner_changes_them_by_accident(self, world: World, statement: str) -> None:
        engine = create_engine(world.owner_url.replace("goldvein_owner", "postgres"))
        with engine.connect() as connection, pytest.raises(Exception, match="append-only"):
            connection.execute(text(statement.format("consent_events")))
        engine.dispose()


class TestSqlite:
    """What PostgreSQL does not need to be told."""

    @pytest.fixture
    def store(self) -> str:
        return "sqlite"

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE consent_events SET seq = seq + 10",
            "DELETE FROM consent_events",
            "INSERT OR REPLACE INTO consent_events SELECT * FROM consent_events",
        ],
    )
    def test_consent_events_are_append_only(self, world: World, statement: str) -> None:
        with world.database.engine.begin() as connection, pytest.raises(Exception, match="append-only"):
            connection.execute(text(statement))

    def test_commits_are_synced_and_erased_text_is_overwritten(self, world: World) -> None:
        with world.database.engine.connect() as connection:
            read = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "recursive_triggers")
            }
        assert read == {
            "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "recursive_triggers": 1,
        }  # fmt: skip

    def test_a_store_is_at_the_newest_revision_after_migrating(self, world: World) -> None:
        with world.database.engine.connect() as connection:
            assert current_revision(connection) == newest_revision()
            assert connection.scalar(select(text("count(*)")).select_from(text("tenants"))) == 2


def test_what_was_chosen_before_there_were_editions_stays_as_it_was(empty_store: tuple[str, str]) -> None:
    """Examples refer to the events that a later migration makes anew on SQLite; yes stays yes and no stays no."""
    url, owner_url = empty_store
    engine = make_engine(as_superuser(owner_url))
    with engine.execution_options(goldvein_write=True).begin() as connection:
        command.upgrade(config_for(connection), "0002")
    metadata = MetaData()
    metadata.reflect(engine)
    is_sqlite = engine.dialect.name == "sqlite"
    now, later = datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
    tenant, bob, erin, skill, key, event, switch, yes, no = (new_id() for _ in range(9))

    with engine.begin() as connection:

        def add(table: str, **values: Any) -> None:
            row = {
                n: v.replace("-", "") if is_sqlite and isinstance(v, str) and len(v) == 36 else v
                for n, v in values.items()
            }
            connection.execute(metadata.tables[table].insert().values(row))

        add("tenants", id=tenant, name="T", is_demo=False, revision=1, created_at=now)
        for person in (bob, erin):
            add("people", id=person, email=f"{person[-12:]}@t.example", name="P", created_at=now)
            member = {"role": "member", "display": "pseudonym", "revision": 1, "created_at": now, "accepted_at": now}
            add("memberships", tenant_id=tenant, person_id=person, **member)
        add("notices", tenant_id=tenant, version="v", language="en", text="n", created_at=now)
        common = {"tenant_id": tenant, "channel": "web", "notice_version": "v", "occurred_at": now}
        on = {"subject": "tenant", "action": "switched_on", "actor_id": bob, "purposes": [], "expires_at": None}
        add("consent_events", id=switch, seq=1, person_id=None, **on, **common)
        for place, (person, action, record) in enumerate(
            ((bob, "given", yes), (erin, "given", new_id()), (erin, "withdrawn", no)), 2
        ):
            state = (
                {"purposes": ["training"], "expires_at": later}
                if action == "given"
                else {"purposes": [], "expires_at": None}
            )
            who = {"subject": "person", "person_id": person, "actor_id": person}
            add("consent_events", id=record, seq=place, action=action, **who, **state, **common)
        add(
            "skills",
            tenant_id=tenant,
            id=skill,
            slug="s",
            name="S",
            description="",
            author_id=bob,
            revision=1,
            created_at=now,
            updated_at=now,
        )
        add(
            "api_keys",
            tenant_id=tenant,
            id=key,
            public_id="p",
            secret_hash=b"h",
            kind="personal",
            person_id=bob,
            created_by=bob,
            name="k",
            scopes=[],
            requires_signature=False,
            created_at=now,
        )
        add(
            "usage_events",
            tenant_id=tenant,
            id=event,
            skill_id=skill,
            person_id=bob,
            key_id=key,
            reporter_id=bob,
            door="track",
            tool_name="t",
            capture_outcome="captured",
            occurred_at=now,
            received_at=now,
        )
        add(
            "skill_feedback",
            tenant_id=tenant,
            id=new_id(),
            feedback_type="training_example",
            skill_id=skill,
            user_id=bob,
            usage_event_id=event,
            status="pending",
            source="usage_capture",
            example_input="q",
            example_output="a",
            revision=1,
            created_at=now,
            updated_at=now,
            tenant_consent_id=switch,
            person_consent_id=yes,
        )
    engine.dispose()
    upgrade(as_superuser(owner_url), url)
    database = Database(url)
    with database.read(tenant) as session:
        assert [consent.person_state(session, person, now)[0] for person in (bob, erin)] == [True, False]
        use = Use(person_id=bob, named_person_matches=True, skill_id=skill, opted_out=False, at=now)
        assert (consent.decide(session, use).person_record_id, consent.record_holds(session, bob, yes, skill)) == (
            yes,
            True,
        )
    if is_sqlite:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("SELECT count(*) FROM skill_feedback").scalar() == 1
    database.close()
