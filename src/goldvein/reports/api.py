from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from goldvein.errors import InvalidField
from goldvein.identity.access import ActorDep, Runtime, RuntimeDep
from goldvein.identity.actor import Actor
from goldvein.reports.audit import Period, Report, make_report
from goldvein.reports.rendering import as_csv, as_zip
from goldvein.settings import VERSION

router = APIRouter(prefix="/api/reports", tags=["reports"])

FirstDay = Annotated[date, Query(alias="from", description="The first day, UTC.")]
LastDay = Annotated[date, Query(alias="to", description="The last day, UTC.")]


@router.get("/audit", response_class=Response)
def download_audit(
    actor: ActorDep,
    runtime: RuntimeDep,
    first: FirstDay,
    last: LastDay,
    section: Annotated[str | None, Query(description="One table of it as CSV, instead of the whole as a zip.")] = None,
) -> Response:
    """Download the auditor's report of these days: an HTML document, a CSV file for each table, a checkpoint.

    Admin only. It names nobody.
    """
    report = audit_of(runtime, actor, first, last)
    if section is None:
        return answer(report)
    found = next((one for one in report.sections if one.name == section), None)
    if found is None:
        raise InvalidField(field="section", reason=f"one of {', '.join(one.name for one in report.sections)}")
    return Response(as_csv(found), media_type="text/csv; charset=utf-8")


def audit_of(runtime: Runtime, actor: Actor, first: date, last: date) -> Report:
    """The report of these days, both included; for the API and the page."""
    actor.need_admin()
    if last < first:
        raise InvalidField(field="to", reason="not before the first day")
    if last >= date.max:
        raise InvalidField(field="to", reason="a day of this calendar")
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last + timedelta(days=1)))
    with runtime.database.read(actor.tenant_id) as session:
        return make_report(
            session,
            runtime.server_key,
            actor,
            period=Period(start=start, end=end),
            now=runtime.now(),
            version=VERSION,
        )


def answer(report: Report) -> Response:
    """The report as a download."""
    name = f"goldvein-audit-{report.period.start:%Y-%m-%d}.zip"
    return Response(
        as_zip(report),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
