"""Views for a destination's form in a browser with JavaScript, which keeps what was typed in the page.

They check a field when the user leaves it and the whole form before it is saved, by the same rules as saving, and make
a new secret. No response contains what was typed, because it may be a secret.
"""

from flask import Blueprint, Response, abort, render_template
from werkzeug.datastructures import MultiDict

from webapp.app_state import current_settings
from webapp.auth.access import load_destination, load_visit_to_edit
from webapp.channels import CHANNELS
from webapp.destinations.editing import read_settings
from webapp.destinations.forms import make_destination_form
from webapp.destinations.same_names import find_name_warning
from webapp.views.destination_form_page import FormPage, generate_secret

bp = Blueprint("field_checks", __name__, url_prefix="/w/<slug>/destinations")


@bp.post("/new/<channel_name>/check/<field>")
def check_new(slug: str, channel_name: str, field: str) -> str:
    """Check a field of a new destination."""
    return _check(_load_new(slug, channel_name), field)


@bp.post("/<destination_id>/check/<field>")
def check_stored(slug: str, destination_id: str, field: str) -> str:
    """Check a field of a destination that is being edited."""
    return _check(_load_stored(slug, destination_id), field)


@bp.post("/new/<channel_name>/check")
def check_new_form(slug: str, channel_name: str) -> Response:
    """Check the form of a new destination."""
    return _check_form(_load_new(slug, channel_name))


@bp.post("/<destination_id>/check")
def check_stored_form(slug: str, destination_id: str) -> Response:
    """Check the form of a destination that is being edited."""
    return _check_form(_load_stored(slug, destination_id))


@bp.post("/new/<channel_name>/new-<field>")
def generate(slug: str, channel_name: str, field: str) -> str:
    """Make a new secret for a field. Only this response contains it."""
    visit = load_visit_to_edit(slug)
    channel = CHANNELS.get(channel_name) or abort(404)
    generated = generate_secret(channel, field)
    form = make_destination_form(channel, current_settings().outbound_for(visit.workspace.slug), {})(MultiDict())
    return render_template(
        "_secret_entry.html", field=form[field], generated=generated, slug=slug, channel_name=channel_name
    )


def _load_new(slug: str, channel_name: str) -> FormPage:
    visit = load_visit_to_edit(slug)
    return FormPage(visit, channel_name if channel_name in CHANNELS else abort(404), None, {})


def _load_stored(slug: str, destination_id: str) -> FormPage:
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    channel_name = destination.type if destination.type in CHANNELS else abort(404)
    return FormPage(visit, channel_name, destination, read_settings(destination, current_settings().cipher))


def _check_form(page: FormPage) -> Response:
    """Return the errors of a form, or 204 if it can be saved."""
    form = page.load_typed()
    if form.validate():
        return Response(status=204)
    return Response(render_template("_form_check.html", form=form))


def _check(page: FormPage, field: str) -> str:
    # The fragment never contains the value, because it may be a secret.
    checked = page.load_typed().check_field(field) or abort(404)
    has_name = field == "name" and checked.data and not checked.errors
    own_id = page.destination.id if page.destination else None
    warning = find_name_warning(page.visit.workspace, checked.data, own_id) if has_name else None
    return render_template("_field_check.html", field=checked, is_checked=True, warning=warning)
