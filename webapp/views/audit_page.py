"""Renders and exports an audit trail, for the views of workspaces and of the installation."""

from collections.abc import Mapping
from typing import Any

from flask import Response, abort, render_template, request

from webapp import audit_trail
from webapp.app_state import current_settings
from webapp.audit_trail import ACTORS_BY_KEY, AuditFilter, Trail
from webapp.auth.access import Visit
from webapp.auth.account_time_zones import viewer_zone
from webapp.models import database_clock
from webapp.text.csv_export import MAX_ROWS
from webapp.text.cursors import parse_cursor
from webapp.views.csv_downloads import stream_instance_csv, stream_workspace_csv


def render_trail(template: str, trail: Trail, download: str, place: Mapping[str, str], **inputs: Any) -> str:
    """Render the requested page of an audit trail.

    download: the endpoint of its CSV. place: the parts of its address, the filter aside.
    """
    criteria = _read_filter()
    before = parse_cursor(request.args["before"]) or abort(404) if request.args.get("before") else None
    return render_template(
        template,
        trail=trail,
        show=request.endpoint,
        path=request.path,
        download=download,
        place=place,
        criteria=criteria,
        before=before,
        page=audit_trail.list_page(trail, criteria, before),
        people=audit_trail.list_people(trail, criteria.who if isinstance(criteria.who, int) else None),
        actors=ACTORS_BY_KEY,
        actions=sorted({*audit_trail.list_actions(trail), *filter(None, [criteria.action])}),
        keep=current_settings().keep_audit,
        max_rows=MAX_ROWS,
        now=database_clock.now(),
        **inputs,
    )


def stream_trail(trail: Trail, name: str, visit: Visit | None = None) -> Response:
    """Stream an audit trail as CSV. name: what the file's name says of whose it is. visit: None for instance admins."""
    file = f"audit-{name}-{database_clock.now():%Y%m%dT%H%M%SZ}.csv"
    lines = audit_trail.write_csv(trail, _read_filter())
    return stream_workspace_csv(lines, file, visit) if visit else stream_instance_csv(lines, file)


def _read_filter() -> AuditFilter:
    return audit_trail.parse_filter(request.args, viewer_zone())
