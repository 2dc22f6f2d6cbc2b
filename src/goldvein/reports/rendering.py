"""The report as files: one HTML document that needs nothing else, and a CSV file for each table."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, select_autoescape

from goldvein.reports.audit import Cell, Report, Section

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _is_figure(cell: Cell) -> bool:
    return isinstance(cell, int) or cell.startswith("<") or cell.endswith(" %")


_environment = Environment(
    loader=PackageLoader("goldvein.reports"), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
)
_environment.filters["moment"] = _moment
_environment.filters["is_figure"] = _is_figure


def as_files(report: Report) -> Iterator[tuple[str, bytes]]:
    """Every file of the report: name and content."""
    yield "report.html", as_html(report).encode()
    for section in report.sections:
        yield f"{section.name}.csv", as_csv(section).encode()
    kept = {"checkpoint": report.checkpoint, "public_keys": report.public_keys}  # as `goldvein verify ledger` reads it
    yield "checkpoint.json", json.dumps(kept).encode() + b"\n"


def as_zip(report: Report) -> bytes:
    """The files as one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in as_files(report):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def as_html(report: Report) -> str:
    """The document. What comes from outside is escaped; there is no script and nothing is loaded."""
    return _environment.get_template("audit.html").render(report=report)


def as_csv(section: Section) -> str:
    """One table; a cell that a spreadsheet would run as a formula begins with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(section.columns)
    writer.writerows([_plain(cell) for cell in row] for row in section.rows)
    return buffer.getvalue()


def _plain(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_BEGINS_FORMULA) else cell
