"""Views of the evidence: the report of a period as a page for printing, and as CSV."""

import logging
from collections.abc import Iterator, Sequence

from flask import Blueprint, Response, abort, render_template, request
from sqlalchemy.exc import DBAPIError

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_visit
from webapp.auth.account_time_zones import viewer_zone
from webapp.channels import CHANNELS
from webapp.database.outages import took_too_long
from webapp.database.sessions import discard_transaction
from webapp.deliveries import end_overdue_tests
from webapp.evidence import (
    MAX_DAYS,
    Gap,
    Period,
    PeriodInvalid,
    RecordedProblem,
    Report,
    RetentionPeriods,
    find_gaps,
    list_choices,
    make_report,
    read_period,
    write_destinations,
    write_tests,
)
from webapp.models import database_clock
from webapp.views.csv_downloads import stream_workspace_csv

bp = Blueprint("evidence", __name__)

log = logging.getLogger(__name__)


@bp.get("/w/<slug>/evidence")
def show(slug: str) -> str | tuple[str, int]:
    """Show the report of a period. One that cannot be, or that takes too long, is explained, with 400."""
    visit, now = load_visit(slug), database_clock.now()
    zone = viewer_zone()
    inputs = {"choices": list_choices(zone, now), "max_days": MAX_DAYS, "now": now}
    try:
        report = _make_in_time(visit, read_period(request.args, zone, now))
    except PeriodInvalid as invalid:
        return render_template("evidence.html", visit=visit, report=None, invalid=str(invalid), **inputs), 400
    return render_template(
        "evidence.html", visit=visit, report=report, channels=CHANNELS, problems=RecordedProblem, **inputs
    )


@bp.get("/w/<slug>/evidence/destinations.csv")
def download_destinations(slug: str) -> Response:
    """Download the destinations of a report as CSV."""
    visit = load_visit(slug)
    report = _make(visit, _read_period())
    return _respond(visit, "destinations", report.period, report.gaps, iter(["".join(write_destinations(report))]))


@bp.get("/w/<slug>/evidence/tests.csv")
def download_tests(slug: str) -> Response:
    """Stream the tests of a period as CSV."""
    visit, period, now = load_visit(slug), _read_period(), database_clock.now()
    end_overdue_tests(visit.workspace.id, now)
    gaps = find_gaps(period, visit.workspace.created_at, _read_retention(), now)
    return _respond(visit, "tests", period, gaps, write_tests(visit.workspace.id, period, now))


def _read_period() -> Period:
    try:
        return read_period(request.args, viewer_zone(), database_clock.now())
    except PeriodInvalid:
        abort(400)


def _make(visit: Visit, period: Period) -> Report:
    workspace_id, now = visit.workspace.id, database_clock.now()
    end_overdue_tests(workspace_id, now)
    return make_report(workspace_id, period, _read_retention(), now)


def _make_in_time(visit: Visit, period: Period) -> Report:
    """Make the report for a page. Raises `PeriodInvalid` if the database ends a statement that takes too long."""
    try:
        return _make(visit, period)
    except DBAPIError as error:
        if not took_too_long(error):
            raise
    discard_transaction()
    log.warning("evidence report took too long", extra={"workspace": visit.workspace.id, "days": period.days})
    raise PeriodInvalid(
        f"The report of these {period.days:,} days takes longer than a page may take. Choose a shorter period, or make "
        "several reports."
    )


def _read_retention() -> RetentionPeriods:
    settings = current_settings()
    return RetentionPeriods(settings.keep_deliveries, settings.keep_audit)


def _respond(visit: Visit, what: str, period: Period, gaps: Sequence[Gap], lines: Iterator[str]) -> Response:
    mark = "-incomplete" if gaps else ""
    name = f"evidence-{what}-{visit.workspace.slug}-{period.since}-{period.until}{mark}.csv"
    return stream_workspace_csv(lines, name, visit)
