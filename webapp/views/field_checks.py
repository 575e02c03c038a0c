"""Views for a destination's form in a browser with JavaScript, which keeps what was typed in the page.

They check a field when the user leaves it and the whole form before it is saved, by the same rules as saving, and make
a new secret. No response contains what was typed, because it may be a secret.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, abort, render_template
from werkzeug.datastructures import MultiDict

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_destination, load_visit_to_edit
from webapp.channels import CHANNELS
from webapp.channels.contract import Channel
from webapp.destinations.editing import read_settings
from webapp.destinations.forms import make_destination_form
from webapp.destinations.same_names import find_name_warning
from webapp.views.destination_form_page import generate_secret

bp = Blueprint("field_checks", __name__, url_prefix="/w/<slug>/destinations")


@bp.post("/new/<channel_name>/check/<field>")
def check_new(slug: str, channel_name: str, field: str) -> str:
    """Check a field of a new destination."""
    visit = load_visit_to_edit(slug)
    return _check(visit, CHANNELS.get(channel_name) or abort(404), {}, field)


@bp.post("/<destination_id>/check/<field>")
def check_stored(slug: str, destination_id: str, field: str) -> str:
    """Check a field of a destination that is being edited."""
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    channel = CHANNELS.get(destination.type) or abort(404)
    return _check(visit, channel, read_settings(destination, current_settings().cipher), field, destination.id)


@bp.post("/new/<channel_name>/check")
def check_new_form(slug: str, channel_name: str) -> Response:
    """Check the form of a new destination."""
    load_visit_to_edit(slug)
    return _check_form(CHANNELS.get(channel_name) or abort(404), {})


@bp.post("/<destination_id>/check")
def check_stored_form(slug: str, destination_id: str) -> Response:
    """Check the form of a destination that is being edited."""
    destination = load_destination(load_visit_to_edit(slug), destination_id)
    channel = CHANNELS.get(destination.type) or abort(404)
    return _check_form(channel, read_settings(destination, current_settings().cipher))


@bp.post("/new/<channel_name>/new-<field>")
def generate(slug: str, channel_name: str, field: str) -> str:
    """Make a new secret for a field. Only this response contains it."""
    load_visit_to_edit(slug)
    channel = CHANNELS.get(channel_name) or abort(404)
    generated = generate_secret(channel, field)
    form = make_destination_form(channel, current_settings().outbound, {})(MultiDict())
    return render_template(
        "_secret_entry.html", field=form[field], generated=generated, slug=slug, channel_name=channel_name
    )


def _check_form(channel: Channel, stored: Mapping[str, str]) -> Response:
    """Return the errors of a form, or 204 if it can be saved."""
    form = make_destination_form(channel, current_settings().outbound, stored)()
    if form.validate():
        return Response(status=204)
    return Response(render_template("_form_check.html", form=form))


def _check(
    visit: Visit, channel: Channel, stored: Mapping[str, str], field: str, destination_id: int | None = None
) -> str:
    # The fragment never contains the value, because it may be a secret.
    form = make_destination_form(channel, current_settings().outbound, stored)()
    checked = form.check_field(field) or abort(404)
    has_name = field == "name" and checked.data and not checked.errors
    warning = find_name_warning(visit.workspace, checked.data, destination_id) if has_name else None
    return render_template("_field_check.html", field=checked, is_checked=True, warning=warning)
