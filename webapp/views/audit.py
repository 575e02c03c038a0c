"""Shows and exports a workspace's audit trail to its admins."""

from flask import Blueprint, Response

from webapp.audit_trail import Trail
from webapp.auth.access import load_visit_to_edit
from webapp.views.audit_page import render_trail, stream_trail

bp = Blueprint("audit", __name__)


@bp.get("/w/<slug>/audit")
def show(slug: str) -> str:
    """Show the audit trail, newest first."""
    visit = load_visit_to_edit(slug)
    return render_trail("audit.html", Trail(visit.workspace.id), "audit.download", {"slug": slug}, visit=visit)


@bp.get("/w/<slug>/audit.csv")
def download(slug: str) -> Response:
    """Stream the audit trail as CSV."""
    visit = load_visit_to_edit(slug)
    return stream_trail(Trail(visit.workspace.id), visit.workspace.slug, visit)
