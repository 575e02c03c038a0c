"""Shows a workspace's audit trail to its admins."""

from flask import Blueprint, render_template, request

from webapp.audit import list_events
from webapp.auth.access import load_visit_to_edit
from webapp.models import database_clock
from webapp.models.types import LARGEST_ID

bp = Blueprint("audit", __name__)


@bp.get("/w/<slug>/audit")
def show(slug: str) -> str:
    """Show the audit trail, newest first."""
    visit = load_visit_to_edit(slug)
    before = request.args.get("before", type=int)
    events = list_events(visit.workspace.id, min(before, LARGEST_ID) if before else None)
    return render_template("audit.html", visit=visit, events=events, now=database_clock.now())
