"""What the operator's commands do: they work on the store itself and need its settings, not a key."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, replace

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import IntegrityError

from goldvein import failpoints
from goldvein import settings as all_settings
from goldvein.cli import doctor
from goldvein.db.migrate import refuse_unsafe_store, upgrade
from goldvein.db.session import TenantSession
from goldvein.errors import NotConfigured, NotFound
from goldvein.examples import proof, rescan
from goldvein.identity import server_key as server_keys
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.identity.actor import Actor
from goldvein.identity.tables import Membership
from goldvein.me import withdrawal
from goldvein.sanitizer import SanitizerFailed
from goldvein.server import (
    bind,
    ended_by_signals,
    make_server,
    opened,
    prepare_store,
    refuse_sharing_sqlite,
    rescanning,
    serve_together,
    telling_store_errors,
)
from goldvein.telemetry import configure_logging
from goldvein.terminal import console, say, say_facts, say_json, say_line, say_table

FIRST_TENANT_NAME = "My organisation"
FIRST_ADMIN_EMAIL = "admin@localhost"


def serve(*, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve until a signal; make an empty SQLite store and its first admin before."""
    settings = all_settings.load()
    configure_logging(settings.log_level)
    chosen = replace(
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
        workers=workers or settings.workers,
    )
    failpoints.arm(chosen.failpoint, is_local=chosen.is_local)
    if chosen.workers > 1:
        refuse_sharing_sqlite(chosen)
    listener, settings = bind(chosen)
    with listener, ended_by_signals(), opened(settings) as runtime:
        prepare_store(runtime)
        server = make_server(runtime)
        link = _welcome_first_admin(runtime)
        say_line(f"goldvein serves {settings.base_url} (stop it with Ctrl-C)")
        if link is not None:
            say(f"First start: sign in as {FIRST_ADMIN_EMAIL} with this link (once, within an hour):")
            say_line(f"{settings.base_url}/login/{link}")
        with rescanning(runtime):
            if settings.workers > 1:
                serve_together(settings, listener)
            else:
                server.run(sockets=[listener])


def _welcome_first_admin(runtime: Runtime) -> str | None:
    """A login link for the admin of a store in which there is nobody yet; None when there is somebody."""
    now = runtime.now()
    with contextlib.suppress(IntegrityError), runtime.database.write_across_tenants() as session:
        if identity.count_people(session) > 0:
            return None
        tenant = identity.create_tenant(session, name=FIRST_TENANT_NAME, now=now)
        admin = identity.invite(
            session, tenant_id=tenant.id, email=FIRST_ADMIN_EMAIL, name="Admin", role="admin", now=now
        )
        admin.accepted_at = now
        return identity.make_link(session, runtime.server_key, admin, "login", now=now)
    return None  # another process of the same first start was faster and prints its link


def migrate() -> None:
    """Bring the store to the schema of this release. Safe to run again.

    On PostgreSQL it runs as the role of GOLDVEIN_MIGRATION_DATABASE_URL, which owns the tables.
    """
    settings = all_settings.load()
    failpoints.arm(settings.failpoint, is_local=settings.is_local)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with telling_store_errors():
        revision = upgrade(settings.migration_url, settings.store_url)
    say(f"The store has the schema of this release (revision {revision}).")


def examine(*, as_json: bool) -> bool:
    """Check the settings, the data folder, the store and the clock, and say what to do about what is wrong."""
    checks = doctor.examine()
    if as_json:
        say_json(
            [
                {"check": check.name, "ok": check.ok, "found": check.found, "do": "" if check.ok else check.do}
                for check in checks
            ]
        )
    else:
        doctor.show(checks)
    return all(check.ok for check in checks)


@contextlib.contextmanager
def open_store() -> Iterator[Runtime]:
    """The store of this installation; refuses one with another schema, or one that is not safe to serve from."""
    with opened(all_settings.load()) as runtime:
        refuse_unsafe_store(runtime.database.engine, allow_owner=runtime.settings.allow_database_owner)
        yield runtime


