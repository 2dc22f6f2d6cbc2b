"""Stores to measure on: made by the project's own services, thrown away afterwards."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.capture.loads import SKILLS
from goldvein.consent import service as consent
from goldvein.db.migrate import upgrade
from goldvein.db.session import TenantSession
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.identity.actor import Actor, scopes_of
from goldvein.identity.tables import Membership
from goldvein.settings import PREFIX, Settings
from goldvein.skills import service as skills
from local_services.postgres import APPLICATION, OWNER, SUPERUSER, LocalPostgres

KINDS = ("sqlite", "postgresql")
CONSENTING = 8
NO_LIMIT = 1_000_000_000
# What a reviewer or a busy hour is protected by has to stand aside here; 0 is no quota.
_OPEN = {
    "track_limit_per_minute": NO_LIMIT,
    "failed_authentication_limit_per_minute": NO_LIMIT,
    "max_pending_per_skill": 0,
    "max_captured_per_person_day": 0,
    "log_level": "error",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """The keys of the people of a store, by what their consents say."""

    consenting: tuple[str, ...] = field(repr=False)
    """People who consented, of a tenant that captures."""
    silent: str = field(repr=False)
    """A person of the same tenant who never chose."""
    switched_off: str = field(repr=False)
    """A person who consented, of a tenant whose switch is off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What a store holds."""

    events: int
    captured: int


@dataclass(frozen=True, kw_only=True)
class Store:
    """One store with its people."""

    kind: str
    url: str
    owner_url: str
    data_dir: Path
    keys: Keys = field(repr=False)

    def environment(self, port: int) -> dict[str, str]:
        """What a server of this store is started with, and nothing of this machine's own settings."""
        chosen = {"data_dir": self.data_dir, "database_url": self.url, "port": port, **_OPEN}
        own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return own | {f"{PREFIX}{name.upper()}": str(value) for name, value in chosen.items()}

    def superuser_url(self) -> str:
        """For PostgreSQL's own programs and rights; row-level security hides nothing from it."""
        url = make_url(self.owner_url).set(drivername="postgresql", username=SUPERUSER)
        return url.render_as_string(hide_password=False)

    def path(self) -> str:
        """The file of an SQLite store."""
        return str(make_url(self.url).database)

    def count(self) -> Stored:
        """Count what is there, past the application."""
        events = "SELECT count(*) FROM usage_events"
        captured = "SELECT count(*) FROM skill_feedback WHERE source = 'usage_capture'"
        if self.kind == "sqlite":
            with closing(sqlite3.connect(f"file:{self.path()}?mode=ro", uri=True)) as connection:
                found = [connection.execute(query).fetchone()[0] for query in (events, captured)]
        else:
            with psycopg.connect(self.superuser_url()) as other:
                found = [other.execute(query).fetchone()[0] for query in (events, captured)]  # type: ignore[index]
        return Stored(events=found[0], captured=found[1])


class Stores:
    """Makes stores in a folder. PostgreSQL is started when the first of that kind is asked for, if none is given."""

    def __init__(self, folder: Path, *, postgres: LocalPostgres | None = None) -> None:
        self.folder = folder
        self._postgres = postgres
        self._owns_postgres = postgres is None

    def make(self, kind: str, name: str) -> Store:
        """A migrated store with people, keys and skills; the name is its own in this run."""
        data_dir = self.folder / f"{kind}-{name}"
        data_dir.mkdir(mode=0o700)
        if kind == "sqlite":
            url = owner_url = f"sqlite:///{data_dir / 'goldvein.db'}"
        else:
            if self._postgres is None:
                self._postgres = LocalPostgres(durable=True, folder=self.folder)
            database = name.replace("-", "_")
            self._postgres.create(database)
            url, owner_url = (self._postgres.url(role, database) for role in (APPLICATION, OWNER))
        upgrade(owner_url, url)
        runtime = Runtime.open(Settings(data_dir=data_dir, database_url=url))
        try:
            keys = _settle(runtime)
        finally:
            runtime.database.close()
        return Store(kind=kind, url=url, owner_url=owner_url, data_dir=data_dir, keys=keys)

    def remove(self, store: Store) -> None:
        """Throw a store away; no server may run on it."""
        if self._postgres is not None and store.kind == "postgresql":
            self._postgres.drop(str(make_url(store.url).database))
        shutil.rmtree(store.data_dir)

    def versions(self) -> dict[str, str]:
        """The server that was started, if one was."""
        return {"PostgreSQL": self._postgres.version()} if self._postgres is not None else {}

    def close(self) -> None:
        """Stop the PostgreSQL that was started here."""
        if self._owns_postgres and self._postgres is not None:
            self._postgres.close()


@contextmanager
def stores_in(parent: Path | None) -> Iterator[Stores]:
    """Stores in a new folder that is gone afterwards; `parent` should lie on the disk that is to be measured."""
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="goldvein-bench-", dir=parent))
    folder.chmod(0o755)  # PostgreSQL's own user has to reach its folder in it
    stores = Stores(folder)
    try:
        yield stores
    finally:
        stores.close()
        shutil.rmtree(folder, ignore_errors=True)


def file_system_of(folder: Path) -> str:
    """The kind of file system, where the system tells; an fsync means little on one that is in memory."""
    with suppress(OSError):
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
        holding = [(point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
        if holding:
            return max(holding, key=lambda found: len(found[0]))[1]
    return "unknown file system"


def _settle(runtime: Runtime) -> Keys:
    """Two tenants: one captures, one does not."""
    now, database = runtime.now(), runtime.database
    with database.write_across_tenants() as session:
        on, off = (identity.create_tenant(session, name=name, now=now).id for name in ("On", "Off"))
        admin = join(session, on, "dana", "admin", now)
        members = [join(session, on, f"member-{number}", "member", now) for number in range(CONSENTING)]
        silent, elsewhere = join(session, on, "erin", "member", now), join(session, off, "charlie", "admin", now)
        tokens = {actor.person_id: make_key(session, runtime, actor, now) for actor in (*members, silent, elsewhere)}
    for author in (members[0], elsewhere):
        with database.write(author.tenant_id) as session:
            for slug in SKILLS:
                skills.create_skill(session, author, slug=slug, name=slug, now=now)
    with database.write(on) as session:
        consent.switch_capture(session, admin, on=True, now=now)
    for actor in (*members, elsewhere):
        with database.write(actor.tenant_id) as session:
            consent.give_consent(session, actor, now=now, lifetime=timedelta(days=365))
    return Keys(
        consenting=tuple(tokens[actor.person_id] for actor in members),
        silent=tokens[silent.person_id],
        switched_off=tokens[elsewhere.person_id],
    )


def join(session: TenantSession, tenant_id: str, name: str, role: str, now: datetime) -> Actor:
    """Make a member who has accepted."""
    email = f"{name}@bench.example"
    member: Membership = identity.invite(session, tenant_id=tenant_id, email=email, name=name, role=role, now=now)
    member.accepted_at = now
    session.flush()
    return Actor(
        tenant_id=tenant_id,
        person_id=member.person_id,
        role=role,
        scopes=scopes_of(role),
        channel="web",
        credential_id="benchmark",
    )


def make_key(session: TenantSession, runtime: Runtime, actor: Actor, now: datetime) -> str:
    """Make a key with every scope of the person."""
    new = identity.create_key(
        session, runtime.server_key, actor, name="benchmark", scopes=sorted(scopes_of(actor.role)), now=now
    )
    return new.token.text
