"""A workspace's list of destinations, and what is broken in all workspaces of a visitor."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, list_memberships, load_visit
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.dashboard import overview
from webapp.dashboard.overview import State, choose, count_states, list_glances, read_choice, tell_state
from webapp.dashboard.status_fragment import Status, look_beside, settle_overdue, show_status
from webapp.deliveries.outcome import list_with_newest_test, tell_last_test
from webapp.destinations.masking import ShownSetting, show_where
from webapp.sends.batches import Progress, measure_progress
from webapp.settings import current_config

bp = Blueprint("workspaces", __name__)

MOST_BROKEN = 200


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
    """List a workspace's destinations, the broken ones first, each with its badge and its button."""
    visit, now, choice = load_visit(slug), datetime.now(UTC), read_choice(request.args)
    settle_overdue(visit.workspace.id, now)
    glances = list_glances([visit.workspace.id])
    counts, chosen = count_states(glances), choose(glances, choice)
    return render_template(
        "destinations.html",
        visit=visit,
        choice=choice,
        chosen=chosen,
        counts=counts,
        state=tell_state(counts),
        orders=overview.Order,
        rows=_list_rows(visit, chosen.ids, now),
        progress=_find_progress(visit),
        channels=CHANNELS,
        now=now,
    )


@bp.get("/w/<slug>/state")
def show_state(slug: str) -> str:
    """Answer what the list says of all destinations together."""
    visit, choice = load_visit(slug), read_choice(request.args)
    counts = count_states(list_glances([visit.workspace.id]))
    return render_template("_state.html", visit=visit, choice=choice, counts=counts, state=tell_state(counts))


@bp.get("/broken")
def show_broken() -> str:
    """List what has failed, and where, in all workspaces of the visitor."""
    members = {member.workspace_id: member for member in list_memberships(current_account())}
    broken = [glance for glance in list_glances(list(members)) if glance.state is State.FAILED]
    broken.sort(key=lambda glance: (members[glance.workspace_id].workspace.name.casefold(), glance.name.casefold()))
    rows = [
        (members[destination.workspace_id].workspace, destination, newest, tell_last_test(newest, destination.type))
        for destination, newest in list_with_newest_test([glance.destination_id for glance in broken[:MOST_BROKEN]])
    ]
    return render_template(
        "broken.html", rows=rows, total=len(broken), places=len(members), channels=CHANNELS, now=datetime.now(UTC)
    )


def _list_rows(visit: Visit, ids: list[int], now: datetime) -> list[tuple[Status, ShownSetting]]:
    beside, sealer = look_beside(visit.workspace.id, ids), current_config().sealer
    return [
        (
            show_status(visit, destination, newest, now, beside=beside),
            show_where(destination, visit.role, sealer),
        )
        for destination, newest in list_with_newest_test(ids)
    ]


def _find_progress(visit: Visit) -> Progress | None:
    batch = request.args.get("batch", "")
    return measure_progress(visit.workspace.id, batch) if batch.isascii() and batch.isalnum() else None
