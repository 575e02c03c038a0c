"""A workspace's list of destinations."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp.access import list_memberships, load_visit
from webapp.channels import CHANNELS
from webapp.config import current_config
from webapp.masking import show_where
from webapp.sessions import current_account
from webapp.status import list_settled_tests, show_status

bp = Blueprint("workspaces", __name__)


@bp.get("/")
def home() -> str | Response:
    """Go to the visitor's first workspace."""
    memberships = list_memberships(current_account())
    if not memberships:
        return render_template("no_workspace.html")
    return redirect(url_for("workspaces.show", slug=memberships[0].workspace.slug))


@bp.get("/w/<slug>")
def shorten(slug: str) -> Response:
    """Go from the workspace's short address to its list."""
    return redirect(url_for("workspaces.show", slug=slug))


@bp.get("/w/<slug>/destinations")
def show(slug: str) -> str:
    """List a workspace's destinations, each with its badge and its button."""
    visit = load_visit(slug)
    now = datetime.now(UTC)
    sealer = current_config().sealer
    rows = [
        (show_status(visit, destination, newest, now), show_where(destination, visit.role, sealer))
        for destination, newest in list_settled_tests(visit.workspace.id, now)
    ]
    return render_template("destinations.html", visit=visit, rows=rows, channels=CHANNELS, now=now)
