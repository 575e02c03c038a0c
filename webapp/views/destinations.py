"""Views that show, enable, disable and delete a destination."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_destination, load_visit, load_visit_to_edit
from webapp.auth.sessions import shows
from webapp.channels import CHANNELS
from webapp.dashboard.diagnosis import diagnose
from webapp.dashboard.drill_page import load_next_drill
from webapp.dashboard.exchange_section import describe_exchange
from webapp.dashboard.receipt_watch import watch_receipt
from webapp.dashboard.status_fragment import STATUS, SharedStatusData, build_status, load_status
from webapp.dashboard.ticket_report import write_report
from webapp.deliveries import list_test_sends
from webapp.deliveries.badge import describe_outcome
from webapp.deliveries.delivery_rows import DeliveryRow
from webapp.destinations import editing
from webapp.destinations.deletion_impact import assess_deletion
from webapp.destinations.masking import mask_settings, mask_target
from webapp.destinations.same_names import find_name_warning
from webapp.destinations.same_places import find_place_warning
from webapp.destinations.suggestions import find_offer
from webapp.models import AlertDestination, database_clock
from webapp.views.customer_links import load_links

bp = Blueprint("destinations", __name__, url_prefix="/w/<slug>/destinations")

PageResponse = str | tuple[str, int] | Response

DISABLED_NOTE = " Nothing is sent there until it is enabled again. Its settings are kept."


@bp.get("/<destination_id>")
@shows(STATUS)
def show(slug: str, destination_id: str) -> PageResponse:
    """Show a destination: its status, the last test sends, and the settings without secrets."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    now = database_clock.now()
    newest, shared = load_status(destination, now)
    links = load_links(visit, destination, now)
    return render_template(
        "destination.html",
        channel=CHANNELS.get(destination.type),
        status=build_status(visit, destination, newest, shared, now),
        watch=watch_receipt(newest, now, bool(links and links.current)),
        settings=mask_settings(destination, visit.role, current_settings().cipher),
        links=links,
        next_drill=load_next_drill(visit.workspace, destination, now),
        **_load_details(visit, destination, newest, shared, now),
    )


@bp.get("/<destination_id>/details")
def show_details(slug: str, destination_id: str) -> PageResponse:
    """Return the details fragment alone."""
    visit, now = load_visit(slug), database_clock.now()
    destination = load_destination(visit, destination_id)
    return render_details(visit, destination, now)


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
    flash_about(destination.name, "was deleted.")
    return redirect(url_for("workspaces.show", slug=slug))


def render_details(
    visit: Visit, destination: AlertDestination, now: datetime, customer_error: str | None = None
) -> str:
    """Render the details fragment of a destination. customer_error: why the customer's name was refused."""
    newest, shared = load_status(destination, now)
    details = _load_details(visit, destination, newest, shared, now)
    return render_template("_destination_details.html", **details | {"customer_error": customer_error})


def flash_about(name: str, rest: str) -> None:
    """Show a sentence about a destination on the next page. rest: what follows the name."""
    flash(Markup("<bdi>{}</bdi> {}").format(name, rest))


def redirect_to_page(visit: Visit, destination: AlertDestination) -> Response:
    """Redirect to a destination's page."""
    return redirect(url_for("destinations.show", slug=visit.workspace.slug, destination_id=destination.id))


def warn_of_others(visit: Visit, destination: AlertDestination) -> None:
    """Show warnings on the next page if other destinations have the same name, or send to the same place."""
    app_settings = current_settings()
    same_name = find_name_warning(visit.workspace, destination.name, destination.id)
    outbound = app_settings.outbound_for(visit.workspace.slug)
    same_place = find_place_warning(destination, app_settings.cipher, outbound)
    for warning in filter(None, (same_name, same_place)):
        flash(warning)


def _load_details(
    visit: Visit, destination: AlertDestination, newest: DeliveryRow | None, shared: SharedStatusData, now: datetime
) -> dict[str, Any]:
    """Return the inputs of the details fragment."""
    diagnosis = diagnose(destination, newest)
    where = mask_target(destination, visit.role, current_settings().cipher)
    target = f"{where.text}, fingerprint {where.fingerprint}" if where.fingerprint else where.text
    return {
        "visit": visit,
        "destination": destination,
        "diagnosis": diagnosis,
        "exchange": describe_exchange(diagnosis.exchange, newest.answer_status if newest else None, visit.role),
        "report": write_report(visit.workspace.name, destination, target, diagnosis, shared.proof[destination.id], now),
        "history": [(send, describe_outcome(send, destination.type)) for send in list_test_sends(destination)],
        "offer": find_offer(destination, newest) if visit.role.may_edit else None,
        "customer_error": None,
        "now": now,
    }


def _set_enabled(slug: str, destination_id: str, is_enabled: bool) -> PageResponse:
    visit = load_visit_to_edit(slug)
    destination = load_destination(visit, destination_id)
    editing.set_enabled(destination, visit.account, is_enabled, database_clock.now())
    flash_about(destination.name, "is enabled." if is_enabled else f"is disabled.{DISABLED_NOTE}")
    return redirect_to_page(visit, destination)
