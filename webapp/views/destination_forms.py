"""Views of the forms that add a destination and change its settings."""

from collections.abc import Mapping

from flask import Blueprint, abort, render_template, request

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_destination, load_past_destination, load_visit_to_edit
from webapp.channels import CHANNELS
from webapp.destinations import editing
from webapp.destinations.form_versions import find_changeable
from webapp.models import database_clock
from webapp.text.names import MAX_NAME_LENGTH
from webapp.text.tags import split_tags
from webapp.views.destination_form_page import DELETED, FormPage
from webapp.views.destinations import PageResponse, flash_about, redirect_to_page, warn_of_others
from webapp.views.save_and_test import run_if_asked

bp = Blueprint("destination_forms", __name__, url_prefix="/w/<slug>/destinations")

# What the name of a duplicate ends with.
COPY = " (copy)"


@bp.get("/new")
def choose(slug: str) -> PageResponse:
    """Show the channels to choose from for a new destination."""
    visit = load_visit_to_edit(slug)
    outbound = current_settings().outbound_for(visit.workspace.slug)
    choices = [(name, channel, channel.find_obstacle(outbound)) for name, channel in CHANNELS.items()]
    return render_template("destination_choose.html", visit=visit, choices=choices)


@bp.route("/new/<channel_name>", methods=["GET", "POST"])
def add(slug: str, channel_name: str) -> PageResponse:
    """Add a destination."""
    visit = load_visit_to_edit(slug)
    channel = CHANNELS.get(channel_name) or abort(404)
    app_settings = current_settings()
    page = FormPage(visit, channel_name, None, {}, _find_template(visit, channel_name))
    form = page.load_form()
    if not page.is_submitted or not form.validate():
        return page.render(form)
    destination = editing.add_destination(
        visit.workspace,
        visit.account,
        channel_name,
        form.name.data or "",
        form.read_settings(channel),
        app_settings.cipher,
        database_clock.now(),
        form.read_tags(),
    )
    page.delete_draft()
    advice = run_if_asked(visit, destination) or " Send a test to see whether alerts would arrive."
    flash_about(destination.name, f"was added.{advice}")
    warn_of_others(visit, destination)
    return redirect_to_page(visit, destination)


def _find_template(visit: Visit, channel_name: str) -> Mapping[str, str]:
    """Return the settings, secrets aside, of the destination that `copy` names, to begin a new one with."""
    if "copy" not in request.args:
        return {}
    original = load_destination(visit, request.args["copy"])
    if original.type != channel_name:
        abort(404)
    settings = editing.read_settings(original, current_settings().cipher)
    shown = {field.name: settings.get(field.name, "") for field in CHANNELS[channel_name].fields if not field.is_secret}
    name = f"{original.name[: MAX_NAME_LENGTH - len(COPY)]}{COPY}"
    return {**shown, "name": name, "tags": ", ".join(split_tags(original.tags))}


@bp.route("/<destination_id>/edit", methods=["GET", "POST"])
def edit(slug: str, destination_id: str) -> PageResponse:
    """Change a destination's name and settings. A secret left blank keeps its stored value."""
    visit = load_visit_to_edit(slug)
    destination = load_past_destination(visit, destination_id)
    channel = CHANNELS.get(destination.type) or abort(404)
    if destination.deleted_at is not None:
        return _offer_anew(visit, destination.type) if request.method == "POST" else abort(404)
    cipher = current_settings().cipher
    page = FormPage(visit, destination.type, destination, editing.read_settings(destination, cipher))
    form = page.load_form()
    if not page.is_submitted or not form.validate():
        return page.render(form)
    name, typed, now = form.name.data or "", form.read_settings(channel), database_clock.now()
    removed, tags = form.read_removed(channel), form.read_tags()
    version = find_changeable(destination, page.seen_version)
    try:
        is_first = editing.change_destination(
            destination, visit.account, name, typed, cipher, now, removed, tags, version
        )
    except editing.DestinationGone:
        return _offer_anew(visit, destination.type)
    except editing.DestinationChanged:  # perhaps since its settings were read
        page = FormPage(visit, destination.type, destination, editing.read_settings(destination, cipher))
        return page.render(form, page.explain_outdated(form))
    page.delete_draft()
    # A form that was submitted before may have sent the test that it asks for.
    flash_about(name, f"was saved.{run_if_asked(visit, destination)}" if is_first else "was already saved.")
    warn_of_others(visit, destination)
    return redirect_to_page(visit, destination)


def _offer_anew(visit: Visit, channel_name: str) -> PageResponse:
    """Show what was typed for a destination that is deleted as the form of a new one."""
    page = FormPage(visit, channel_name, None, {})
    return page.render(page.load_form(), DELETED)[0], 404
