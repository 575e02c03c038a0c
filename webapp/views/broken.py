"""Views of What is broken: the list across workspaces, and Test the failed."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, list_memberships
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.dashboard.batch_status import describe_left_out
from webapp.dashboard.broken import list_broken, load_broken_page
from webapp.database.sessions import read_again_if_disconnected
from webapp.models import database_clock
from webapp.presses.retesting import MAX_AT_ONCE, RetestResult, press_failed
from webapp.views.form_submissions import confirms_paging, is_page_load

bp = Blueprint("broken", __name__, url_prefix="/broken")


@bp.get("")
def show() -> str:
    """List the broken destinations in all workspaces of the visitor, or in one of them."""
    visits = _load_visits()
    return _render(visits, _find_workspace(visits, request.args.get("workspace")))


@bp.post("/test")
def send_tests() -> str | Response:
    """Send a test to each broken destination, within the limits: in all workspaces, or in one. Viewers get 403.

    Those that page people are tested only if the form confirms that.
    """
    visits, now = _load_visits(), database_clock.now()
    only = _find_workspace(visits, request.form.get("workspace"))
    chosen = [visit for workspace_id, visit in visits.items() if only in (None, workspace_id)]
    if not any(visit.role.may_test for visit in chosen):
        abort(403)
    broken = list_broken([visit.workspace.id for visit in chosen if visit.role.may_test], now)
    message = _describe(press_failed(broken, chosen, now, confirms_paging()))
    if is_page_load():
        flash(message)
        return redirect(url_for("broken.show", workspace=request.form.get("workspace") or None), 303)
    return read_again_if_disconnected(lambda: _render(visits, only, message))


def _load_visits() -> dict[int, Visit]:
    account = current_account()
    return {member.workspace_id: Visit(account, member.workspace, member.role) for member in list_memberships(account)}


def _find_workspace(visits: dict[int, Visit], slug: str | None) -> int | None:
    """Return the id of a workspace of the visitor; None if none is named. Aborts with 404 if it is not theirs."""
    if not slug:
        return None
    return next((key for key, visit in visits.items() if visit.workspace.slug == slug), None) or abort(404)


def _render(visits: dict[int, Visit], only: int | None, message: str | None = None) -> str:
    now = database_clock.now()
    page = load_broken_page(visits, only, now)
    here = {key: count for key, count in page.counts.items() if only in (None, key)}
    return render_template(
        "broken.html",
        page=page,
        message=message,
        only=visits[only].workspace if only else None,
        total=sum(here.values()),
        testable=sum(count for key, count in here.items() if visits[key].role.may_test),
        paging=sum(page.paging.get(key, 0) for key in here if visits[key].role.may_test),
        choices=[(visit.workspace, page.counts[key]) for key, visit in visits.items() if page.counts.get(key)],
        workspace_count=len(visits),
        max_at_once=MAX_AT_ONCE,
        channels=CHANNELS,
        now=now,
    )


def _describe(pressed: RetestResult) -> str:
    one = pressed.requested == 1
    where = f" in {pressed.workspaces} workspaces" if pressed.workspaces > 1 else ""
    parts = [
        f"{pressed.requested or 'No'} test{'s' * (not one)} {'was' if one else 'were'} sent{where}.",
        describe_left_out(pressed.left_out),
        f"{pressed.postponed} more can be tested with the next press." if pressed.postponed else None,
    ]
    return " ".join(filter(None, parts))
