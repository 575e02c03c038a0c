"""View that saves the value that a service suggested for a setting."""

from flask import Blueprint, abort, request

from webapp.app_state import current_settings
from webapp.auth.access import load_destination, load_test_send, load_visit_to_edit
from webapp.destinations.editing import DestinationChanged, DestinationGone
from webapp.destinations.suggestions import accept_offer
from webapp.models import database_clock
from webapp.views.destinations import PageResponse, flash_about, redirect_to_page

bp = Blueprint("suggestions", __name__, url_prefix="/w/<slug>/destinations")


@bp.post("/<destination_id>/suggestion")
def accept(slug: str, destination_id: str) -> PageResponse:
    """Use the value that a test's failure suggests. Nothing is sent: the page offers a test."""
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    test, cipher = load_test_send(destination, request.form.get("delivery", "")), current_settings().cipher
    name = destination.name
    try:
        offer = accept_offer(destination, visit.account, test, cipher, database_clock.now())
    except DestinationChanged:
        flash_about(name, "was not changed: its settings are no longer those of that test. Send another test.")
    except DestinationGone:
        abort(404)
    else:
        label = offer.field.label.lower()
        flash_about(name, f"has the new {label} {offer.value}. Send a test to see whether alerts would arrive.")
    return redirect_to_page(visit, destination)
