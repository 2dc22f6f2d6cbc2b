"""`goldvein report`: documents for people outside the organisation."""

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from goldvein.cli.connection import with_client
from goldvein.cli.groups import command, group
from goldvein.terminal import count_of, say, say_line
from goldvein_client import Client, ClientError

reports = group("Reports for auditors.", "goldvein report audit --from 2026-01-01 --to 2026-12-31 --out audit")

_FILE = re.compile(r"[a-z_]{1,40}\.(html|csv|json)")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(reports, name="report", rich_help_panel="For admins")


@command(
    reports,
    "audit",
    "goldvein report audit --from 2026-01-01 --to 2026-12-31 --out audit",
    "goldvein report audit --from 2026-01-01 --to 2026-12-31 --section outcomes",
)
@with_client
def report_audit(
    client: Client,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first day, UTC.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="The last day, UTC.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="A new or empty folder.")] = None,
    section: Annotated[
        str | None, typer.Option(metavar="NAME", help="Print one table as CSV instead, such as outcomes.")
    ] = None,
) -> None:
    """Write the auditor's report of your organisation (admins): one HTML document, a CSV file for each table.

    Notices, switch, consents, outcomes, replay, withdrawals, exports, sanitizer, access, exceptions. It names nobody.
    """
    days = f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
    if section is not None:
        say_line(client.get_audit(*days, section=section).decode().rstrip("\n"))
        return
    if out is None:
        raise typer.BadParameter("--out DIR or --section NAME")
    written = _write(client.get_audit(*days), out)
    say(f"{count_of(len(written), 'file')} written.")
    say_line(out / "report.html")


def _write(content: bytes, out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ClientError("folder_not_empty", f"{out} is not empty; name a new folder.", {}, None)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if not all(_FILE.fullmatch(name) for name in names):
            raise ClientError("bad_answer", "The server sent files of other names than a report has.", {}, None)
        for name in names:
            (out / name).write_bytes(archive.read(name))
    return [out / name for name in names]
