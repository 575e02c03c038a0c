"""Shows exactly what a test would send, without secrets."""

from flask import Blueprint, render_template

from webapp.app_state import current_settings
from webapp.auth.access import load_destination, load_visit
from webapp.channels import CHANNELS
from webapp.deliveries.badge import next_step
from webapp.destinations.masking import mask_target
from webapp.destinations.preview import preview_test_send
from webapp.failures import DeliveryFailed
from webapp.models import database_clock

bp = Blueprint("preview", __name__)


@bp.get("/w/<slug>/destinations/<destination_id>/preview")
def show(slug: str, destination_id: str) -> str:
    """Show the message that a test would send now, or why it could not be sent."""
    visit, app_settings = load_visit(slug), current_settings()
    destination = load_destination(visit, destination_id)
    preview = failure = None
    try:
        preview = preview_test_send(
            destination, visit.workspace.slug, visit.account, app_settings, database_clock.now()
        )
    except DeliveryFailed as reason:
        failure = reason
    return render_template(
        "destination_preview.html",
        visit=visit,
        destination=destination,
        channel=CHANNELS.get(destination.type),
        where=mask_target(destination, visit.role, app_settings.cipher),
        preview=preview,
        failure=failure,
        next_step=next_step(failure.code, destination.type) if failure else None,
    )
