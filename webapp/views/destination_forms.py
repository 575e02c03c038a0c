"""Views of the forms that add a destination and change its settings."""

from flask import Blueprint, abort, render_template, request
from werkzeug.datastructures import MultiDict

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_destination, load_visit_to_edit
from webapp.channels import CHANNELS
from webapp.destinations import editing
from webapp.destinations.forms import DestinationForm, make_destination_form
from webapp.models import AlertDestination, database_clock
from webapp.views.destinations import PageResponse, flash_about, redirect_to_page
from webapp.views.refusal_texts import NOTICES, Notice
from webapp.views.sign_in_page import find_kept_form, find_kept_text

bp = Blueprint("destination_forms", __name__, url_prefix="/w/<slug>/destinations")


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
    flash_about(destination.name, "was added. Send a test to see whether alerts would arrive.")
    return redirect_to_page(visit, destination)


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
    flash_about(name, "was saved.")
    return redirect_to_page(visit, destination)


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
