"""Shows and exports the installation's audit trail, and with it that of all workspaces, to instance admins."""

from flask import Blueprint, Response, request

from webapp.audit_trail import EVERYTHING, INSTALLATION, Trail
from webapp.auth.instance_admins import load_instance_admin
from webapp.views.audit_page import render_trail, stream_trail

bp = Blueprint("instance_audit", __name__, url_prefix="/instance")

# The value of the query parameter `of` for the events of all workspaces too.
ALL = "all"


@bp.get("/audit")
def show() -> str:
    """Show the audit trail, newest first."""
    load_instance_admin()
    trail = _find_trail()
    return render_trail("instance_audit.html", trail, bp.name, {"of": ALL} if trail.covers_all else {})


@bp.get("/audit.csv")
def download() -> Response:
    """Stream the audit trail as CSV."""
    load_instance_admin()
    trail = _find_trail()
    return stream_trail(trail, ALL if trail.covers_all else "instance")


def _find_trail() -> Trail:
    return EVERYTHING if request.args.get("of") == ALL else INSTALLATION
