"""Commands of the operator: they work on the store itself and need its settings, not a key.

None of them makes a key or a consent: those belong to people, who act over HTTP with what is theirs. What they do is in
`store.py`, which is imported only when one of them runs: a person's command does not wait for the server's libraries.
"""
# ruff: noqa: PLC0415

from pathlib import Path
from typing import Annotated

import typer

from goldvein.cli.connection import JsonOption
from goldvein.cli.examples import examples
from goldvein.cli.groups import command, group
from goldvein.cli.own import consent as consents

PANEL = "For operators"

HostOption = Annotated[
    str | None, typer.Option(metavar="HOST", help="Address to listen on (default: GOLDVEIN_HOST or 127.0.0.1).")
]
PortOption = Annotated[
    int | None,
    typer.Option(
        min=0, max=65535, metavar="PORT", help="Port to listen on; 0: any free one (default: GOLDVEIN_PORT or 8787)."
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, max=64, metavar="N", help="Server processes, on PostgreSQL (default: GOLDVEIN_WORKERS or 1)."),
]
EmailArgument = Annotated[str, typer.Argument(help="The person's address.")]

jobs = group("What the worker could not do (operator).", "goldvein job list")
tenants = group("Organisations on this server (operator).", "goldvein tenant list")
people = group(
    "People on this server (operator). Links begin with GOLDVEIN_PUBLIC_URL.",
    "goldvein person login-link admin@localhost",
)


def add_to(app: typer.Typer) -> None:
    """Add the operator's commands."""
    command(app, "serve", "goldvein serve --port 8787", "goldvein serve --workers 4", panel=PANEL)(serve)
    command(app, "worker", "goldvein worker", panel=PANEL)(work)
    command(app, "migrate", "goldvein migrate", panel=PANEL)(migrate)
    command(app, "backup", "goldvein backup /var/backups/goldvein.backup", panel=PANEL)(back_up)
    command(
        app,
        "restore",
        "goldvein restore /var/backups/goldvein.backup --replace",
        "goldvein restore --journal /mnt/old/withdrawals.journal",
        panel=PANEL,
    )(restore)
    command(app, "doctor", "goldvein doctor", panel=PANEL)(examine)
    app.add_typer(jobs, name="job", rich_help_panel=PANEL)
    app.add_typer(tenants, name="tenant", rich_help_panel=PANEL)
    app.add_typer(people, name="person", rich_help_panel=PANEL)


def serve(host: HostOption = None, port: PortOption = None, workers: WorkersOption = None) -> None:
    """Run the server until it is told to stop.

    With `--workers` several processes serve one PostgreSQL store; each allows its share of the limits.

    An empty SQLite store is made at the first start, with one organisation and one admin, whose login link is printed.
    For another link: `goldvein person login-link admin@localhost`.
    """
    from goldvein.cli import store

    store.serve(host=host, port=port, workers=workers)


def back_up(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist.")],
) -> None:
    """Copy the store, as it is at this moment, and the server's key into one file; servers go on.

    On PostgreSQL it runs pg_dump as the role of GOLDVEIN_BACKUP_DATABASE_URL. Keep the journal of withdrawals
    (GOLDVEIN_JOURNAL_FILE) apart from the store: a restore needs both.
    """
    from goldvein.cli import restoring

    restoring.back_up(target)


def restore(
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The backup; left out: decide about a restored store.")
    ] = None,
    *,
    journal: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A journal beside that of this installation; may be repeated."),
    ] = None,
    without_journal: Annotated[
        bool,
        typer.Option(
            "--without-journal", help="There is no journal: capture and export although withdrawals may be missing."
        ),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a store that has people in it.")] = False,
) -> None:
    """Put a backup in the place of the store, and withdraw and erase again what was since it was made.

    Stop every server and worker first. Without the journal, capture and export stay off until you hand it over
    (`--journal`) or say that there is none (`--without-journal`).
    """
    from goldvein.cli import restoring

    restoring.restore(source, journals=journal or [], without_journal=without_journal, replace_store=replace)


def work() -> None:
    """Carry jobs out until told to stop, in a process of its own.

    `goldvein serve` does so itself unless GOLDVEIN_WORKER_IN_SERVE is 0. Any number of workers may run on PostgreSQL;
    no job is lost when one is killed, and none is run by two at once.
    """
    from goldvein.cli import working

    working.work()


@command(jobs, "list", "goldvein job list")
def list_jobs(*, as_json: JsonOption = False) -> None:
    """List the jobs that were given up, and the periodic ones that fail."""
    from goldvein.cli import working

    working.list_jobs(as_json=as_json)


