"""One small world, on both databases.

alice wrote Acme's skill, bob uses it and has consented, dana is Acme's admin and authors nothing, erin is a member of
Acme who never chose, charlie is author and admin of Globex and must see nothing of Acme.

The world is seeded once for each database; every test gets a copy (a file on SQLite, `CREATE DATABASE ... TEMPLATE`
on PostgreSQL), so tests may commit, and after-commit behaviour is real.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

for _name in [name for name in os.environ if name.startswith("GOLDVEIN_")]:
    del os.environ[_name]
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="goldvein-run-"))

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url

from goldvein.app import create_app
from goldvein.consent import service as consent
from goldvein.db.migrate import upgrade
from goldvein.db.session import Database, TenantSession
from goldvein.identity import service as identity
from goldvein.identity.access import SESSION_COOKIE, Limiter, Runtime
from goldvein.identity.actor import Actor, scopes_of
from goldvein.identity.server_key import ServerKey
from goldvein.identity.tables import Membership
from goldvein.settings import Settings
from goldvein.skills import service as skills
from goldvein.telemetry import configure_logging
from local_services.postgres import APPLICATION, OWNER, LocalPostgres

SERVER_KEY = "5f" * 32
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ORIGIN = "http://testserver"
PEOPLE = {
    "alice": ("Acme", "member"),
    "bob": ("Acme", "member"),
    "dana": ("Acme", "admin"),
    "erin": ("Acme", "member"),
    "charlie": ("Globex", "admin"),
}
SKILL_BODY = "---\nname: release-notes\n---\nWrite release notes from the changelog.\n"


@dataclass
class Someone:
    """A person of the world, with a key of every scope and a signed-in browser."""

    name: str
    tenant_id: str
    person_id: str
    role: str
    api_key: str
    key_id: str
    cookie: str
    email: str

    def actor(self, *, channel: Any = "web", scopes: frozenset[str] | None = None) -> Actor:
        return Actor(
            tenant_id=self.tenant_id,
            person_id=self.person_id,
            role=self.role,
            scopes=scopes_of(self.role) if scopes is None else scopes,
            channel=channel,
            credential_id=self.key_id,
        )


@dataclass
class Seed:
    """What the world holds, by name; the same for every copy of it."""

    people: dict[str, Someone] = field(default_factory=dict)
    skill_ids: dict[str, str] = field(default_factory=dict)
    service_key: str = ""


@dataclass
class World:
    """A running application on a copy of the seeded world."""

    runtime: Runtime
    app: FastAPI
    seed: Seed
    owner_url: str
    data_dir: Path
    time: datetime = START

    def __post_init__(self) -> None:
        self.runtime.now = lambda: self.time
        self._clients: list[TestClient] = []

    @property
    def is_sqlite(self) -> bool:
        return self.runtime.database.is_sqlite

    @property
    def database(self) -> Database:
        return self.runtime.database

    def serve_with(self, **settings: Any) -> None:
        """Serve with other settings from here on."""
        self.runtime.settings = replace(self.runtime.settings, **settings)
        self.runtime.limiter = Limiter(self.runtime.settings)
        self.app = create_app(self.runtime)

    def someone(self, name: str) -> Someone:
        return self.seed.people[name]

    def actor(self, name: str, **options: Any) -> Actor:
        return self.someone(name).actor(**options)

    def skill_id(self, slug: str = "release-notes") -> str:
        return self.seed.skill_ids[slug]

    def anonymous(self, **headers: str) -> TestClient:
        client = TestClient(
            self.app,
            headers=headers,
            raise_server_exceptions=False,
            follow_redirects=False,
            client=("127.0.0.1", 50000),
        )
        self._clients.append(client)
        return client

    def client(self, name: str) -> TestClient:
        """An HTTP client with the person's API key."""
        return self.anonymous(Authorization=f"Bearer {self.someone(name).api_key}")

    def browser(self, name: str) -> TestClient:
        """A browser in which the person is signed in; it sends Origin like browsers do."""
        client = self.anonymous(Origin=ORIGIN)
        client.cookies.set(SESSION_COOKIE, self.someone(name).cookie)
        return client

    def track(self, name: str = "bob", **fields: Any) -> Any:
        """Report one use over HTTP; returns the response."""
        body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": self.time.isoformat(), **fields}
        return self.client(name).post("/api/track", json={k: v for k, v in body.items() if v is not None})

    def capture(
        self, name: str = "bob", text: str = "Write the notes", answer: str = "Here they are", **fields: Any
    ) -> str:
        """Report a use that is captured; returns the id of the example."""
        response = self.track(name, tool_input_snippet=text, tool_output_snippet=answer, **fields)
        assert response.json()["capture"] == {"outcome": "captured", "reason": None}, response.text
        listed = self.client("alice").get(f"/api/skills/{self.skill_id()}/training-examples").json()["items"]
        event_id = response.json()["event_id"]
        return next(item["id"] for item in listed if item["usage_event_id"] == event_id)

    def metric(self, name: str, **labels: str) -> float:
        return self.runtime.metrics.registry.get_sample_value(name, labels) or 0.0

    def metric_sum(self, name: str, **labels: str) -> float:
        samples = (s for m in self.runtime.metrics.registry.collect() for s in m.samples)
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    def every_cell(self) -> list[Any]:
        """Every value of every table, read as the owner of the database: nothing hides from this."""
        return list(all_cells(self))

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.runtime.close()


