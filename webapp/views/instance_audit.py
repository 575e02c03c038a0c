"""Shows and exports the installation's audit trail, and with it that of all workspaces, to instance admins."""

from flask import Blueprint, Response, abort, request

from webapp.audit_trail import EVERYTHING, INSTALLATION, Trail
from webapp.auth.instance_admins import load_instance_admin
from webapp.instance.workspaces import find_deleted_workspace
from webapp.views.audit_page import render_trail, stream_trail

bp = Blueprint("instance_audit", __name__, url_prefix="/instance")

# The value of the query parameter `of` for the events of all workspaces too.
ALL = "all"


@bp.get("/audit")
def show() -> str:
    """Show the audit trail, newest first."""
    load_instance_admin()
    trail = _find_trail()
    return render_trail(
        "instance_audit.html", trail, "instance_audit.download", {"of": ALL} if trail.covers_all else {}
    )


@bp.get("/audit.csv")
def download() -> Response:
    """Stream the audit trail as CSV."""
    load_instance_admin()
    trail = _find_trail()
    return stream_trail(trail, ALL if trail.covers_all else "instance")


@bp.get("/deleted-workspaces/<slug>/audit")
def show_deleted(slug: str) -> str:
    """Show the audit trail of a deleted workspace, newest first."""
    load_instance_admin()
    used = find_deleted_workspace(slug) or abort(404)
    place = {"slug": used.slug}
    return render_trail(
        "instance_deleted_audit.html", Trail(used.used_by_id), "instance_audit.download_deleted", place, used=used
    )


@bp.get("/deleted-workspaces/<slug>/audit.csv")
def download_deleted(slug: str) -> Response:
    """Stream the audit trail of a deleted workspace as CSV."""
    load_instance_admin()
    used = find_deleted_workspace(slug) or abort(404)
    return stream_trail(Trail(used.used_by_id), used.slug)


def _find_trail() -> Trail:
    return EVERYTHING if request.args.get("of") == ALL else INSTALLATION
