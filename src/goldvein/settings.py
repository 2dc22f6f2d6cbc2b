"""All settings: one frozen class, read from `GOLDVEIN_*` variables (or files named by `GOLDVEIN_*_FILE`)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import get_args, get_type_hints

import platformdirs

from goldvein import failpoints
from goldvein.errors import NotConfigured

VERSION = "0.1.0"
PREFIX = "GOLDVEIN_"
DEFAULT_PORT = 8787
_MAX_PORT = 65_535
_AT_LEAST_ONE = (
    "track_limit_per_minute",
    "failed_authentication_limit_per_minute",
    "event_retention_days",
    "pending_retention_days",
    "queue_events",
    "queue_bytes",
    "batch_events",
    "workers",
    "consent_days",
    "session_days",
)


def _default_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("goldvein", appauthor=False))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may choose. The metadata of each field is the reason it exists, as in docs/operations.md."""

    data_dir: Path = field(
        default_factory=_default_data_dir,
        metadata={"why": "where the SQLite store and the key files live"},
    )
    database_url: str = field(
        default="",
        metadata={"why": "the store: postgresql://... or sqlite:///...; empty: SQLite in the data folder"},
    )
    migration_database_url: str = field(
        default="",
        metadata={"why": "PostgreSQL only: the role that owns the tables, used by `goldvein migrate` alone"},
    )
    allow_database_owner: bool = field(
        default=False,
        metadata={"why": "tests only: let the server run as a role that row-level security does not bind"},
    )
    failpoint: str = field(
        default="",
        metadata={"why": "tests only: end, break or hold the process at a named place; not where others can reach it"},
    )
    backup_database_url: str = field(
        default="",
        repr=False,
        metadata={"why": "PostgreSQL only: a role that row-level security does not bind, for `goldvein backup` alone"},
    )
    journal_file: str = field(
        default="",
        metadata={"why": "the journal of withdrawals and erasures, outside the store; empty: in the data folder"},
    )
    server_key: str = field(
        default="",
        repr=False,
        metadata={"why": "the server's secret (64 hex digits); empty: a file in the data folder, made at first start"},
    )
    host: str = field(default="127.0.0.1", metadata={"why": "address to listen on"})
    port: int = field(default=DEFAULT_PORT, metadata={"why": "port to listen on"})
    public_url: str = field(
        default="",
        metadata={"why": "how people reach this server; in links and for the same-origin check"},
    )
    trusted_proxies: str = field(
        default="",
        metadata={"why": "comma-separated addresses whose X-Forwarded-* headers are believed"},
    )
    track_limit_per_minute: int = field(
        default=3_000,
        metadata={"why": "events a key may report in a minute; hooks fire on every tool call"},
    )
    failed_authentication_limit_per_minute: int = field(
        default=60,
        metadata={"why": "refused keys and passwords from one address in a minute, so that guessing is slow"},
    )
    event_retention_days: int = field(
        default=400,
        metadata={"why": "usage events are removed after so many days, and no event may be older when it comes"},
    )
    pending_retention_days: int = field(
        default=90,
        metadata={"why": "captured examples that nobody reviewed for so many days lose their text"},
    )
    max_pending_per_skill: int = field(
        default=300,
        metadata={"why": "captured examples that wait for one skill's review, so that nobody is flooded; 0: no limit"},
    )
    max_captured_per_person_day: int = field(
        default=25,
        metadata={"why": "examples captured from one person in one skill within 24 hours; 0: no limit"},
    )
    queue_events: int = field(
        default=10_000,
        metadata={"why": "events on their way to the store; one more is told to come back"},
    )
    queue_bytes: int = field(
        default=64 * 1024 * 1024,
        metadata={"why": "the size of what is on its way to the store, which bounds the memory of a burst"},
    )
    batch_events: int = field(
        default=500,
        metadata={"why": "events that one commit of the writer takes"},
    )
    workers: int = field(
        default=1,
        metadata={"why": "server processes, on PostgreSQL; each gets its share of the limits"},
    )
    consent_days: int = field(
        default=365,
        metadata={"why": "how long a given consent lasts before it must be renewed"},
    )
    session_days: int = field(default=14, metadata={"why": "how long a browser stays signed in"})
    rescan_on_start: bool = field(
        default=True,
        metadata={"why": "after an upgrade, sanitize what is stored with the new rules, in the background of `serve`"},
    )
    curation_runner: str = field(
        default="native",
        metadata={"why": "where near-duplicates of very large datasets are looked for: native (this process) or ray"},
    )
    worker_in_serve: bool = field(
        default=True,
        metadata={"why": "carry jobs out in the server too; without it run `goldvein worker` beside it"},
    )
    webhooks_allow_http: bool = field(
        default=False,
        metadata={"why": "development only: let webhooks have http:// URLs"},
    )
    webhooks_allow_private: bool = field(
        default=False,
        metadata={"why": "let webhooks lead into this machine's own network"},
    )
    sanitizer_names: bool = field(
        default=False,
        metadata={"why": "remove people's names and street addresses from captured examples too; needs goldvein[ner]"},
    )
    metrics_token: str = field(
        default="",
        repr=False,
        metadata={"why": "the bearer token /metrics asks for; empty: only this machine may read it"},
    )
    log_level: str = field(default="info", metadata={"why": "debug, info, warning or error"})
    api_key: str = field(
        default="",
        repr=False,
        metadata={"why": "command line only: whose key to act with (see `goldvein login`)"},
    )
    url: str = field(default="", metadata={"why": "command line only: the server to talk to"})

    @property
    def store_url(self) -> str:
        """The database URL in force, with SQLAlchemy's driver names."""
        return _with_driver(self.database_url or f"sqlite:///{self.data_dir / 'goldvein.db'}")

    @property
    def migration_url(self) -> str:
        """The URL migrations run with."""
        return _with_driver(self.migration_database_url) if self.migration_database_url else self.store_url

    @property
    def backup_url(self) -> str:
        """The URL that `pg_dump` and `pg_restore` get."""
        return _with_driver(self.backup_database_url) if self.backup_database_url else self.migration_url

    @property
    def journal_path(self) -> Path:
        """Where the journal is."""
        return Path(self.journal_file).expanduser() if self.journal_file else self.data_dir / "withdrawals.journal"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server, as far as the settings tell."""
        return self.host == "127.0.0.1" and not self.public_url and not self.trusted_proxies

    @property
    def base_url(self) -> str:
        """How people reach this server, without a trailing slash."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 (compared, not bound)
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; an unknown `GOLDVEIN_*` name or an unreadable value is an error that names it."""
    environ = os.environ if environ is None else environ
    hints = get_type_hints(Settings)
    known = {f.name for f in fields(Settings)}
    values: dict[str, object] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known and name.endswith("_file") and name.removesuffix("_file") in known:
            name = name.removesuffix("_file")
            text = _read_file(variable, text)  # noqa: PLW2901 (the file's content stands for the variable)
        if name not in known:
            raise NotConfigured(what=f"{variable} is not a setting of goldvein; see docs/operations.md")
        if name in values:
            raise NotConfigured(what=f"{variable}: set either the variable or its _FILE form, not both")
        values[name] = _parse(variable, text, hints[name])
    settings = Settings(**values)  # type: ignore[arg-type]  # every value was parsed to its field's type
    _check(settings)
    return settings


def _read_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(what=f"{variable}: cannot read {path} ({type(error).__name__})") from error


def _parse(variable: str, text: str, kind: object) -> object:
    if kind is bool:
        if text.lower() in {"1", "true", "yes"}:
            return True
        if text.lower() in {"0", "false", "no", ""}:
            return False
        raise NotConfigured(what=f"{variable}: 1 or 0")
    if kind is int:
        if not text.isascii() or not text.isdigit():
            raise NotConfigured(what=f"{variable}: a whole number, 0 or more")
        return int(text)
    if kind is Path:
        return Path(text).expanduser().resolve()
    assert kind is str or str in get_args(kind)  # noqa: S101 (a new field of another type must be parsed above)
    return text


def _check(settings: Settings) -> None:
    if settings.log_level not in {"debug", "info", "warning", "error"}:
        raise NotConfigured(what="GOLDVEIN_LOG_LEVEL: debug, info, warning or error")
    if settings.curation_runner not in {"native", "ray"}:
        raise NotConfigured(what="GOLDVEIN_CURATION_RUNNER: native or ray")
    if settings.port > _MAX_PORT:
        raise NotConfigured(what=f"GOLDVEIN_PORT: 0 to {_MAX_PORT}")
    for name in _AT_LEAST_ONE:
        if getattr(settings, name) < 1:
            raise NotConfigured(what=f"{PREFIX}{name.upper()}: 1 or more")
    if settings.failpoint:
        failpoints.parse(settings.failpoint)
    scheme = settings.store_url.split(":", 1)[0]
    if scheme not in {"sqlite", "postgresql+psycopg"}:
        raise NotConfigured(what="GOLDVEIN_DATABASE_URL: sqlite:///... or postgresql://...")


def _with_driver(url: str) -> str:
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url