def create_tenant(*, name: str, admin_email: str, admin_name: str, as_json: bool) -> None:
    """Make an organisation and invite its first admin; prints the invitation link, once. Capture is off in it."""
    with open_store() as runtime:
        now = runtime.now()
        with runtime.database.write_across_tenants() as session:
            tenant = identity.create_tenant(session, name=name, now=now)
            admin = identity.invite(
                session, tenant_id=tenant.id, email=admin_email, name=admin_name, role="admin", now=now
            )
            link = _link(session, runtime, admin, "invitation", "welcome")
        if as_json:
            say_json({"tenant_id": tenant.id, "person_id": admin.person_id, "link": link})
            return
        say(f"Made {tenant.name}, tenant {tenant.id}.")
        _say_link(f"Give {admin_email} this invitation (once, within 7 days):", link)


def list_tenants(*, as_json: bool) -> None:
    """List the organisations on this server."""
    with open_store() as runtime, runtime.database.read_across_tenants() as session:
        found = identity.find_tenants(session)
        if as_json:
            say_json(
                [
                    {
                        "id": tenant.id,
                        "name": tenant.name,
                        "is_demo": tenant.is_demo,
                        "created_at": tenant.created_at.isoformat(),
                    }
                    for tenant in found
                ]
            )
            return
        rows = [(tenant.id, f"{tenant.created_at:%Y-%m-%d}", _named(tenant.name, tenant.is_demo)) for tenant in found]
        say_table(("Id", "Since", "Name"), rows, fixed=(0, 1))


def _named(name: str, is_demo: bool) -> str:
    return f"{name} (demo)" if is_demo else name


def invite_person(*, email: str, tenant: str, name: str, role: str, as_json: bool) -> None:
    """Invite a person to an organisation; prints the invitation link, once."""
    with open_store() as runtime:
        now = runtime.now()
        with runtime.database.write_across_tenants() as session:
            if tenant not in {row.id for row in identity.find_tenants(session)}:
                raise NotFound(what="tenant")
            member = identity.invite(session, tenant_id=tenant, email=email, name=name, role=role, now=now)
            link = _link(session, runtime, member, "invitation", "welcome")
    if as_json:
        say_json({"person_id": member.person_id, "link": link})
        return
    _say_link(f"Give {email} this invitation (once, within 7 days):", link)


def print_login_link(email: str) -> None:
    """Print a link with which a person signs in without a password."""
    _print_link_for(email, "login", "login", "Whoever opens this link is signed in as {email} (once, within an hour):")


def print_reset_link(email: str) -> None:
    """Print a link with which a person sets a new password."""
    _print_link_for(email, "reset", "welcome", "Give {email} this link to set a new password (once, within an hour):")


def _print_link_for(email: str, purpose: str, page: str, sentence: str) -> None:
    with open_store() as runtime:
        with runtime.database.write_across_tenants() as session:
            active = [row for row in identity.find_memberships(session, email) if identity.is_active(row)]
            if not active:
                raise NotFound(what="person who can sign in (invited ones accept their invitation first)")
            link = _link(session, runtime, active[0], purpose, page)
        _say_link(sentence.format(email=email), link)


def withdraw_for(*, email: str, tenant: str) -> None:
    """Withdraw for a person who asked, and erase what was captured from them. There is no command that gives."""
    with open_store() as runtime:
        with runtime.database.read_across_tenants() as session:
            found = [row for row in identity.find_memberships(session, email) if row.tenant_id == tenant]
        if not found:
            raise NotFound(what="member of this tenant with this address")
        actor = Actor(
            tenant_id=tenant,
            person_id=found[0].person_id,
            role=found[0].role,
            scopes=frozenset(),
            channel="cli",
            credential_id="",
        )
        with runtime.database.write(tenant) as session:
            removed = withdrawal.withdraw(session, actor, now=runtime.now())
        runtime.database.clear_log()
    state = "Withdrawn" if removed.consent_changed else "There was no consent to withdraw"
    say(f"{state}; {removed.erased_examples} captured examples erased.")


