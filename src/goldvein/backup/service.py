"""Backing a store up while it is in use, and restoring it so that nothing withdrawn or erased since comes back."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from goldvein.backup import archive
from goldvein.backup.archive import About, Opened
from goldvein.db import copies
from goldvein.db.copies import Progress
from goldvein.db.migrate import current_revision, revisions, upgrade
from goldvein.db.session import Database
from goldvein.errors import NotConfigured, StoreUnavailable
from goldvein.identity import server_key as server_keys
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, utc_now
from goldvein.journal import file
from goldvein.journal import service as journal
from goldvein.journal.file import Line
from goldvein.me import replaying
from goldvein.me.replaying import Replayed
from goldvein.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore did. `is_held`: capture and export are off until the operator decides about the journal."""

    made_at: str
    replayed: Replayed
    is_held: bool


def back_up(runtime: Runtime, target: Path, progress: Progress) -> None:
    """Write the store, as it is at one moment, and the server's key into one file of mode 0600.

    Servers go on. The journal is brought up to date first: what a restore needs beside this file is that journal.
    Raises NotConfigured when the file exists.
    """
    if target.exists():
        raise NotConfigured(what=f"{target} exists already; a backup replaces nothing")
    settings = runtime.settings
    replaying.replay_own(runtime)
    with runtime.database.read_across_tenants() as session:
        journal_ids = sorted(journal.written_ids(session))
    about = About(
        store=_kind(settings),
        revision=_revision(runtime.database.engine) or "",
        made_at=runtime.now().isoformat(),
        journal_ids=journal_ids,
    )
    with _folder_beside(target) as folder:
        copy = folder / "store"
        if runtime.database.is_sqlite:
            copies.copy_sqlite(_sqlite_file(settings), copy, progress)
        else:
            copies.dump_postgresql(settings.backup_url, copy)
        archive.write(target, about, copy, _own_key(settings))


def _own_key(settings: Settings) -> bytes | None:
    """The key file; None when the key comes from the environment, whose care it is."""
    return None if settings.server_key else server_keys.key_file(settings).read_bytes()