def all_cells(world: World) -> Iterator[Any]:
    from sqlalchemy import MetaData, create_engine, select  # noqa: PLC0415

    url = make_url(world.owner_url)
    engine = create_engine(url.set(username="postgres") if url.get_backend_name() == "postgresql" else url)
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield from row
    engine.dispose()


def seed_world(database: Database, server_key: ServerKey, now: datetime = START) -> Seed:
    seed = Seed()
    with database.write_across_tenants() as session:
        tenants = {name: identity.create_tenant(session, name=name, now=now) for name in ("Acme", "Globex")}
        for name, (tenant, role) in PEOPLE.items():
            membership = identity.invite(
                session,
                tenant_id=tenants[tenant].id,
                email=f"{name}@{tenant.lower()}.example",
                name=name.title(),
                role=role,
                now=now,
            )
            membership.accepted_at = now
            seed.people[name] = _sign_in(session, server_key, membership, name, now)
        dana = seed.people["dana"].actor()
        service_key = identity.create_key(
            session, server_key, dana, name="ci", scopes=["track"], kind="service", now=now
        )
        seed.service_key = service_key.token.text
    for author, slug, body in (("alice", "release-notes", SKILL_BODY), ("charlie", "globex-notes", None)):
        actor = seed.people[author].actor()
        with database.write(actor.tenant_id) as session:
            skill = skills.create_skill(session, actor, slug=slug, name=slug.title(), now=now, body=body)
            seed.skill_ids[slug] = skill.id
    with database.write(dana.tenant_id) as session:
        consent.switch_capture(session, dana, on=True, now=now)
    bob = seed.people["bob"].actor()
    with database.write(bob.tenant_id) as session:
        consent.give_consent(session, bob, now=now, lifetime=timedelta(days=365))
    return seed


def _sign_in(
    session: TenantSession, server_key: ServerKey, membership: Membership, name: str, now: datetime
) -> Someone:
    someone = Someone(
        name=name,
        tenant_id=membership.tenant_id,
        person_id=membership.person_id,
        role=membership.role,
        api_key="",
        key_id="",
        cookie=identity.start_session(session, server_key, membership, now=now, lifetime=timedelta(days=3650)),
        email=identity.person_of(session, membership.person_id).email,
    )
    key = identity.create_key(
        session, server_key, someone.actor(), name="test", scopes=sorted(scopes_of(membership.role)), now=now
    )
    someone.api_key, someone.key_id = key.token.text, key.row.id
    return someone


class Templates:
    """Seeded databases to copy from, made when first asked for."""

    def __init__(self, folder: Path, *, durable: bool = False, now: datetime = START) -> None:
        """`durable` is for those who pull the plug: the fault tests."""
        self.folder = folder
        self.durable = durable
        self.now = now
        self.server_key = ServerKey(secrets=(bytes.fromhex(SERVER_KEY),))
        self._seeds: dict[str, Seed] = {}
        self._postgres: LocalPostgres | None = None

    def copy(self, kind: str, folder: Path) -> tuple[Seed, str, str]:
        """A fresh copy: the seed, the URL for the application and the URL for the owner."""
        if kind not in self._seeds:
            self._seeds[kind] = self._make(kind)
        if kind == "sqlite":
            path = folder / "goldvein.db"
            shutil.copyfile(self.folder / "template.db", path)
            return self._seeds[kind], f"sqlite:///{path}", f"sqlite:///{path}"
        name = f"test_{secrets.token_hex(6)}"
        self.postgres.create(name, template="template_world")
        return self._seeds[kind], self.postgres.url(APPLICATION, name), self.postgres.url(OWNER, name)

    def empty(self, kind: str, folder: Path) -> tuple[str, str]:
        """An empty store: the URL for the application and the URL for the owner."""
        if kind == "sqlite":
            url = f"sqlite:///{folder / 'empty.db'}"
            return url, url
        name = f"test_{secrets.token_hex(6)}"
        self.postgres.create(name)
        return self.postgres.url(APPLICATION, name), self.postgres.url(OWNER, name)

    def drop(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            self.postgres.drop(str(parsed.database))

    def _make(self, kind: str) -> Seed:
        if kind == "sqlite":
            url = owner_url = f"sqlite:///{self.folder / 'template.db'}"
        else:
            self.postgres.create("template_world")
            url, owner_url = (self.postgres.url(role, "template_world") for role in (APPLICATION, OWNER))
        upgrade(owner_url, url)
        database = Database(url)
        seed = seed_world(database, self.server_key, self.now)
        if kind == "sqlite":
            with database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return seed

    @property
    def postgres(self) -> LocalPostgres:
        """Started when first asked for."""
        if self._postgres is None:
            self._postgres = LocalPostgres(durable=self.durable)
        return self._postgres

    def close(self) -> None:
        if self._postgres is not None:
            self._postgres.close()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    configure_logging("error")
    found = Templates(tmp_path_factory.mktemp("templates"))
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a store runs on both."""
    return request.param


@pytest.fixture
def world(templates: Templates, store: str, tmp_path: Path) -> Iterator[World]:
    seed, url, owner_url = templates.copy(store, tmp_path)
    settings = Settings(data_dir=tmp_path, database_url=url, server_key=SERVER_KEY)
    runtime = Runtime.open(settings)
    found = World(runtime=runtime, app=create_app(runtime), seed=seed, owner_url=owner_url, data_dir=tmp_path)
    yield found
    found.close()
    templates.drop(owner_url)


@pytest.fixture
def empty_store(templates: Templates, store: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An empty store: the URL of the application, the URL of the owner."""
    urls = templates.empty(store, tmp_path)
    yield urls
    templates.drop(urls[1])
