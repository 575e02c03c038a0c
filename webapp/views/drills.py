"""Views for the drills of a workspace: when they run, which drills each destination has, and Drill now."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_destination, load_visit, load_visit_to_edit
from webapp.auth.account_time_zones import viewer_zone
from webapp.channels import CHANNELS
from webapp.dashboard.batch_status import load_batch_status
from webapp.dashboard.drill_page import load_drill_page
from webapp.database.numbered_pages import parse_page
from webapp.database.sessions import read_again_if_disconnected
from webapp.deliveries.badge import describe_outcome
from webapp.destinations.bulk_editing import load_chosen
from webapp.drills.editing import (
    DrillChange,
    ScheduleChanged,
    change_drills,
    describe_schedule,
    find_schedule,
    save_schedule,
    turn_off,
)
from webapp.drills.forms import ScheduleForm, fill_form, read_form
from webapp.drills.immediate_drills import press_drills
from webapp.drills.wording import WEEKDAYS
from webapp.models import DrillChoice, database_clock
from webapp.text.ids import parse_batch, parse_id, parse_ids
from webapp.views.bulk import NOTHING_CHOSEN, describe
from webapp.views.form_submissions import confirms_paging, is_page_load

bp = Blueprint("drills", __name__, url_prefix="/w/<slug>/drills")

OUTDATED = "Nothing was changed: the drills were changed after you had opened this page. It shows what they are now."

Fragment = tuple[str, dict[str, str]]

# What can be done with several destinations at once, besides choosing how often they have drills.
_CONFIRMATIONS = {
    "confirm": DrillChange(needs_confirmation=True),
    "do-not-confirm": DrillChange(needs_confirmation=False),
}


@bp.get("")
def show(slug: str) -> str:
    """Show when drills run, the destinations with their next drills, and the calendar."""
    return _render(load_visit(slug))


@bp.post("")
def save(slug: str) -> tuple[str, int] | Response:
    """Turn the drills on, or change when they run."""
    visit, form = load_visit_to_edit(slug), read_form(request.form, request.form.getlist("weekday"))
    if form.times is None:
        return _render(visit, form), 400
    try:
        is_changed = save_schedule(visit.workspace, visit.account, form.times, database_clock.now(), _find_seen())
    except ScheduleChanged:
        return _render(visit, error=OUTDATED), 409
    times = describe_schedule(find_schedule(visit.workspace))
    done = f"Drills are on: {times}. This page shows when each destination has its next one."
    flash(done if is_changed else "Nothing was changed.")
    return _redirect(visit)


@bp.post("/off")
def switch_off(slug: str) -> Response:
    """Turn the drills off."""
    visit = load_visit_to_edit(slug)
    turn_off(visit.workspace, visit.account, database_clock.now())
    flash("Drills are off. Nothing is sent until somebody presses Send test, or turns them on again.")
    return _redirect(visit)


@bp.post("/now")
def send_all(slug: str) -> Fragment | Response:
    """Send a drill to every destination that has drills, within the limits. Viewers get 403."""
    visit = load_visit(slug)
    if not visit.role.may_test:
        abort(403)
    batch = press_drills(visit, database_clock.now(), confirms_paging()).batch
    if is_page_load():
        return _redirect(visit, batch=batch)
    return read_again_if_disconnected(lambda: _render_batch(visit, batch))


@bp.get("/batches/<batch>")
def show_batch(slug: str, batch: str) -> Fragment:
    """Show the progress of a press on Drill now."""
    return _render_batch(load_visit(slug), parse_batch(batch) or abort(404))


@bp.post("/destinations")
def change_several(slug: str) -> tuple[str, int] | Response:
    """Change which drills the chosen destinations (`id`) have."""
    visit, ids = load_visit_to_edit(slug), parse_ids(request.form.getlist("id"))
    wanted = request.form.get("change", "")
    change = _CONFIRMATIONS.get(wanted) or DrillChange(choice=_read_choice(wanted))
    if not ids:
        return _render(visit, error=NOTHING_CHOSEN), 400
    result = change_drills(load_chosen(visit.workspace, ids), visit.account, change, database_clock.now())
    flash(describe(result, "were changed"))
    return _redirect(visit, **_shown())


@bp.post("/destinations/<destination_id>")
def change_one(slug: str, destination_id: str) -> Response:
    """Change which drills one destination has. The response leads to its row."""
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    change_drills([destination], visit.account, _read_row(), database_clock.now())
    anchor = f"drills-{destination.id}"
    return _redirect(visit, anchor, **_shown(), changed=destination.id)


def _shown() -> dict[str, str | None]:
    """Return the parameters of an address that shows the same part of the page again."""
    return {"page": request.args.get("page"), "calendar": "1" if "calendar" in request.args else None}


def _read_row() -> DrillChange:
    """Return what a row changes of what it showed, so that an old page takes back nothing that somebody else did."""
    choice, shown = _read_choice(request.form.get("choice", "")), request.form.get("shown", "").split()
    flags = {name: request.form.get(name) == "yes" for name in ("may_page", "needs_confirmation")}
    new = {name: is_on for name, is_on in flags.items() if not shown or is_on != (name in shown)}
    return DrillChange(None if choice in shown else choice, new.get("may_page"), new.get("needs_confirmation"))


def _find_seen() -> str | None:
    """Return the drills that the form of the schedule was filled with; None if it does not say so."""
    return request.form.get("seen") or None


def _read_choice(text: str) -> DrillChoice:
    return DrillChoice(text) if text in list(DrillChoice) else abort(400)


def _render(visit: Visit, form: ScheduleForm | None = None, error: str | None = None) -> str:
    now = database_clock.now()
    shown = _shown()
    page = load_drill_page(visit.workspace, parse_page(shown["page"]), now, shown["calendar"] is not None)
    batch = parse_batch(request.args.get("batch"))
    changed = parse_id(request.args.get("changed"))
    return render_template(
        "drills.html",
        visit=visit,
        drills=page,
        calendar=shown["calendar"],
        form=form or fill_form(page.stored, viewer_zone()),
        weekdays=WEEKDAYS,
        channels=CHANNELS,
        describe_outcome=describe_outcome,
        changed=next((row for row in page.page.rows if row.drilled.destination.id == changed), None),
        ticked=parse_ids(request.form.getlist("id")),
        are_all_ticked="all" in request.args,
        batch=load_batch_status(visit.workspace.id, batch, now) if batch else None,
        error=error,
        seen=(_find_seen() if form else None) or describe_schedule(page.stored),
        now=now,
        **_progress_inputs(),
    )


def _render_batch(visit: Visit, batch: str) -> Fragment:
    """Render the progress. The rows of the page, which do not poll, follow each test that has ended."""
    status = load_batch_status(visit.workspace.id, batch, database_clock.now())
    is_outdated = request.method == "POST" or request.args.get("ended") != str(status.progress.ended)
    headers = {"HX-Trigger": "tested-all"} if is_outdated else {}
    return render_template("_batch_progress.html", visit=visit, batch=status, **_progress_inputs()), headers


def _progress_inputs() -> dict[str, str]:
    return {"progress_endpoint": "drills.show_batch", "button": "Drill now"}


def _redirect(visit: Visit, anchor: str | None = None, **query: Any) -> Response:
    given = {name: value for name, value in query.items() if value}
    return redirect(url_for("drills.show", slug=visit.workspace.slug, _anchor=anchor, **given), 303)
