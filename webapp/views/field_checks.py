"""Views that check one field of a destination's form when the user leaves it, by the same rules as saving."""

from collections.abc import Mapping

from flask import Blueprint, abort, render_template

from webapp.app_state import current_settings
from webapp.auth.access import load_destination, load_visit_to_edit
from webapp.channels import CHANNELS
from webapp.channels.contract import Channel
from webapp.destinations.editing import read_settings
from webapp.destinations.forms import make_destination_form

bp = Blueprint("field_checks", __name__, url_prefix="/w/<slug>/destinations")


@bp.post("/new/<channel_name>/check/<field>")
def check_new(slug: str, channel_name: str, field: str) -> str:
    """Check a field of a new destination."""
    load_visit_to_edit(slug)
    return _check(CHANNELS.get(channel_name) or abort(404), {}, field)


@bp.post("/<destination_id>/check/<field>")
def check_stored(slug: str, destination_id: str, field: str) -> str:
    """Check a field of a destination that is being edited."""
    destination = load_destination(load_visit_to_edit(slug), destination_id)
    channel = CHANNELS.get(destination.type) or abort(404)
    return _check(channel, read_settings(destination, current_settings().cipher), field)


def _check(channel: Channel, stored: Mapping[str, str], field: str) -> str:
    # The fragment never contains the value, because it may be a secret.
    form = make_destination_form(channel, current_settings().outbound, stored)()
    checked = form.check_field(field) or abort(404)
    return render_template("_field_check.html", field=checked, is_checked=True)
