"""Views that show, add, edit, enable, disable and delete a destination."""

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_destination, load_visit, load_visit_to_edit
from webapp.channels import CHANNELS
from webapp.dashboard.diagnosis import diagnose, write_report
from webapp.dashboard.receipt_watch import watch_receipt
from webapp.dashboard.status_fragment import build_status, load_status
from webapp.deliveries import list_test_sends
from webapp.deliveries.outcome import describe_outcome
from webapp.destinations import editing
from webapp.destinations.deletion_impact import assess_deletion
from webapp.destinations.forms import DestinationForm, make_destination_form
from webapp.destinations.masking import mask_settings, mask_target
from webapp.models import AlertDelivery, AlertDestination, database_clock
from webapp.views.refusal_texts import NOTICES, Notice
from webapp.views.sign_in_page import find_kept_form, find_kept_text

bp = Blueprint("destinations", __name__, url_prefix="/w/<slug>/destinations")

PageResponse = str | tuple[str, int] | Response

DISABLED_NOTE = " Nothing is sent there until it is enabled again. Its settings are kept."


@bp.get("/<destination_id>")
def show(slug: str, destination_id: str) -> PageResponse:
    """Show a destination: its status, the last test sends, and the settings without secrets."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    now = database_clock.now()
    newest, shared = load_status(destination, now)
    return render_template(
        "destination.html",
        channel=CHANNELS.get(destination.type),
        status=build_status(visit, destination, newest, now, shared=shared),
        watch=watch_receipt(newest, now),
        settings=mask_settings(destination, visit.role, current_settings().cipher),
        **_load_details(visit, destination, newest, now),
    )


@bp.get("/<destination_id>/details")
def show_details(slug: str, destination_id: str) -> PageResponse:
    """Return the details fragment alone."""
    visit, now = load_visit(slug), database_clock.now()
    destination = load_destination(visit, destination_id)
    return render_details(visit, destination, now)


@bp.get("/new")
def choose(slug: str) -> PageResponse:
    """Show the channels to choose from for a new destination."""
    return render_template("destination_choose.html", visit=load_visit_to_edit(slug), channels=CHANNELS)


@bp.route("/new/<channel_name>", methods=["GET", "POST"])
def add(slug: str, channel_name: str) -> PageResponse:
    """Add a destination."""
    visit = load_visit_to_edit(slug)
    channel = CHANNELS.get(channel_name) or abort(404)
    app_settings = current_settings()
    form_type, kept = make_destination_form(channel, app_settings.outbound, {}), _find_kept_values()
    form = form_type(kept)
    if kept is not None or not form.validate_on_submit():
        return _render_form(visit, form, channel_name, None, kept)
    destination = editing.add_destination(
        visit.workspace,
        visit.account,
        channel_name,
        form.name.data or "",
        form.read_settings(channel),
        app_settings.cipher,
        database_clock.now(),
    )
    _flash(destination.name, "was added. Send a test to see whether alerts would arrive.")
    return _redirect_to_page(visit, destination)


@bp.route("/<destination_id>/edit", methods=["GET", "POST"])
def edit(slug: str, destination_id: str) -> PageResponse:
    """Change a destination's name and settings. A secret left blank keeps its stored value."""
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    channel = CHANNELS.get(destination.type) or abort(404)
    app_settings = current_settings()
    stored = editing.read_settings(destination, app_settings.cipher)
    form_type, kept = make_destination_form(channel, app_settings.outbound, stored), _find_kept_values()
    form = form_type(kept, data=stored | {"name": destination.name})
    if kept is not None or not form.validate_on_submit():
        return _render_form(visit, form, destination.type, destination, kept)
    name, typed = form.name.data or "", form.read_settings(channel)
    try:
        editing.change_destination(destination, visit.account, name, typed, app_settings.cipher, database_clock.now())
    except editing.DestinationGone:
        abort(404)
    _flash(name, "was saved.")
    return _redirect_to_page(visit, destination)