@contextlib.contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    """A private folder on the same disk, gone afterwards."""
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def restore(
    settings: Settings,
    source: Path,
    *,
    journals: Sequence[Path] = (),
    without_journal: bool = False,
    replace_store: bool = False,
) -> Restored:
    """Put a backup in the place of the store, replay the journal on it, and only then let anybody serve from it.

    1. The file is read and must be of this kind of store and of a release that this one knows. 2. A store with people
    in it is replaced only if that is said; nobody may have it open. 3. The journal must be there and hold every entry
    that the backup knows; else the store is held: it neither captures nor exports until `decide`. 4. The schema is
    brought to this release. On SQLite all of it happens beside the store, which is replaced in one step at the end.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with archive.opened(source) as found:
        _need_fitting(settings, found.about)
        _need_place(settings, replace_store=replace_store)
        lines = _journal_lines(settings, journals, found.about.journal_ids)
        _put_key(settings, found.server_key)
        with _folder_beside(settings.data_dir / "restore") as folder:
            copy = folder / "store.db"
            with copy.open("wb") as stream:
                copy.chmod(0o600)
                shutil.copyfileobj(found.store, stream)
            work = _restore_sqlite if _kind(settings) == "sqlite" else _restore_postgresql
            return work(settings, copy, found, lines, without_journal=without_journal)


def _restore_sqlite(
    settings: Settings, copy: Path, found: Opened, lines: list[Line] | None, *, without_journal: bool
) -> Restored:
    copies.check_sqlite(copy)
    beside = replace(settings, database_url=f"sqlite:///{copy}", migration_database_url="")
    restored = _make_ready(beside, found, lines, without_journal=without_journal)
    copies.put_in_place_sqlite(copy, _sqlite_file(settings))
    return restored


def _restore_postgresql(
    settings: Settings, copy: Path, found: Opened, lines: list[Line] | None, *, without_journal: bool
) -> Restored:
    copies.list_postgresql(copy)
    copies.empty_postgresql(settings.backup_url)
    copies.load_postgresql(settings.backup_url, copy)
    return _make_ready(settings, found, lines, without_journal=without_journal)


def _make_ready(settings: Settings, found: Opened, lines: list[Line] | None, *, without_journal: bool) -> Restored:
    upgrade(settings.migration_url, settings.store_url)
    runtime = Runtime.open(settings)
    try:
        if lines is None and not without_journal:
            _hold(runtime)
        replayed = replaying.replay(runtime, lines or [])
        replaying.replay_own(runtime)
        with runtime.database.read_across_tenants() as session:
            is_held = journal.is_held(session)
    finally:
        runtime.close()
    return Restored(made_at=found.about.made_at, replayed=replayed, is_held=is_held)


def _hold(runtime: Runtime) -> None:
    for tenant_id in _tenant_ids(runtime):
        with runtime.database.write(tenant_id) as session:
            journal.hold(session, runtime.now())


def _tenant_ids(runtime: Runtime) -> list[str]:
    with runtime.database.read_across_tenants() as session:
        return [tenant.id for tenant in identity.find_tenants(session)]


def decide(runtime: Runtime, *, journals: Sequence[Path], without_journal: bool) -> Replayed:
    """End what a restore without the journal began: replay the journal that was found, or say that there is none.

    Raises NotConfigured when nothing is held, or when a file is no journal.
    """
    with runtime.database.read_across_tenants() as session:
        if not journal.is_held(session):
            raise NotConfigured(what="nothing waits for a decision: name the backup to restore")
    if not journals and not without_journal:
        raise NotConfigured(what="hand the journal over with --journal, or say --without-journal")
    replayed = replaying.replay(runtime, [line for path in journals for line in _need_journal(path)])
    for tenant_id in _tenant_ids(runtime):
        with runtime.database.write(tenant_id) as session:
            journal.release(session)
    replaying.replay_own(runtime)
    return replayed


def _need_journal(path: Path) -> list[Line]:
    contents = file.read(path)
    if contents is None or (not contents.lines and contents.damaged):
        raise NotConfigured(what=f"{path} is not a journal of goldvein")
    return contents.lines


def _journal_lines(settings: Settings, journals: Sequence[Path], needed: Sequence[str]) -> list[Line] | None:
    """The entries of all journals together; None when they are not the whole journal of this store."""
    lines = [line for path in journals for line in _need_journal(path)]
    own = file.read(settings.journal_path)
    if own is None and not journals:
        return None
    lines += own.lines if own is not None else []
    return lines if {line.id for line in lines} >= set(needed) else None


def _need_fitting(settings: Settings, about: About) -> None:
    if about.store != _kind(settings):
        raise NotConfigured(what=f"the backup is of a store on {about.store}, and GOLDVEIN_DATABASE_URL names another")
    if about.revision not in revisions():
        raise NotConfigured(what="the backup was made by a newer release: restore it with that one")


def _need_place(settings: Settings, *, replace_store: bool) -> None:
    """Raise NotConfigured unless the store may be replaced; what its journal has to tell is written down before."""
    is_sqlite = _kind(settings) == "sqlite"
    if is_sqlite and not _sqlite_file(settings).exists():
        return
    if not replace_store and _is_lived_in(settings):
        raise NotConfigured(what="there is a store with people in it: say --replace to lose it for the backup")
    with contextlib.suppress(SQLAlchemyError, StoreUnavailable, OSError):  # of a damaged store no journal is written
        _finish_journal(settings)
    if is_sqlite:
        used = copies.is_used_sqlite(_sqlite_file(settings))
    else:
        used = copies.is_used_postgresql(settings.backup_url)
    if used:
        raise NotConfigured(what="the store is in use: stop every server and worker first")


def _is_lived_in(settings: Settings) -> bool:
    with contextlib.closing(Database(settings.store_url)) as database:
        try:
            if _revision(database.engine) is None:
                return False
            with database.read_across_tenants() as session:
                return identity.count_people(session) > 0
        except (SQLAlchemyError, StoreUnavailable):
            return True  # whatever it is, it is not nothing


def _finish_journal(settings: Settings) -> None:
    with contextlib.closing(Database(settings.store_url)) as database:
        if _revision(database.engine) is not None:
            journal.catch_up(database, settings.journal_path, utc_now())


def _put_key(settings: Settings, secrets: bytes | None) -> None:
    """Let the server recognise what was hashed in the backup's time, and what was since."""
    if secrets is not None and not settings.server_key:
        server_keys.add_older(settings, secrets.decode("ascii").split())


def _kind(settings: Settings) -> str:
    return make_url(settings.store_url).get_backend_name()


def _sqlite_file(settings: Settings) -> Path:
    return Path(make_url(settings.store_url).database or "")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return current_revision(connection)