@command(jobs, "retry", "goldvein job retry ID")
def retry_job(job: Annotated[str, typer.Argument(metavar="ID", help="The job's id; see `job list`.")]) -> None:
    """Let a job that was given up begin anew, or one that waits come at once."""
    from goldvein.cli import working

    working.retry_job(job)


def migrate() -> None:
    """Bring the store to the schema of this release. Safe to run again.

    On PostgreSQL it runs as the role of GOLDVEIN_MIGRATION_DATABASE_URL, which owns the tables.
    """
    from goldvein.cli import store

    store.migrate()


def examine(*, as_json: JsonOption = False) -> None:
    """Check the settings, the data folder, the store and the clock, and say what to do about what is wrong."""
    from goldvein.cli import store

    if not store.examine(as_json=as_json):
        raise typer.Exit(1)


@command(tenants, "create", "goldvein tenant create Acme --admin-email dana@acme.example --admin-name Dana")
def create_tenant(
    name: Annotated[str, typer.Argument(help="The organisation's name.")],
    admin_email: Annotated[str, typer.Option(metavar="EMAIL", help="The address of its first admin.")],
    admin_name: Annotated[str, typer.Option(metavar="NAME", help="The name of its first admin.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Make an organisation and invite its first admin; prints the invitation link, once. Capture is off in it."""
    from goldvein.cli import store

    store.create_tenant(name=name, admin_email=admin_email, admin_name=admin_name, as_json=as_json)


@command(tenants, "list", "goldvein tenant list")
def list_tenants(*, as_json: JsonOption = False) -> None:
    """List the organisations on this server."""
    from goldvein.cli import store

    store.list_tenants(as_json=as_json)


@command(examples, "rescan", "goldvein examples rescan", panel=PANEL)
def rescan_examples(
    tenant: Annotated[
        str | None, typer.Option(metavar="ID", help="One tenant only; see `tenant list` (default: all).")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Sanitize stored examples and comments again with the rules of this release and of their organisation (operator).

    Findings are replaced in place; an approved example that changes waits for review again. Interrupted, it goes on
    where it was when it is run again. A running server does the same by itself after an upgrade.
    """
    from goldvein.cli import store

    store.rescan_examples(tenant=tenant, as_json=as_json)


@command(consents, "replay", "goldvein consent replay", panel=PANEL)
def replay_consent(
    tenant: Annotated[
        str | None, typer.Option(metavar="ID", help="One tenant only; see `tenant list` (default: all).")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Decide again, from the ledger, whether both consents held when each example was captured (operator).

    Names every example for which they did not, and everything in which ledger and store do not agree; exit code 1 then.
    """
    from goldvein.cli import store

    if not store.replay_consent(tenant=tenant, as_json=as_json):
        raise typer.Exit(1)


@command(people, "invite", "goldvein person invite bob@acme.example --tenant ID --name Bob")
def invite_person(
    email: EmailArgument,
    tenant: Annotated[str, typer.Option(metavar="ID", help="The tenant's id; see `tenant list`.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="How the person is called.")],
    role: Annotated[str, typer.Option(metavar="ROLE", help="admin or member")] = "member",
    *,
    as_json: JsonOption = False,
) -> None:
    """Invite a person to an organisation; prints the invitation link, once."""
    from goldvein.cli import store

    store.invite_person(email=email, tenant=tenant, name=name, role=role, as_json=as_json)


@command(people, "login-link", "goldvein person login-link admin@localhost")
def print_login_link(email: EmailArgument) -> None:
    """Print a link with which a person signs in without a password."""
    from goldvein.cli import store

    store.print_login_link(email)


@command(people, "reset", "goldvein person reset bob@acme.example")
def print_reset_link(email: EmailArgument) -> None:
    """Print a link with which a person sets a new password."""
    from goldvein.cli import store

    store.print_reset_link(email)


@command(people, "withdraw", "goldvein person withdraw bob@acme.example --tenant ID")
def withdraw_for(
    email: EmailArgument,
    tenant: Annotated[str, typer.Option(metavar="ID", help="The tenant's id; see `tenant list`.")],
) -> None:
    """Withdraw for a person who cannot sign in any more, and erase what was captured from them."""
    from goldvein.cli import store

    store.withdraw_for(email=email, tenant=tenant)


def rotate_server_key() -> None:
    """Put a new server secret before the old ones (operator). Running servers take it up when they are restarted.

    What older secrets hashed stays recognised: keys, sessions and links go on working.
    """
    from goldvein.cli import store

    store.rotate_server_key()
