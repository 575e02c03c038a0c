"""Shows a workspace's audit trail to its admins."""

from flask import Blueprint, abort, render_template, request

from webapp.audit import list_events
from webapp.auth.access import load_visit_to_edit
from webapp.models import database_clock
from webapp.text.ids import parse_id

bp = Blueprint("audit", __name__)


@bp.get("/w/<slug>/audit")
def show(slug: str) -> str:
    """Show the audit trail, newest first."""
    visit = load_visit_to_edit(slug)
    before = request.args.get("before")
    events = list_events(visit.workspace.id, parse_id(before) or abort(404) if before else None)
    return render_template("audit.html", visit=visit, events=events, now=database_clock.now())
