"""Views for Test all: start a batch and show its progress. Both return the progress fragment."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_visit
from webapp.dashboard.batch_status import load_batch_status
from webapp.database.sessions import read_again_if_disconnected
from webapp.models import database_clock
from webapp.presses.batches import press_all
from webapp.text.ids import parse_batch
from webapp.views.form_submissions import confirms_paging, is_page_load

bp = Blueprint("batches", __name__)

Fragment = tuple[str, dict[str, str]]


@bp.post("/w/<slug>/test-all")
def send_all(slug: str) -> Fragment | Response:
    """Send a test to every destination that is enabled and not cooling down, within the limits. Viewers get 403.

    Those that page people are tested only if the form confirms that.
    """
    visit = load_visit(slug)
    if not visit.role.may_test:
        abort(403)
    batch = press_all(visit, database_clock.now(), confirms_paging())
    if is_page_load():
        return redirect(url_for("workspaces.show", slug=slug, batch=batch), 303)
    return read_again_if_disconnected(lambda: _render_batch(visit, batch))


@bp.get("/w/<slug>/batches/<batch>")
def show(slug: str, batch: str) -> Fragment:
    """Show the progress of a batch."""
    return _render_batch(load_visit(slug), parse_batch(batch) or abort(404))


def _render_batch(visit: Visit, batch: str) -> Fragment:
    status = load_batch_status(visit.workspace.id, batch, database_clock.now())
    is_list_outdated = request.method == "POST" or status.progress.ended == status.progress.total
    headers = {"HX-Trigger": "tested-all"} if is_list_outdated else {}
    return render_template("_batch_progress.html", visit=visit, batch=status), headers
