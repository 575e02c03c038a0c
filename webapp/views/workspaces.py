"""Views that list a workspace's destinations, and all workspaces of the visitor."""

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_visit
from webapp.auth.instance_admins import is_instance_admin
from webapp.auth.sessions import current_account
from webapp.dashboard.batch_status import BatchStatus, load_batch_status
from webapp.dashboard.drawn_list_cache import draw_list, load_list
from webapp.dashboard.list_version import find_page_version
from webapp.dashboard.overview import build_overviews, parse_list_query
from webapp.dashboard.summaries import list_summaries
from webapp.database.numbered_pages import parse_page
from webapp.deliveries import end_overdue_tests
from webapp.environment.installed_program import COMMAND
from webapp.models import database_clock
from webapp.text.ids import parse_batch
from webapp.text.search_text import read_search_text
from webapp.views.page_refresh import is_current, respond_not_modified
from webapp.workspaces.own_workspaces import list_first_workspaces, load_memberships_page

bp = Blueprint("workspaces", __name__)

# With more, the first one by name is hardly the one that a visitor comes for.
FEW_WORKSPACES = 5


@bp.get("/")
def home() -> str | Response:
    """Redirect to the visitor's first workspace; to the list of all if there are many, as support has.

    An instance admin without a workspace comes for the instance.
    """
    account = current_account()
    workspaces = list_first_workspaces(account, FEW_WORKSPACES + 1)
    if not workspaces and is_instance_admin(account):
        return redirect(url_for("instance.show"))
    if not workspaces:
        return render_template("no_workspace.html", command=COMMAND)
    if len(workspaces) > FEW_WORKSPACES:
        return redirect(url_for("workspaces.list_all"))
    return redirect(url_for("workspaces.show", slug=workspaces[0].slug))


@bp.get("/w/<slug>")
def redirect_to_list(slug: str) -> Response:
    """Redirect from the workspace's short address to its list."""
    return redirect(url_for("workspaces.show", slug=slug))


@bp.get("/w/<slug>/destinations")
def show(slug: str) -> str | Response:
    """List a workspace's destinations, each with its badge and button; failed ones first by default.

    Returns 304 to an open page that shows this already.
    """
    visit, now, query = load_visit(slug), database_clock.now(), parse_list_query(request.args)
    shown = load_list(visit.workspace.id, query, now)
    if shown.has_waiting and end_overdue_tests(visit.workspace.id, now):
        shown = load_list(visit.workspace.id, query, now)
    version = find_page_version(visit, shown.state, query)
    if version and is_current(version):
        return respond_not_modified(version)
    drawn, has_version = draw_list(visit, shown, query, now)
    return render_template(
        "destinations.html",
        visit=visit,
        total=shown.total,
        paging=shown.paging,
        drawn_list=drawn,
        batch=_find_batch(visit, now),
        page_version=version if has_version else None,
    )


@bp.get("/w/<slug>/state")
def show_state(slug: str) -> str:
    """Return the fragment that summarizes all destinations of the workspace."""
    visit, query, now = load_visit(slug), parse_list_query(request.args), database_clock.now()
    overview = load_list(visit.workspace.id, query, now).overview
    return render_template("_list_tabs.html", visit=visit, query=query, overview=overview)


@bp.get("/workspaces")
def list_all() -> str:
    """List the visitor's workspaces with the states of their destinations, by name.

    If all fit on one page, those with broken destinations come first.
    """
    text, now = read_search_text(request.args.get("q")), database_clock.now()
    page = load_memberships_page(current_account(), text, parse_page(request.args.get("page")))
    summaries = list_summaries([member.workspace_id for member in page.rows], now)
    overviews = build_overviews(summaries, now)
    rows = [(member, overviews.get(member.workspace_id)) for member in page.rows]
    if page.pages == 1:
        rows.sort(key=lambda row: row[1] is None or not row[1].has_broken)
    return render_template("workspaces.html", rows=rows, page=page, text=text)


def _find_batch(visit: Visit, now: datetime) -> BatchStatus | None:
    batch = parse_batch(request.args.get("batch"))
    return load_batch_status(visit.workspace.id, batch, now) if batch else None
