"""The audit trail of a workspace, for its admins."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request

from webapp.access import load_visit_to_edit
from webapp.audit import list_events

bp = Blueprint("audit", __name__)


@bp.get("/w/<slug>/audit")
def show(slug: str) -> str:
    """Show who did what, the newest first."""
    visit = load_visit_to_edit(slug)
    events = list_events(visit.workspace.id, request.args.get("before", type=int))
    return render_template("audit.html", visit=visit, events=events, now=datetime.now(UTC))