def replay_consent(*, tenant: str | None, as_json: bool) -> bool:
    """Decide again on every captured example of one tenant or of all; tells whether all of it holds."""
    with open_store() as runtime:
        with runtime.database.read_across_tenants() as session:
            found = [row.id for row in identity.find_tenants(session) if tenant in {None, row.id}]
        if tenant is not None and not found:
            raise NotFound(what="tenant")
        proofs: dict[str, proof.Proof] = {}
        for tenant_id in found:
            with runtime.database.read(tenant_id) as session:
                proofs[tenant_id] = proof.prove(session)
    if as_json:
        say_json([{"tenant_id": tenant_id, **asdict(proved)} for tenant_id, proved in proofs.items()])
    else:
        for tenant_id, proved in proofs.items():
            older = f", {proved.older_than_ledger} older than it and by consent events alone"
            say_line(
                f"{tenant_id}: {proved.from_ledger} captures decided again from the ledger"
                f"{older if proved.older_than_ledger else ''}; {len(proved.unproved)} do not hold."
            )
            for one in proved.unproved:
                say_line(f"  {one.subject}: {one.reason}")
    return not any(proved.unproved for proved in proofs.values())


def _link(session: TenantSession, runtime: Runtime, member: Membership, purpose: str, page: str) -> str:
    token = identity.make_link(session, runtime.server_key, member, purpose, now=runtime.now())
    return f"{runtime.settings.base_url}/{page}/{token}"


def _say_link(sentence: str, link: str) -> None:
    say(sentence)
    say_line(link)


def rescan_examples(*, tenant: str | None, as_json: bool) -> None:
    """Sanitize what is stored and behind the current version, tenant by tenant, a few examples a transaction.

    Raises NotConfigured, after all others are done, when the rules of a tenant cannot be used.
    """
    done = rescan.Rescanned()
    with open_store() as runtime, _progress() as progress:
        behind = {one: _count_behind(runtime, one) for one in _tenant_ids(runtime, tenant)}
        task = progress.add_task("Rescanning", total=sum(count or 0 for count in behind.values()))
        for one in [one for one, count in behind.items() if count]:
            for step in rescan.rescan(runtime.database, one, now=runtime.now):
                done += step
                progress.update(task, completed=done.read)
    _say_rescanned(done, as_json=as_json)
    unusable = sum(count is None for count in behind.values())
    if unusable:
        raise NotConfigured(what=f"{unusable} organisations have a sanitizer rule that cannot be used: see `doctor`")


def _say_rescanned(done: rescan.Rescanned, *, as_json: bool) -> None:
    if as_json:
        say_json(asdict(done))
        return
    say_facts(
        {
            "Read": done.read,
            "Changed": done.changed,
            "Pending again": done.reopened,
            "Failed": f"{done.failed}, which are set aside" if done.failed else 0,
            "Findings": ", ".join(f"{kind} {count}" for kind, count in sorted(done.findings.items())) or "none",
        }
    )


def _progress() -> Progress:
    """A bar on standard error, and none where nobody looks at it."""
    shown_on = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=shown_on,
        transient=True,
        disable=not shown_on.is_terminal,
    )


def _tenant_ids(runtime: Runtime, tenant: str | None) -> list[str]:
    with runtime.database.read_across_tenants() as session:
        known = [row.id for row in identity.find_tenants(session)]
    if tenant is not None and tenant not in known:
        raise NotFound(what="tenant")
    return known if tenant is None else [tenant]


def _count_behind(runtime: Runtime, tenant_id: str) -> int | None:
    """How much waits in a tenant; None when its rules cannot be used."""
    with contextlib.suppress(SanitizerFailed), runtime.database.read(tenant_id) as session:
        return rescan.count_behind(session)
    return None


def rotate_server_key() -> None:
    """Put a new server secret before the old ones (operator). Running servers take it up when they are restarted.

    What older secrets hashed stays recognised: keys, sessions and links go on working.
    """
    settings = all_settings.load()
    if settings.server_key:
        raise NotConfigured(what="the key comes from GOLDVEIN_SERVER_KEY: put a new one before it there, with a comma")
    count = server_keys.rotate(settings)
    say(f"{server_keys.key_file(settings)} now holds {count} keys, the new one first.")
    say("Restart every running server, and back the file up: without it no key works.")