@bp.post("/<destination_id>/enable")
def enable(slug: str, destination_id: str) -> PageResponse:
    """Enable a destination."""
    return _set_enabled(slug, destination_id, True)


@bp.post("/<destination_id>/disable")
def disable(slug: str, destination_id: str) -> PageResponse:
    """Disable a destination, so that nothing is sent to it."""
    return _set_enabled(slug, destination_id, False)


@bp.route("/<destination_id>/delete", methods=["GET", "POST"])
def delete(slug: str, destination_id: str) -> PageResponse:
    """Show the impact of a deletion (GET), or delete the destination (POST)."""
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    if request.method == "GET":
        return render_template(
            "destination_delete.html",
            visit=visit,
            destination=destination,
            channel=CHANNELS.get(destination.type),
            settings=mask_settings(destination, visit.role, current_settings().cipher),
            impact=assess_deletion(destination, database_clock.now()),
        )
    editing.delete_destination(destination, visit.account, database_clock.now())
    _flash(destination.name, "was deleted.")
    return redirect(url_for("workspaces.show", slug=slug))


def render_details(
    visit: Visit, destination: AlertDestination, now: datetime, customer_error: str | None = None
) -> str:
    """Render the details fragment of a destination. customer_error: why the customer's name was refused."""
    newest, _ = load_status(destination, now)
    details = _load_details(visit, destination, newest, now)
    return render_template("_details.html", **details | {"customer_error": customer_error})


def _flash(name: str, rest: str) -> None:
    flash(Markup("<bdi>{}</bdi> {}").format(name, rest))


def _load_details(
    visit: Visit, destination: AlertDestination, newest: AlertDelivery | None, now: datetime
) -> dict[str, Any]:
    """Return the inputs of the details fragment."""
    diagnosis = diagnose(destination, newest)
    where, channel = mask_target(destination, visit.role, current_settings().cipher), CHANNELS.get(destination.type)
    target = f"{where.text}, fingerprint {where.fingerprint}" if where.fingerprint else where.text
    label = channel.label if channel else destination.type
    return {
        "visit": visit,
        "destination": destination,
        "diagnosis": diagnosis,
        "report": write_report(visit.workspace.name, destination, label, target, diagnosis, now),
        "history": [(send, describe_outcome(send, destination.type)) for send in list_test_sends(destination)],
        "customer_error": None,
        "now": now,
    }


def _set_enabled(slug: str, destination_id: str, is_enabled: bool) -> PageResponse:
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    editing.set_enabled(destination, visit.account, is_enabled, database_clock.now())
    _flash(destination.name, "is enabled." if is_enabled else f"is disabled.{DISABLED_NOTE}")
    return _redirect_to_page(visit, destination)


def _find_kept_values() -> MultiDict[str, str] | None:
    """Return what was kept of this form, which is empty if it is kept no longer; None if nothing is to be filled in."""
    if request.method == "GET" or not find_kept_text():
        return None
    kept = find_kept_form()
    return MultiDict(kept.values if kept and kept.path == request.path else {})


def _describe_kept(values: MultiDict[str, str] | None) -> str | None:
    return None if values is None else NOTICES[Notice.FILLED_IN if values else Notice.KEPT_NO_LONGER]


def _render_form(
    visit: Visit,
    form: DestinationForm,
    channel_name: str,
    destination: AlertDestination | None,
    kept: MultiDict[str, str] | None,
) -> PageResponse:
    page = render_template(
        "destination_form.html",
        visit=visit,
        form=form,
        channel_name=channel_name,
        channel=CHANNELS[channel_name],
        destination=destination,
        notice=_describe_kept(kept),
    )
    return page, 400 if form.errors else 200


def _redirect_to_page(visit: Visit, destination: AlertDestination) -> Response:
    return redirect(url_for("destinations.show", slug=visit.workspace.slug, destination_id=destination.id))
